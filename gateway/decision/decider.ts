/** Decides by asking the ledger, at the head's time and at the wall clock. */
import type { Hex } from "../../protocol/hash.ts";
import type { Chain } from "../chain/chain.ts";
import type { Block } from "../chain/provider.ts";
import type { Database } from "../database/database.ts";
import { AnswerCache } from "./answerCache.ts";
import { isHeld } from "./heldRevokes.ts";
import { type Answer, decodeCheck, encodeCheck, type Question } from "./question.ts";

/** An answer and the block that it was given at. */
export type Decision = Answer & { head: Block };

export type DeciderOptions = {
  ledger: Hex;
  /** Blocks that a grant must have on top of it before it permits. */
  confirmations: number;
};

export class Decider {
  readonly #chain: Chain;
  readonly #database: Database;
  readonly #options: DeciderOptions;
  readonly #cache = new AnswerCache();

  constructor(chain: Chain, database: Database, options: DeciderOptions) {
    this.#chain = chain;
    this.#database = database;
    this.#options = options;
    chain.onRead((changes) => this.#cache.drop(changes));
  }

  /**
   * Decide now. Kept answers serve only while the chain can be followed.
   * @throws {Problem} `chain-unavailable`, `chain-stale`
   */
  async decide(question: Question): Promise<Decision> {
    const head = await this.#chain.head();
    const clocks = [head.timestamp, Math.floor(Date.now() / 1000)];
    const kept = this.#cache.get(question, clocks);
    if (kept) return { ...kept, head };
    const generation = this.#cache.generation;
    const answer = await this.#ask(question, head, clocks);
    // An event came while the ledger was asked about the state before it.
    if (generation !== this.#cache.generation) return this.decide(question);
    // A grant that waits for confirmations comes into force by blocks alone, without an event.
    const lasts = answer.reason === "permitted" || this.#options.confirmations === 0;
    if (lasts) this.#cache.set(question, answer, generation);
    return { ...answer, head };
  }

  /** Permitted only if every clock, and every block that counts, permits; the first denial is the reason. */
  async #ask(question: Question, head: Block, clocks: readonly number[]): Promise<Answer> {
    const asked = [...new Set(clocks)].map((at) => this.#check(question, head, at));
    if (this.#options.confirmations > 0) asked.push(this.#checkConfirmed(question, head, clocks));
    const answers = await Promise.all(asked);
    const denial = answers.find(({ reason }) => reason !== "permitted");
    if (denial) return denial;
    if (await isHeld(this.#database, question)) return { reason: "revoked", validUntil: 0 };
    return { reason: "permitted", validUntil: Math.min(...answers.map((answer) => answer.validUntil)) };
  }

  #checkConfirmed(question: Question, head: Block, clocks: readonly number[]): Promise<Answer> {
    const number = Math.max(0, head.number - this.#options.confirmations);
    return this.#check(question, { number }, Math.max(...clocks));
  }

  async #check(question: Question, block: Block | { number: number }, at: number): Promise<Answer> {
    return decodeCheck(await this.#chain.call(this.#options.ledger, encodeCheck(question, at), block));
  }
}
