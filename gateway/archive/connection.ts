/** HTTP to one archive: pooled, with every failure a problem. What was answered is not asked for again, whatever the answer. */
import type { IncomingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import { type Dispatcher, Pool } from "undici";
import { Problem } from "../problem.ts";
import { askAgain } from "./askAgain.ts";
import type { Kind } from "./content.ts";
import { MultipartError } from "./multipart.ts";
import { ContentReceiver, type Failures, type Whole, WholeReceiver } from "./receiver.ts";

/** Where an archive is, and what opens it. */
export interface ArchiveOptions {
  /** The DICOMweb root, with or without a trailing slash. */
  url: string;
  /** The whole `Authorization` header, such as `Basic …`; see {@link basicAuthorization}. */
  authorization?: string;
  /** How long to wait for a connection, for headers, and between chunks of a body, in milliseconds. */
  timeout?: number;
  /** Told of each request that failed by the archive's fault, also in the middle of a body. */
  onFailure?: () => void;
}

/** Options that every call takes. */
export interface CallOptions {
  signal?: AbortSignal;
}

/** One request. */
export interface Ask {
  headers: Record<string, string>;
  expected: readonly number[];
  options: CallOptions;
}

/** An answer whose status was expected. Its body must be read or dropped. */
export interface Answer {
  headers: IncomingHttpHeaders;
  body: AsyncIterable<Uint8Array>;
}

/** An answer in JSON, and its size in bytes. */
export type Json = { headers: IncomingHttpHeaders; json: unknown; size: number };

/** More than this in one whole answer is refused: it is one page of a search, or one instance's metadata. */
const MAX_WHOLE = 64 * 1024 * 1024;

/** A pool of connections to the archive, and the only place that knows its credentials. */
export class ArchiveConnection {
  readonly #root: URL;
  readonly #authorization: string | undefined;
  readonly #pool: Pool;
  /** The way to the pool. */
  readonly #asking: Dispatcher;
  readonly #onFailure: () => void;

  constructor({ url, authorization, timeout = 30_000, onFailure = () => undefined }: ArchiveOptions) {
    this.#onFailure = onFailure;
    this.#root = new URL(url.endsWith("/") ? url : `${url}/`);
    this.#authorization = authorization;
    this.#pool = new Pool(this.#root.origin, {
      connections: 64,
      connect: { timeout },
      headersTimeout: timeout,
      bodyTimeout: timeout,
      // Orthanc closes an idle connection after one second; stop using it a little before.
      keepAliveTimeoutThreshold: 300,
    });
    this.#asking = this.#pool.compose(askAgain);
  }

  /** The URL of everything. */
  get root(): URL {
    return new URL(this.#root);
  }

  /** Close all connections at once. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  /** Ask for a path below the root, with credentials. @throws {Problem} when the status is not one that is expected. */
  async request(path: string, ask: Ask): Promise<Answer> {
    const { expected, options } = ask;
    const response = await this.#asking
      .request({ ...this.#asked(path, ask), signal: options.signal ?? null })
      .catch((error: unknown) => {
        throw this.#noted(asProblem(error, options.signal));
      });
    if (expected.includes(response.statusCode)) {
      return {
        headers: response.headers,
        body: guarded(response.body, (error) => this.#noted(asProblem(error, options.signal))),
      };
    }
    await response.body.dump().catch(() => undefined);
    throw this.#noted(refusal(response.statusCode));
  }

  /**
   * As `request`, for one content, of which nothing comes before it is let flow.
   * @param kind where it is known otherwise than by the answer @throws {Problem}
   */
  async receive(path: string, ask: Ask, kind?: Kind): Promise<ContentReceiver> {
    const { signal } = ask.options;
    signal?.throwIfAborted();
    const receiver = new ContentReceiver(this.#failures(ask), signal, kind);
    this.#asking.dispatch({ ...this.#asked(path, ask), body: null }, receiver);
    await receiver.known;
    return receiver;
  }

  /** As `request`, for JSON; nothing at all is an empty list. @param body makes it a POST @throws {Problem} */
  async json(path: string, ask: Ask, body?: AsyncIterable<Uint8Array>): Promise<Json> {
    const answer = await this.whole(path, ask, body);
    return { headers: answer.headers, json: parseJson(answer.body), size: answer.body.length };
  }

  /** As `request`, for an answer that is not long. @param body makes it a POST @throws {Problem} */
  whole(path: string, ask: Ask, body?: AsyncIterable<Uint8Array>): Promise<Whole> {
    const { signal } = ask.options;
    signal?.throwIfAborted();
    const receiver = new WholeReceiver(this.#failures(ask), MAX_WHOLE, signal);
    const sent = body ? Readable.from(body) : null;
    this.#asking.dispatch(
      { ...this.#asked(path, ask), body: sent, ...(sent && { method: "POST" }) },
      receiver,
    );
    return receiver.answer;
  }

  #asked(path: string, { headers }: Pick<Ask, "headers">) {
    return {
      path: `${this.#root.pathname}${path}`,
      method: "GET" as const,
      headers: {
        ...headers,
        "accept-encoding": "identity",
        ...(this.#authorization && { authorization: this.#authorization }),
      },
    };
  }

  #failures({ expected, options: { signal } }: Ask): Failures {
    return {
      refusalOf: (status) => (expected.includes(status) ? null : (this.#noted(refusal(status)) as Problem)),
      problemOf: (error) => this.#noted(asProblem(error, signal)),
    };
  }

  #noted(problem: unknown): unknown {
    if (problem instanceof Problem && problem.reason === "archive-unavailable") this.#onFailure();
    return problem;
  }
}

/** The archive answered, but not with what was asked for. */
class ArchiveRefusal extends Error {
  override readonly name = "ArchiveRefusal";
  readonly status: number;

  constructor(status: number) {
    super(`the archive answered ${status}`);
    this.status = status;
  }
}

/** The status that the archive refused with, or undefined where the problem is another. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof Problem && error.cause instanceof ArchiveRefusal ? error.cause.status : undefined;
}

/** What the archive's status means to the gateway's caller. */
function refusal(status: number): Problem {
  const cause = new ArchiveRefusal(status);
  if (status === 404 || status === 410) return new Problem("not-found", undefined, { cause });
  if (status === 406) return new Problem("not-acceptable", undefined, { cause });
  if (status === 401 || status === 403) {
    return new Problem("archive-unavailable", "The archive does not let the gateway in.", { cause });
  }
  return new Problem("archive-unavailable", "The archive could not answer.", { cause });
}

/** A failure on the way. An abort keeps its own reason. */
function asProblem(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof Problem) return error;
  const detail = error instanceof MultipartError ? "The archive's answer broke off." : undefined;
  return new Problem("archive-unavailable", detail, { cause: error });
}

/** A body whose failures are problems. */
async function* guarded(body: AsyncIterable<Uint8Array>, problemOf: (error: unknown) => unknown) {
  try {
    yield* body;
  } catch (error) {
    throw problemOf(error);
  }
}

/** A body as JSON; an empty one is an empty list. */
function parseJson(body: Buffer): unknown {
  try {
    return body.length === 0 ? [] : JSON.parse(body.toString("utf8"));
  } catch (cause) {
    throw new Problem("archive-unavailable", "The archive's answer cannot be read.", { cause });
  }
}
