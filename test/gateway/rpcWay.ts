/** A way to an EVM node that hears every call, and may refuse some, answer them otherwise, or keep the answer to itself. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { json } from "node:stream/consumers";

export type Call = { id: number; method: string; params: [unknown, ...unknown[]] };

/** A block as a node answers with it: numbers in hexadecimal. */
export type RawBlock = { number: string; hash: string; parentHash: string; timestamp: string };

export class RpcWay {
  readonly url: string;
  /** Whether to answer with an error, as nodes do that have limits, or hiccups. */
  refuses: (call: Call) => boolean = () => false;
  /** What to answer instead. */
  bend: (call: Call, result: unknown) => unknown = (_call, result) => result;
  readonly close: () => Promise<void>;
  readonly #held = new Set<ServerResponse>();
  #isBroken = false;
  #swallowed: { method: string; heard: () => void } | null = null;

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.close = close;
  }

  static async to(node: string): Promise<RpcWay> {
    const server = createServer((request, response) => {
      way.#pass(node, request, response).catch(() => response.destroy());
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const address = server.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const way = new RpcWay(`http://127.0.0.1:${port}`, async () => {
      server.closeAllConnections();
      await once(server.close(), "close");
    });
    return way;
  }

  /** From now on, the node gets calls of a method, and nobody gets its answer. Resolves once it had one. */
  swallow(method: string): Promise<void> {
    return new Promise((heard) => {
      this.#swallowed = { method, heard };
    });
  }

  /** Answer nothing: connections end as they do where a node goes down. */
  break(): void {
    this.#isBroken = true;
  }

  /** Answer everything again, and honestly. */
  mend(): void {
    this.refuses = () => false;
    this.bend = (_call, result) => result;
    this.#isBroken = false;
    this.#swallowed = null;
    for (const response of this.#held) response.destroy();
    this.#held.clear();
  }

  async #pass(node: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#isBroken) return void response.destroy();
    const body = (await json(request)) as Call | Call[];
    const calls = [body].flat();
    const answers = await this.#answer(node, calls);
    const { method, heard } = this.#swallowed ?? {};
    if (heard && calls.some((call) => call.method === method)) {
      this.#held.add(response);
      return heard();
    }
    const text = JSON.stringify(Array.isArray(body) ? answers : answers[0]);
    response.setHeader("content-type", "application/json").end(text);
  }

  async #answer(node: string, calls: Call[]): Promise<object[]> {
    if (calls.some((call) => this.refuses(call))) {
      const error = { code: -32005, message: "limit exceeded" };
      return calls.map(({ id }) => ({ jsonrpc: "2.0", id, error }));
    }
    const answer = await fetch(node, { method: "POST", body: JSON.stringify(calls) });
    const given = (await answer.json()) as { id: number; result?: unknown }[];
    return given.map((each) => {
      const call = calls.find(({ id }) => id === each.id);
      return call && "result" in each ? { ...each, result: this.bend(call, each.result) } : each;
    });
  }
}

/** Whether a call asks for the head. */
export function asksForHead({ method, params }: Call): boolean {
  return method === "eth_getBlockByNumber" && params[0] === "latest";
}
