/** Decides by asking the ledger, at the head's time and at the wall clock. */
import type { Hex } from "../../protocol/hash.ts";
import type { Chain } from "../chain/chain.ts";
import type { Block } from "../chain/provider.ts";
import type { Database } from "../database/database.ts";
import { isHeld, isRevokeAllHeld } from "./heldRevokes.ts";
import {
  type Answer,
  decodeCheck,
  decodeGuardianUntil,
  decodeIsGuardian,
  decodeIsOpen,
  decodeOwner,
  type EmergencyQuestion,
  type ExamPointer,
  encodeCheck,
  encodeGuardianOf,
  encodeIsGuardian,
  encodeIsOpen,
  encodePointerOf,
  type Guardianship,
  type Question,
} from "./question.ts";
import { isQueuedAgainst, isRevokeAllQueued } from "./queuedRevokes.ts";
import { changedBlocks } from "./recentChanges.ts";

export type DeciderOptions = {
  ledger: Hex;
  /** Null where no emergency opens anything. */
  emergencyAccess: Hex | null;
  /** Blocks that a grant must have on top of it before it permits. */
  confirmations: number;
};

/** The moment of a decision: a block, and every clock that must agree, in seconds since 1970-01-01 UTC. */
export type Moment = { head: Block; clocks: readonly number[] };

export class Decider {
  readonly #chain: Chain;
  readonly #database: Database;
  readonly #options: DeciderOptions;

  constructor(chain: Chain, database: Database, options: DeciderOptions) {
    this.#chain = chain;
    this.#database = database;
    this.#options = options;
  }

  /** Whether a grant may come into force by further blocks alone, without an event. */
  get waitsForConfirmations(): boolean {
    return this.#options.confirmations > 0;
  }

  /** Now, at the head. @throws {Problem} `chain-unavailable`, `chain-stale` */
  async now(): Promise<Moment> {
    const head = await this.#chain.head();
    return { head, clocks: [...new Set([head.timestamp, Math.floor(Date.now() / 1000)])] };
  }

  /**
   * Permitted only if every clock, and every block that counts, permits; the first denial is the reason.
   * @throws {Problem} `chain-unavailable`
   */
  async ask(question: Question, { head, clocks }: Moment): Promise<Answer> {
    const asked = clocks.map((at) => this.#check(question, head, at));
    if (this.waitsForConfirmations) asked.push(...(await this.#checkConfirmed(question, head, clocks)));
    const answers = await Promise.all(asked);
    const denial = answers.find(({ reason }) => reason !== "permitted");
    if (denial) return denial;
    if (await this.#isShutOut(question, head)) return { reason: "revoked", validUntil: 0 };
    return { reason: "permitted", validUntil: Math.min(...answers.map((answer) => answer.validUntil)) };
  }

  /**
   * Whether an exam belongs to somebody else now than to the patient whom it was registered for.
   * @throws {Problem} `chain-unavailable`
   */
  async wasHandedOver({ examId, patient }: ExamPointer, { head }: Moment): Promise<boolean> {
    const answer = await this.#chain.call(this.#options.ledger, encodePointerOf(examId), head);
    const owner = decodeOwner(answer);
    return owner !== null && owner !== patient;
  }

  /**
   * Whether somebody acts for a patient now: every block that counts says so, no clock is past their end, and no
   * `revokeAll` is held or waits.
   * @throws {Problem} `chain-unavailable`
   */
  async isGuardian(guardianship: Guardianship, { head, clocks }: Moment): Promise<boolean> {
    const { ledger } = this.#options;
    const blocks = this.waitsForConfirmations ? [head, this.#confirmed(head)] : [head];
    for (const block of blocks) {
      const answer = await this.#chain.call(ledger, encodeIsGuardian(guardianship), block);
      if (!decodeIsGuardian(answer)) return false;
    }
    const kept = await this.#chain.call(ledger, encodeGuardianOf(guardianship), head);
    const until = decodeGuardianUntil(kept);
    if (clocks.some((clock) => clock >= until)) return false;
    const { patient } = guardianship;
    if (await isRevokeAllQueued(this.#database, patient, head)) return false;
    return !(await isRevokeAllHeld(this.#database, patient));
  }

  /** Whether a revoke denies that the head does not have: it waits in the queue, or was reorganised away. */
  async #isShutOut(question: Question, head: Block): Promise<boolean> {
    const asked = [isHeld(this.#database, question), isQueuedAgainst(this.#database, question, head)];
    return (await Promise.all(asked)).includes(true);
  }

  /**
   * Whether a reader's emergency is open at every clock, and was at the block that has its confirmations: each name is
   * opened once, so nothing can have come between.
   * @throws {Problem} `chain-unavailable`
   */
  async isEmergencyOpen(emergency: EmergencyQuestion, { head, clocks }: Moment): Promise<boolean> {
    const { emergencyAccess } = this.#options;
    if (emergencyAccess === null) return false;
    const isOpen = async (block: Block | { number: number }, at: number) =>
      decodeIsOpen(await this.#chain.call(emergencyAccess, encodeIsOpen(emergency, at), block));
    const asked = clocks.map((at) => isOpen(head, at));
    if (this.waitsForConfirmations) asked.push(isOpen(this.#confirmed(head), Math.max(...clocks)));
    return (await Promise.all(asked)).every(Boolean);
  }

  /**
   * Asked at the block that has its confirmations, and at each since in which the answer may have been another: what was
   * granted, revoked and granted again within them rests on the last grant, which has to wait.
   */
  async #checkConfirmed(
    question: Question,
    head: Block,
    clocks: readonly number[],
  ): Promise<Promise<Answer>[]> {
    const confirmed = this.#confirmed(head);
    const since = await changedBlocks(this.#database, question, confirmed.number);
    const blocks = [
      confirmed,
      ...since.filter((number) => number < head.number).map((number) => ({ number })),
    ];
    return blocks.map((block) => this.#check(question, block, Math.max(...clocks)));
  }

  /** The last block that a grant must be in to permit. */
  #confirmed(head: Block): { number: number } {
    return { number: Math.max(0, head.number - this.#options.confirmations) };
  }

  async #check(question: Question, block: Block | { number: number }, at: number): Promise<Answer> {
    return decodeCheck(await this.#chain.call(this.#options.ledger, encodeCheck(question, at), block));
  }
}
