/**
 * How much one caller may ask for: by address when signed in, else by IP (IPv6 by its /64).
 *
 * What is permitted is not counted, so that a viewer may scroll as fast as it can; what is refused is, and whoever was
 * refused too often is refused everything for the rest of the minute, before any work is done. Counted by each gateway
 * for itself.
 */
import rateLimit, { normalizeIP } from "@fastify/rate-limit";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Hex } from "../../protocol/hash.ts";
import { Problem } from "../problem.ts";

/** Milliseconds over which is counted. */
const WINDOW = 60_000;

/** Callers remembered; of more, those who came first are forgotten. */
const CALLERS = 50_000;

/** Streams that one gateway serves at a time, whoever asks. */
export const MOST_STREAMS = 5_000;

export type LimitOptions = {
  /** Requests to sign in, renew or change tokens, a minute. */
  signIns: number;
  /** Requests that were refused (4xx), a minute. */
  refusals: number;
  /** Watch streams at a time. */
  streams: number;
};

type Limiter = ReturnType<FastifyInstance["createRateLimit"]>;

export class Limits {
  readonly #options: LimitOptions;
  readonly #callers = new WeakMap<FastifyRequest, Hex>();
  readonly #streams = new Map<string, number>();
  #streamCount = 0;
  #signIns: Limiter | null = null;
  #refusals: Limiter | null = null;

  constructor(options: LimitOptions) {
    this.#options = options;
  }

  /** Count what a server refuses. Before its routes are registered. */
  async watch(app: FastifyInstance): Promise<void> {
    const keyGenerator = (request: FastifyRequest) => this.#keyOf(request);
    await app.register(rateLimit, { global: false, cache: CALLERS, timeWindow: WINDOW, keyGenerator });
    this.#signIns = app.createRateLimit({ max: this.#options.signIns });
    this.#refusals = app.createRateLimit({ max: this.#options.refusals });
    app.addHook("onResponse", async (request, reply) => this.#countRefusal(request, reply));
  }

  /** From now on the request is this caller's, not its IP's. @throws {Problem} `too-many-requests` */
  async recognise(request: FastifyRequest, address: Hex): Promise<void> {
    this.#callers.set(request, address);
    await this.requireFewRefusals(request);
  }

  /** @throws {Problem} `too-many-requests` */
  async requireFewRefusals(request: FastifyRequest): Promise<void> {
    const found = await this.#refusals?.(request, { increment: false });
    if (found && !found.isAllowed && found.remaining === 0) throw tooMany(found.ttlInSeconds);
  }

  /** Count a request about tokens. @throws {Problem} `too-many-requests` */
  async countSignIn(request: FastifyRequest): Promise<void> {
    const found = await this.#signIns?.(request);
    if (found && !found.isAllowed && found.isExceeded) throw tooMany(found.ttlInSeconds);
  }

  get streamCount(): number {
    return this.#streamCount;
  }

  /** Take a place for a stream; give it back by what is returned. @throws {Problem} `too-many-requests` */
  takeStream(request: FastifyRequest): () => void {
    const key = this.#keyOf(request);
    const own = this.#streams.get(key) ?? 0;
    if (own >= this.#options.streams || this.#streamCount >= MOST_STREAMS) throw tooMany(10);
    this.#streams.set(key, own + 1);
    this.#streamCount += 1;
    return () => {
      const left = (this.#streams.get(key) ?? 1) - 1;
      if (left === 0) this.#streams.delete(key);
      else this.#streams.set(key, left);
      this.#streamCount -= 1;
    };
  }

  async #countRefusal(request: FastifyRequest, { statusCode }: FastifyReply): Promise<void> {
    // To be told to wait counts for nothing: whoever asks on would never be let in again.
    if (statusCode >= 400 && statusCode < 500 && statusCode !== 429) await this.#refusals?.(request);
  }

  #keyOf(request: FastifyRequest): string {
    return this.#callers.get(request) ?? normalizeIP(request.ip);
  }
}

function tooMany(retryAfter: number): Problem {
  return new Problem("too-many-requests", undefined, { retryAfter });
}
