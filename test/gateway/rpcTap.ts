/** A way to a chain that passes every call on, can break, and can keep the answers to one method to itself. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";

export class RpcTap {
  readonly #target: string;
  readonly #server: Server;
  readonly #held = new Set<ServerResponse>();
  #isBroken = false;
  #swallowed: string | null = null;
  #onSwallowed: () => void = () => undefined;

  private constructor(target: string) {
    this.#target = target;
    this.#server = createServer((request, response) => void this.#pass(request, response));
  }

  /** Listen on a free port, and pass calls on to where `target` points. */
  static async to(target: string): Promise<RpcTap> {
    const tap = new RpcTap(target);
    await once(tap.#server.listen(0, "127.0.0.1"), "listening");
    return tap;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
  }

  /** From now on, the chain gets calls of a method, and nobody gets its answer. Resolves once it had one. */
  swallow(method: string): Promise<void> {
    this.#swallowed = method;
    return new Promise((resolve) => {
      this.#onSwallowed = resolve;
    });
  }

  /** Answer nothing: connections end as they do where a node goes down. */
  break(): void {
    this.#isBroken = true;
  }

  /** Answer everything again. */
  answer(): void {
    this.#isBroken = false;
    this.#swallowed = null;
    for (const response of this.#held) response.destroy();
    this.#held.clear();
  }

  async close(): Promise<void> {
    this.answer();
    const closed = once(this.#server.close(), "close");
    this.#server.closeAllConnections();
    await closed;
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#isBroken) return void response.destroy();
    const body = await text(request);
    const headers = { "content-type": "application/json" };
    const answer = await fetch(this.#target, { method: "POST", headers, body }).then((reply) => reply.text());
    if (this.#swallowed !== null && body.includes(`"${this.#swallowed}"`)) {
      this.#held.add(response);
      this.#onSwallowed();
      return;
    }
    response.writeHead(200, headers).end(answer);
  }
}
