/** Works the outbox off: one row after the other, for as long as the gateway runs, with patience where the chain has none. */
import { setTimeout as delay } from "node:timers/promises";
import { and, count, eq, min } from "drizzle-orm";
import type { FastifyBaseLogger } from "fastify";
import type { Hex } from "../../protocol/hash.ts";
import { TransactionFailed } from "../chain/transactions.ts";
import type { Database } from "../database/database.ts";
import { exams, outbox } from "../database/schema.ts";
import { LastingFault } from "../operations/lastingFault.ts";
import { Rounds } from "../operations/rounds.ts";
import { Problem, toProblem } from "../problem.ts";
import { Delivery, type DeliveryContext } from "./delivery.ts";
import { lookAgain, type OutboxRow, putPendingInOutbox, takeDue } from "./outbox.ts";

/** Milliseconds between looks into an outbox where nothing is due: another gateway may have put something in. */
const IDLE = 1_000;
/** Milliseconds between looks of those who wait for an exam. */
const WATCH = 100;
/** Milliseconds that somebody who registers an exam waits for the ledger; it goes on without them. */
const PATIENCE = 60_000;

/** An exam that the ledger has yet to be brought to. */
export type Waiting = OutboxRow & Pick<typeof exams.$inferSelect, "studyInstanceUid" | "state">;

export class OutboxWorker {
  readonly #context: DeliveryContext;
  readonly #database: Database;
  readonly #delivery: Delivery;
  readonly #log: FastifyBaseLogger;
  readonly #rounds = new Rounds(() => this.#next());
  /** That the chain or the database is silent, and what it was the last time. */
  readonly #silence: LastingFault;
  #fault: Problem | null = null;

  constructor(context: DeliveryContext, log: FastifyBaseLogger) {
    this.#context = context;
    this.#database = context.database;
    this.#delivery = new Delivery(context);
    this.#log = log;
    this.#silence = new LastingFault(log, {
      level: "error",
      comes: "The outbox waits",
      goes: "The outbox goes on",
    });
  }

  /** Why nothing is sent at the moment; null where nothing hinders. */
  get fault(): Problem | null {
    return this.#fault;
  }

  /** Begin, with what was pending when the gateway went down. */
  async start(): Promise<void> {
    await putPendingInOutbox(this.#database);
    void this.#rounds.start();
  }

  /** End after the step under way. */
  close(): Promise<void> {
    return this.#rounds.close();
  }

  /** Something was put in: look at once. */
  kick(): void {
    this.#rounds.hurry();
  }

  /** What is waiting, the oldest first. */
  async waiting(): Promise<Waiting[]> {
    const rows = await this.#database
      .select()
      .from(outbox)
      .innerJoin(exams, eq(exams.examId, outbox.examId))
      .where(eq(outbox.there, false))
      .orderBy(outbox.since);
    return rows.map(({ outbox: row, exams: { studyInstanceUid, state } }) => ({
      ...row,
      studyInstanceUid,
      state,
    }));
  }

  /** Whether the ledger has yet to be brought to what is wanted of an exam. */
  async isWaiting(examId: Hex): Promise<boolean> {
    return (await this.#database.$count(outbox, and(eq(outbox.examId, examId), eq(outbox.there, false)))) > 0;
  }

  /**
   * Wait until the head has an exam as wanted. Where this throws, the outbox goes on by itself.
   * @throws {TransactionFailed} where the chain refused, or takes longer than a minute
   * @throws {Problem} `chain-unavailable`
   */
  async delivered(examId: Hex): Promise<void> {
    const silences = this.#silence.count;
    this.kick();
    for (const end = Date.now() + PATIENCE; Date.now() < end; await delay(WATCH)) {
      const [row] = await this.#database.select().from(outbox).where(eq(outbox.examId, examId));
      if (!row || row.there) return;
      if (row.why !== null) throw new TransactionFailed(`${row.why} It is kept, and tried again.`);
      if (this.#fault && this.#silence.count !== silences)
        throw new Problem(this.#fault.reason, `${this.#fault.detail} It is kept, and sent later.`);
    }
    throw new TransactionFailed("The transaction is sent and not mined yet. It is kept in sight.");
  }

  /** Wait until nothing waits that could go on, but no longer than `patience` milliseconds. */
  async worked(patience: number): Promise<void> {
    const open = and(eq(outbox.there, false), eq(outbox.failures, 0));
    for (const end = Date.now() + patience; Date.now() < end; await delay(WATCH)) {
      const [left] = await this.#database.select({ rows: count() }).from(outbox).where(open);
      if (this.#fault || left?.rows === 0) return;
    }
  }

  /** Do what is next. @returns milliseconds to wait before what comes then */
  async #next(): Promise<number> {
    let row: OutboxRow | null = null;
    try {
      row = await takeDue(this.#database, this.#context.sender.address);
      if (!row) return await this.#idle();
      const why = await this.#delivery.step(row);
      if (why !== null && why !== row.why)
        this.#log.warn("The ledger could not be brought to an exam; it is tried again");
      this.#note(null);
      return 0;
    } catch (error) {
      this.#note(toProblem(error));
      // The row is free again for whoever comes first.
      if (row) await lookAgain(this.#database, row, Date.now()).catch(() => undefined);
      return this.#silence.pause;
    }
  }

  /** Nothing is due: wait for what is due next, or for what another gateway puts in. */
  async #idle(): Promise<number> {
    if (this.#fault?.reason === "database-unavailable") this.#note(null);
    const [next] = await this.#database.select({ dueAt: min(outbox.dueAt) }).from(outbox);
    const wait = (next?.dueAt ?? Number.POSITIVE_INFINITY) - Date.now();
    return Math.min(Math.max(wait, this.#context.pace), IDLE);
  }

  #note(fault: Problem | null): void {
    if (fault) this.#silence.met(fault);
    else this.#silence.gone();
    this.#fault = fault;
  }
}
