/**
 * Exams that are being erased: from the moment that one is marked, it opens for nobody, and what is open of it is cut, at
 * every gateway over the database.
 */
import { eq } from "drizzle-orm";
import type { FastifyBaseLogger } from "fastify";
import type { Hex } from "../../protocol/hash.ts";
import type { Database } from "../database/database.ts";
import { exams } from "../database/schema.ts";
import { faultOf } from "../operations/log.ts";

/** Milliseconds between two looks at what other gateways were told. */
const PROPAGATION = 1_000;

/** Told of exams that closed since it was last told. */
export type ClosedListener = (closed: { examId: Hex }[]) => void;

export class ErasingExams {
  readonly #database: Database;
  readonly #log: FastifyBaseLogger;
  readonly #onClosed: ClosedListener[] = [];
  /** Those that were ever seen here: a closed exam opens no more, whether or not its row is still there. */
  readonly #closed = new Set<Hex>();
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> = Promise.resolve();
  #isSilent = false;
  #isEnded = false;

  constructor(database: Database, log: FastifyBaseLogger) {
    this.#database = database;
    this.#log = log;
  }

  onClosed(listener: ClosedListener): void {
    this.#onClosed.push(listener);
  }

  isClosed(examId: Hex): boolean {
    return this.#closed.has(examId);
  }

  /** Look now, and from now on at a steady pace. */
  async start(): Promise<void> {
    await this.look();
    if (this.#closed.size > 0)
      this.#log.warn("An erasure was begun and is not whole: `npm run erase` goes on");
    const next = () => {
      if (this.#isEnded) return;
      this.#timer = setTimeout(() => {
        this.#looking = this.#lookAgain().finally(next);
      }, PROPAGATION);
    };
    next();
  }

  async close(): Promise<void> {
    this.#isEnded = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#looking;
  }

  /** Learn of exams that were marked, and close them here. */
  async look(): Promise<void> {
    const marked = await this.#database
      .select({ examId: exams.examId })
      .from(exams)
      .where(eq(exams.state, "erasing"));
    const closed = marked.filter(({ examId }) => !this.#closed.has(examId));
    if (closed.length === 0) return;
    for (const { examId } of closed) this.#closed.add(examId);
    for (const listener of this.#onClosed) listener(closed);
  }

  /** A database that is silent is said once: without it, nothing can be opened either. */
  async #lookAgain(): Promise<void> {
    try {
      await this.look();
      this.#isSilent = false;
    } catch (error) {
      if (!this.#isSilent) this.#log.warn({ fault: faultOf(error) }, "Exams that are erased cannot be read");
      this.#isSilent = true;
    }
  }
}
