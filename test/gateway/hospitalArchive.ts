/** An archive as in a hospital: not the gateway's own process, reached over HTTP, and not always there. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmbeddedArchive } from "../../gateway/archive/embedded/server.ts";
import { SAMPLE_FOLDERS } from "../world.ts";
import { BreakableProxy } from "./breakableProxy.ts";

export class HospitalArchive {
  /** For `DICOMWEB_URL`. */
  readonly url: string;
  readonly #way: BreakableProxy;
  readonly #close: () => Promise<void>;
  /** While it is set, bodies of what has `part` in its path stop half way through their first large piece. */
  #stalled: {
    part: string;
    reached: PromiseWithResolvers<void>;
    release: PromiseWithResolvers<void>;
  } | null = null;

  private constructor(way: BreakableProxy, close: () => Promise<void>) {
    this.url = way.url;
    this.#way = way;
    this.#close = close;
  }

  /** The sample exams, without credentials. */
  static async open(): Promise<HospitalArchive> {
    const store = await mkdtemp(join(tmpdir(), "examkey-archive-"));
    const { url, authorization, close } = await startEmbeddedArchive({ folders: SAMPLE_FOLDERS, store });
    const door = createServer((asked, answer) => {
      const { port } = new URL(url);
      const headers = { ...asked.headers, authorization };
      const inner = request({ port, path: asked.url, method: asked.method, headers }, (found) =>
        opened.#pass(asked, found, answer),
      );
      inner.on("error", () => answer.destroy());
      answer.on("close", () => inner.destroy());
      asked.pipe(inner);
    });
    await once(door.listen(0, "127.0.0.1"), "listening");
    const address = door.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const way = await BreakableProxy.to(`http://127.0.0.1:${port}/dicom-web`);
    const opened = new HospitalArchive(way, async () => {
      door.closeAllConnections();
      door.close();
      await close();
      await rm(store, { recursive: true, force: true });
    });
    return opened;
  }

  /** Refuse every connection, those that are open included. */
  break(): void {
    this.#way.break();
  }

  /** Take connections and never answer. */
  hang(): void {
    this.#way.hang();
  }

  /** From now on, bodies stop half way: those of frames, or of what has `part` in its path. Resolves once one has. */
  stall(part = "/frames/"): Promise<void> {
    const [reached, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    this.#stalled = { part, reached, release };
    return reached.promise;
  }

  /** Let what had stopped go on. */
  resume(): void {
    this.#stalled?.release.resolve();
    this.#stalled = null;
  }

  /** Serve again, over new connections. */
  mend(): void {
    this.resume();
    this.#way.mend();
  }

  async close(): Promise<void> {
    this.mend();
    await this.#way.close();
    await this.#close();
  }

  async #pass(asked: IncomingMessage, found: IncomingMessage, answer: ServerResponse): Promise<void> {
    answer.writeHead(found.statusCode ?? 502, found.headers);
    try {
      for await (const chunk of found) {
        // The head of a part comes by itself, and is nothing that a reader would be sent yet.
        const stalled = asked.url?.includes(this.#stalled?.part ?? "\n") && chunk.length > 1_000;
        if (!stalled) answer.write(chunk);
        else {
          answer.write(chunk.subarray(0, chunk.length >> 1));
          this.#stalled?.reached.resolve();
          await this.#stalled?.release.promise;
          answer.write(chunk.subarray(chunk.length >> 1));
        }
      }
      answer.end();
    } catch {
      answer.destroy();
    }
  }
}
