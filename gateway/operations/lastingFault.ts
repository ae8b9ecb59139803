/** A fault that lasts is told once when it comes and once when it goes, not at each attempt. */
import type { FastifyBaseLogger } from "fastify";
import { backoff } from "./backoff.ts";
import { faultOf } from "./log.ts";

/** The log's lines about it. */
type Lines = { level: "warn" | "error"; comes: string; goes: string };

/** Milliseconds: the longest pause before another attempt. */
const LONGEST_PAUSE = 30_000;

export class LastingFault {
  readonly #log: FastifyBaseLogger;
  readonly #lines: Lines;
  #count = 0;

  constructor(log: FastifyBaseLogger, lines: Lines) {
    this.#log = log;
    this.#lines = lines;
  }

  /** How often in a row it was met; 0 where there is none. */
  get count(): number {
    return this.#count;
  }

  /** Milliseconds to wait before what is not there is asked again: longer each time. */
  get pause(): number {
    return backoff(this.#count - 1, LONGEST_PAUSE);
  }

  met(error: unknown): void {
    const { level, comes } = this.#lines;
    if (this.#count === 0) this.#log[level]({ fault: faultOf(error) }, comes);
    this.#count += 1;
  }

  gone(): void {
    if (this.#count > 0) this.#log.info(this.#lines.goes);
    this.#count = 0;
  }
}
