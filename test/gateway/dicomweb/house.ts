/** The DICOMweb routes over a real archive, with a wiretap between them, and files stored. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Fastify from "fastify";
import { expect } from "vitest";
import { ArchiveClient } from "../../../gateway/archive/client.ts";
import { startEmbeddedArchive } from "../../../gateway/archive/embedded/server.ts";
import { FrameCache } from "../../../gateway/archive/frameCache.ts";
import { MetadataCache } from "../../../gateway/archive/metadataCache.ts";
import { registerDicomwebRoutes } from "../../../gateway/dicomweb/routes.ts";
import { Problem, sendProblem, toProblem } from "../../../gateway/problem.ts";
import { startOrthanc } from "../../orthanc.ts";
import { TestGate, TOKEN } from "./gate.ts";
import { startWiretap, type Wiretap } from "./wiretap.ts";

/** An archive that was started for a test, empty. */
interface Archive {
  url: string;
  authorization: string;
  /** Everything about the archive that no caller may ever read. */
  secrets: string[];
  close(): Promise<void>;
}

export async function embeddedArchive(): Promise<Archive> {
  const store = await mkdtemp(join(tmpdir(), "examkey-store-"));
  const { url, authorization, close } = await startEmbeddedArchive({ folders: [], store });
  const secrets = [authorization.replace("Bearer ", ""), store];
  return { url, authorization, secrets, close: () => close().then(() => rm(store, { recursive: true })) };
}

export async function orthancArchive(): Promise<Archive> {
  const { url, authorization, password, close } = await startOrthanc();
  return { url, authorization, secrets: [authorization.replace("Basic ", ""), password], close };
}

/** One answer, read to its end. */
export interface Answer {
  status: number;
  headers: Headers;
  bytes: Buffer;
  /** The body as JSON. */
  json(): unknown;
}

export interface House {
  gate: TestGate;
  wiretap: Wiretap;
  /** The DICOMweb root. */
  root: string;
  /** Ask the gateway, and check that nothing of the archive's own is in the answer. */
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** The same by HEAD. */
  head(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** The same with a path that no URL parser has touched. */
  raw(path: string, method?: string): Promise<{ status: number; body: string; allow: string | undefined }>;
  /** Requests whose caller went away before the end, as the gateway noticed. */
  abandoned(): number;
  close(): Promise<void>;
}

export async function openHouse(
  start: () => Promise<Archive>,
  files: Iterable<Uint8Array>,
  frameCache = new FrameCache(0),
  metadataCache = new MetadataCache(),
): Promise<House> {
  const archive = await start();
  const direct = new ArchiveClient(archive);
  for (const file of files) {
    const { failed } = await direct.store([file]);
    expect(failed).toEqual([]);
  }
  await direct.close();
  const wiretap = await startWiretap(archive.url);
  const client = new ArchiveClient({ url: wiretap.url, authorization: archive.authorization });
  const gate = new TestGate();
  const app = Fastify({
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 16_384 },
    frameworkErrors: (error, _request, reply) => void sendProblem(reply, toProblem(error)),
  });
  app.setErrorHandler((error, _request, reply) => sendProblem(reply, toProblem(error)));
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, new Problem("not-found")));
  let origin = "";
  let abandoned = 0;
  app.addHook("onRequestAbort", async (_request) => {
    abandoned += 1;
  });
  registerDicomwebRoutes(app, { gate, archive: client, frameCache, metadataCache, urlFor: () => origin });
  origin = await app.listen({ host: "127.0.0.1", port: 0 });
  const secrets = [...archive.secrets, new URL(archive.url).host, new URL(wiretap.url).host];
  const ask = async (method: "GET" | "HEAD", path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${origin}/dicomweb${path}`, {
      method,
      headers: { authorization: TOKEN, ...headers },
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    const everything = `${JSON.stringify([...response.headers])}${bytes.toString("latin1")}`;
    for (const secret of secrets) expect(everything.includes(secret), `leaks ${secret}`).toBe(false);
    const json = () => JSON.parse(bytes.toString("utf8"));
    return { status: response.status, headers: response.headers, bytes, json };
  };
  return {
    gate,
    wiretap,
    root: `${origin}/dicomweb`,
    get: (path, headers) => ask("GET", path, headers),
    head: (path, headers) => ask("HEAD", path, headers),
    abandoned: () => abandoned,
    raw: (path, method = "GET") => rawRequest(origin, path, method),
    async close() {
      await app.close();
      await client.close();
      await wiretap.close();
      await archive.close();
    },
  };
}

function rawRequest(origin: string, path: string, method: string) {
  const { hostname, port } = new URL(origin);
  return new Promise<{ status: number; body: string; allow: string | undefined }>((resolve, reject) => {
    const sent = request(
      { hostname, port, path, method, headers: { authorization: TOKEN } },
      async (answer) => {
        const chunks: Buffer[] = [];
        for await (const chunk of answer) chunks.push(chunk);
        const body = Buffer.concat(chunks).toString("latin1");
        resolve({ status: answer.statusCode ?? 0, body, allow: answer.headers.allow });
      },
    );
    sent.on("error", reject);
    sent.end();
  });
}

/** A file with UIDs replaced by others of the same length. */
export async function restamped(path: string, replace: ReadonlyArray<[string, string]>): Promise<Buffer> {
  let text = (await readFile(path)).toString("latin1");
  for (const [from, to] of replace) {
    expect(from.length).toBe(to.length);
    text = text.replaceAll(from, to);
  }
  return Buffer.from(text, "latin1");
}
