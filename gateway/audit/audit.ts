/**
 * The audit: every decision, in the database before the first byte that it allows, with a signed receipt of it.
 *
 * Decisions that arrive within two milliseconds are committed together. Their sequence numbers come from a counter
 * that is locked within the same transaction: without gaps, since a database's own sequences leave them at rollback.
 * The operator signs the root over them once: a signature takes longer than all else that a receipt needs.
 */
import type { Receipt } from "../../protocol/receipt.ts";
import type { Database } from "../database/database.ts";
import { Problem } from "../problem.ts";
import { EnvelopeKeys } from "./envelopeKeys.ts";
import { type Signer, writeNext } from "./log.ts";
import { type Decision, sealAll } from "./sealing.ts";

/** A decision to record; the audit adds number and time. */
export type DecisionRecord = Omit<Decision, "decidedAt">;

/** Milliseconds that a decision may wait for others to share its commit. */
const GROUP_WINDOW = 2;

/** Decisions in one commit. */
const LARGEST_GROUP = 500;

type Waiting = {
  decision: Decision;
  resolve(receipt: Receipt): void;
  reject(problem: Problem): void;
};

export class Audit {
  readonly #database: Database;
  readonly #keys: EnvelopeKeys;
  readonly #signer: Signer;
  #waiting: Waiting[] = [];
  #committing: Promise<void> | null = null;

  constructor(database: Database, signer: Signer) {
    this.#database = database;
    this.#keys = new EnvelopeKeys(database);
    this.#signer = signer;
  }

  /**
   * Resolves with its receipt once the decision is durable.
   * @throws {Problem} `database-unavailable`: nothing may be delivered then
   */
  record(decision: DecisionRecord): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ decision: { ...decision, decidedAt: Date.now() }, resolve, reject });
      this.#committing ??= this.#commitAll();
    });
  }

  /** Wait for what is being committed. */
  async close(): Promise<void> {
    await this.#committing;
  }

  async #commitAll(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, GROUP_WINDOW));
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, LARGEST_GROUP);
      try {
        const receipts = await this.#commit(group.map(({ decision }) => decision));
        for (const [index, { resolve }] of group.entries()) resolve(receipts[index] as Receipt);
      } catch (cause) {
        for (const { reject } of group) reject(new Problem("database-unavailable", undefined, { cause }));
      }
    }
    this.#committing = null;
  }

  /** Sealed before the counter is locked, so that other gateways wait no longer than they must. */
  async #commit(decisions: Decision[]): Promise<Receipt[]> {
    const sealed = await sealAll(this.#keys, decisions);
    return this.#database.transaction((tx) => writeNext(tx, sealed, this.#signer));
  }
}
