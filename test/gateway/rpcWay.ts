/** A way to an EVM node that hears every call, and may refuse some or answer them otherwise. */
import { once } from "node:events";
import { createServer } from "node:http";
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

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.close = close;
  }

  static async to(node: string): Promise<RpcWay> {
    const server = createServer(async (request, response) => {
      const body = (await json(request)) as Call | Call[];
      const answers = await way.#answer(node, [body].flat());
      const text = JSON.stringify(Array.isArray(body) ? answers : answers[0]);
      response.setHeader("content-type", "application/json").end(text);
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

  /** Be honest again. */
  mend(): void {
    this.refuses = () => false;
    this.bend = (_call, result) => result;
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
