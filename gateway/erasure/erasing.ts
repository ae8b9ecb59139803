/**
 * Exams that are being erased: from the moment that one is marked, it opens for nobody, and what is open of it is cut, at
 * every gateway over the database.
 */
import { eq } from "drizzle-orm";
import type { FastifyBaseLogger } from "fastify";
import type { Hex } from "../../protocol/hash.ts";
import type { Database } from "../database/database.ts";
import { exams } from "../database/schema.ts";
import { LastingFault } from "../operations/lastingFault.ts";
import { Rounds } from "../operations/rounds.ts";

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
  readonly #silence: LastingFault;
  readonly #rounds = new Rounds(() => this.#lookAgain());

  constructor(database: Database, log: FastifyBaseLogger) {
    this.#database = database;
    this.#log = log;
    this.#silence = new LastingFault(log, {
      level: "warn",
      comes: "Exams that are erased cannot be read",
      goes: "Exams that are erased are read again",
    });
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
    this.#rounds.startIn(PROPAGATION);
  }

  close(): Promise<void> {
    return this.#rounds.close();
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

  /** A database that is silent opens nothing either. */
  async #lookAgain(): Promise<number> {
    try {
      await this.look();
      this.#silence.gone();
    } catch (error) {
      this.#silence.met(error);
    }
    return PROPAGATION;
  }
}
