/** A way to a server that a test can break: connections then fail as they do where nothing listens. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export class BreakableProxy {
  readonly #target: URL;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((client) => this.#take(client));
  #mode: "open" | "broken" | "silent" = "open";

  private constructor(target: URL) {
    this.#target = target;
  }

  /** Listen on a free port, and pass connections on to where `target` points. */
  static async to(target: string): Promise<BreakableProxy> {
    const proxy = new BreakableProxy(new URL(target));
    await once(proxy.#server.listen(0, "127.0.0.1"), "listening");
    return proxy;
  }

  /** The target's URL, by way of this proxy. */
  get url(): string {
    const url = new URL(this.#target);
    const address = this.#server.address();
    url.port = String(typeof address === "object" && address ? address.port : 0);
    return url.href.replace(/\/$/, "");
  }

  /** Let everything through again. */
  mend(): void {
    this.#mode = "open";
    this.#drop();
  }

  /** Refuse every connection, those that are open included. */
  break(): void {
    this.#mode = "broken";
    this.#drop();
  }

  /** Take connections and never answer. */
  hang(): void {
    this.#mode = "silent";
    this.#drop();
  }

  async close(): Promise<void> {
    const closed = once(this.#server.close(), "close");
    this.#drop();
    await closed;
  }

  #take(client: Socket): void {
    this.#sockets.add(client);
    client.on("error", () => client.destroy());
    client.on("close", () => this.#sockets.delete(client));
    if (this.#mode === "broken") client.destroy();
    if (this.#mode !== "open") return;
    const upstream = connect(Number(this.#target.port), this.#target.hostname);
    upstream.on("error", () => client.destroy());
    upstream.on("close", () => client.destroy());
    client.on("close", () => upstream.destroy());
    client.pipe(upstream).pipe(client);
  }

  #drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
