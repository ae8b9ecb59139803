/**
 * The audit: every decision, in the database before the first byte that it allows, with a signed receipt of it.
 *
 * Decisions are committed together: a commit begins when the first of them is wanted, and takes along all that were entered
 * until then. So whoever asks the archive meanwhile waits for no commit of their own. Their sequence numbers come from a
 * counter that is moved in the same statement: without gaps, since a database's own sequences leave them at rollback.
 * The operator signs the root over them once: a signature takes longer than all else that a receipt needs.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Receipt } from "../../protocol/receipt.ts";
import type { Database } from "../database/database.ts";
import { Problem } from "../problem.ts";
import { EnvelopeKeys } from "./envelopeKeys.ts";
import { type Signer, writeAfter, writeNext } from "./log.ts";
import { type Decision, sealAll } from "./sealing.ts";

/** A decision to record; the audit adds number and time. */
export type DecisionRecord = Omit<Decision, "decidedAt">;

/** A decision on its way into the database. */
export type Entry = {
  /**
   * Resolves with the receipt once the decision is durable. Rejects with `database-unavailable`: nothing may be delivered
   * then.
   */
  recorded: Promise<Receipt>;
  /** Commit now, since somebody waits for it. */
  hurry(): void;
};

/** Milliseconds that a decision may wait for others to share its commit, from when it was entered. */
const GROUP_WINDOW = 2;

/** Milliseconds after which a decision is committed that nobody wants: its caller went away, say. */
const LONGEST_WAIT = 50;

/** Decisions in one commit. */
const LARGEST_GROUP = 500;

type Waiting = {
  decision: Decision;
  /** On the monotonic clock. */
  since: number;
  isWanted: boolean;
  resolve(receipt: Receipt): void;
  reject(problem: Problem): void;
};

export class Audit {
  readonly #database: Database;
  readonly #keys: EnvelopeKeys;
  readonly #signer: Signer;
  #waiting: Waiting[] = [];
  #committing: Promise<void> | null = null;
  #late: NodeJS.Timeout | null = null;
  /** The last number, as far as is known: another gateway over this database may have gone on. */
  #last: number | null = null;

  constructor(database: Database, signer: Signer) {
    this.#database = database;
    this.#keys = new EnvelopeKeys(database);
    this.#signer = signer;
  }

  /** Enter a decision, which was made now. */
  enter(decision: DecisionRecord): Entry {
    const { promise: recorded, ...settle } = Promise.withResolvers<Receipt>();
    // Whoever does not wait for it is not told; whoever does, is.
    recorded.catch(() => undefined);
    const since = performance.now();
    const waiting = { decision: { ...decision, decidedAt: Date.now() }, since, isWanted: false, ...settle };
    this.#waiting.push(waiting);
    this.#late ??= setTimeout(() => this.#hurryAll(), LONGEST_WAIT);
    const hurry = () => {
      waiting.isWanted = true;
      this.#begin();
    };
    return { recorded, hurry };
  }

  /**
   * Resolves with its receipt once the decision is durable.
   * @throws {Problem} `database-unavailable`: nothing may be delivered then
   */
  record(decision: DecisionRecord): Promise<Receipt> {
    const { recorded, hurry } = this.enter(decision);
    hurry();
    return recorded;
  }

  /** Commit what was entered, and wait for it. */
  async close(): Promise<void> {
    this.#hurryAll();
    while (this.#committing) await this.#committing;
  }

  #hurryAll(): void {
    if (this.#late) clearTimeout(this.#late);
    this.#late = null;
    for (const waiting of this.#waiting) waiting.isWanted = true;
    this.#begin();
  }

  /** Commit what is wanted, if anything is, unless that is being done. */
  #begin(): void {
    if (this.#committing || !this.#waiting.some(({ isWanted }) => isWanted)) return;
    this.#committing = this.#commitAll().finally(() => {
      this.#committing = null;
      this.#begin();
    });
  }

  async #commitAll(): Promise<void> {
    const waited = performance.now() - (this.#waiting[0]?.since ?? 0);
    if (waited < GROUP_WINDOW) await delay(GROUP_WINDOW - waited);
    while (this.#waiting.some(({ isWanted }) => isWanted)) {
      const group = this.#waiting.splice(0, LARGEST_GROUP);
      try {
        const receipts = await this.#commit(group.map(({ decision }) => decision));
        for (const [index, { resolve }] of group.entries()) resolve(receipts[index] as Receipt);
      } catch (cause) {
        for (const { reject } of group) reject(new Problem("database-unavailable", undefined, { cause }));
      }
    }
  }

  /**
   * In one statement where nobody else has written since; else under a lock. Sealed before either, so that other gateways
   * wait no longer than they must.
   */
  async #commit(decisions: Decision[]): Promise<Receipt[]> {
    const sealed = await sealAll(this.#keys, decisions);
    const last = this.#last;
    // Until it is written, nothing is known.
    this.#last = null;
    const written =
      (last !== null && (await writeAfter(this.#database, sealed, last, this.#signer))) ||
      (await this.#database.transaction((tx) => writeNext(tx, sealed, this.#signer)));
    this.#last = written.at(-1)?.sequence ?? null;
    return written;
  }
}
