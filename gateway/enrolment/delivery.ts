/**
 * Brings the ledger to what one row of the outbox wants, a step at a time: look, and send where that is needed.
 *
 * Every step may be the last before this process is killed. The next one, here or in another gateway, asks the ledger
 * first, and sends under the nonce that was set aside: of all transactions with one nonce, one is mined.
 */
import { and, eq } from "drizzle-orm";
import type { Hex } from "../../protocol/hash.ts";
import type { Sender, Sending } from "../chain/sender.ts";
import { isGivenUp, isStuck, raiseFees, TransactionFailed } from "../chain/transactions.ts";
import type { Database } from "../database/database.ts";
import { exams } from "../database/schema.ts";
import type { ExamDirectory } from "../exams/directory.ts";
import { isLive } from "../exams/live.ts";
import { backoff } from "../operations/backoff.ts";
import {
  finish,
  lookAgain,
  markFailed,
  markSent,
  markThere,
  type OutboxRow,
  offerFees,
  putInFlight,
  releaseNonce,
  reserveNonce,
} from "./outbox.ts";
import type { Act, LedgerPointer, Pointers } from "./pointers.ts";

export type DeliveryContext = {
  database: Database;
  /** The operator's key. */
  sender: Sender;
  pointers: Pointers;
  directory: ExamDirectory;
  /** Blocks on top of a transaction before the outbox forgets it. */
  confirmations: number;
  /** Milliseconds between looks at a transaction that is not mined. */
  pace: number;
  /** Milliseconds after which one is offered a higher fee; twice as long each further time. */
  resendAfter: number;
};

type ExamRow = typeof exams.$inferSelect;
/** A row's exam, and what the ledger has of it at a block. */
type Look = { row: OutboxRow; exam: ExamRow; head: number; now: LedgerPointer };

/** Milliseconds: the longest pause before what the chain refused is tried again. */
const LONGEST_PAUSE = 10 * 60_000;

export class Delivery {
  readonly #context: DeliveryContext;
  /** The head at which a transaction was last looked at and not mined: nothing is new until there is another. */
  #unmined: { examId: Hex; head: number } | null = null;

  constructor(context: DeliveryContext) {
    this.#context = context;
  }

  /**
   * One step. What the chain refuses is written into the row.
   * @returns why it was refused, where it was
   * @throws {Problem} `chain-unavailable`
   */
  async step(row: OutboxRow): Promise<string | null> {
    const { database, sender, pointers } = this.#context;
    const [exam] = await database.select().from(exams).where(eq(exams.examId, row.examId));
    if (!exam || exam.state === "erasing") return this.#drop(row);
    const head = await pointers.headNumber();
    if (this.#isUnchanged(row, head)) return this.#wait(row);
    try {
      const look = { row, exam, head, now: await pointers.at(row.examId, head) };
      if (isAsWanted(look.now, exam)) return await this.#settle(look);
      if (row.nonce === null) return await this.#sendNew(look);
      if (row.sender !== sender.address) return await this.#takeOver(row);
      if ((await sender.mined(head)) > row.nonce) return await this.#useUp(row);
      return await this.#sendAgain(look, row.nonce);
    } catch (error) {
      if (!(error instanceof TransactionFailed)) throw error;
      return this.#fail(row, error.message);
    }
  }

  #isUnchanged(row: OutboxRow, head: number): boolean {
    if (this.#unmined?.examId !== row.examId || this.#unmined.head !== head) return false;
    return row.inFlight && !isStuck(row, this.#context.resendAfter);
  }

  /** The head has it: say so, and forget it once a reorganisation can no longer take it back. */
  async #settle({ row, exam, head, now }: Look): Promise<null> {
    const { database, pointers, directory, confirmations, pace } = this.#context;
    const state = now.state === "retired" ? "retired" : "registered";
    if (exam.state !== state) {
      await database
        .update(exams)
        .set({ state })
        .where(and(eq(exams.examId, exam.examId), isLive));
      directory.forget();
    }
    const isFinal =
      confirmations === 0 ||
      isAsWanted(await pointers.at(row.examId, Math.max(0, head - confirmations)), exam);
    await (isFinal ? finish(database, row) : markThere(database, row, Date.now() + pace));
    return null;
  }

  async #sendNew(look: Look): Promise<null> {
    const { database, sender, pointers } = this.#context;
    const call = pointers.call(actOn(look.now), look.exam);
    const terms = { gas: await sender.gasFor(call), fees: await sender.suggestedFees() };
    return sender.withNextNonce(async (nonce) => {
      const reserved = { sender: sender.address, nonce, fees: terms.fees };
      const isReserved = await reserveNonce(database, look.row, reserved);
      if (!isReserved) return this.#wait(look.row);
      return this.#send({ ...look.row, nonce, sendings: 0 }, { ...call, ...terms, nonce });
    });
  }

  /** It is not mined: not sent yet, lost, too cheap, or taken back by a reorganisation. */
  async #sendAgain({ row, exam, head, now }: Look, nonce: number): Promise<null> {
    const { database, sender, pointers, resendAfter } = this.#context;
    if (row.inFlight && row.sentAt !== null && !isStuck(row, resendAfter)) {
      this.#unmined = { examId: row.examId, head };
      return this.#wait(row);
    }
    if (!row.inFlight && !(await putInFlight(database, row))) return this.#wait(row);
    const call = pointers.call(actOn(now), exam);
    const gas = await sender.gasFor(call).catch(async (error) => {
      // No node has it: the nonce is free for another.
      if (error instanceof TransactionFailed && row.sentAt === null) await releaseNonce(database, row);
      throw error;
    });
    const offered = { maxFee: row.maxFee ?? 0n, priorityFee: row.priorityFee ?? 0n };
    const isRaised = row.inFlight && row.sentAt !== null;
    const fees = isRaised ? raiseFees(offered, await sender.suggestedFees()) : offered;
    await offerFees(database, row, fees);
    return this.#send(row, { ...call, nonce, gas, fees });
  }

  async #send(row: OutboxRow, sending: Sending): Promise<null> {
    const { database, sender } = this.#context;
    this.#unmined = null;
    await sender.send(await sender.sign(sending));
    await markSent(database, row);
    return null;
  }

  /** Its nonce was mined, and the ledger is not as wanted: it reverted, was replaced, or something else is wanted now. */
  async #useUp(row: OutboxRow): Promise<string> {
    await releaseNonce(this.#context.database, row);
    return this.#fail(row, "A transaction was mined without the wanted effect.");
  }

  /** Another operator's key has it in flight. */
  async #takeOver(row: OutboxRow): Promise<null> {
    if (isGivenUp(row)) await releaseNonce(this.#context.database, row);
    return this.#wait(row);
  }

  /** Nothing is wanted of an exam any more that is erased. */
  async #drop(row: OutboxRow): Promise<null> {
    await finish(this.#context.database, row);
    return null;
  }

  async #fail(row: OutboxRow, why: string): Promise<string> {
    await markFailed(this.#context.database, row, {
      why,
      dueAt: Date.now() + backoff(row.failures, LONGEST_PAUSE),
    });
    return why;
  }

  async #wait(row: OutboxRow): Promise<null> {
    await lookAgain(this.#context.database, row, Date.now() + this.#context.pace);
    return null;
  }
}

/** A tombstone is final: nothing more can be wanted of it. */
function isAsWanted({ state, manifestRoot }: LedgerPointer, wanted: ExamRow): boolean {
  return state === "retired" || (state === "registered" && manifestRoot === wanted.manifestRoot);
}

function actOn({ state }: LedgerPointer): Act {
  return state === "absent" ? "register" : "amend";
}
