/**
 * Brings one act of the queue a step further: look at the chain, and send where that is needed.
 *
 * Every step may be the last before this process is killed; the next, here or in another gateway, looks first, and sends under
 * the nonce that was set aside. What has a nonce is sent, come what may: a gap in the key's nonces would hold up all that
 * comes after it. The ledger's own nonces keep an act from taking effect twice, whoever sends it.
 */
import type { FastifyBaseLogger } from "fastify";
import type { Hex } from "../../protocol/hash.ts";
import type { ProblemReason } from "../../protocol/reasons.ts";
import type { Outcome, Sender, Sending } from "../chain/sender.ts";
import { type Fees, isGivenUp, isStuck, raiseFees, TransactionFailed } from "../chain/transactions.ts";
import type { Database } from "../database/database.ts";
import { backoff } from "../operations/backoff.ts";
import type { Metrics } from "../operations/metrics.ts";
import type { Prospects } from "./prospects.ts";
import {
  change,
  isBeingDeployed,
  NO_TRANSACTION,
  nonceAfterAll,
  type RelayRow,
  refuse,
  reserveNonce,
  settle,
  slotsOf,
} from "./queue.ts";

export type ProgressContext = {
  database: Database;
  key: Sender;
  prospects: Prospects;
  ledger: Hex;
  /** Milliseconds after which a transaction that is not mined is offered a higher fee; twice as long each further time. */
  resendAfter: number;
  metrics: Pick<Metrics, "relaySent" | "relayEnded">;
  log: FastifyBaseLogger;
};

/** What is known of the chain at one look. */
export type Look = {
  head: number;
  /** Whether the head is another one than at the last look. */
  isNew: boolean;
  /** The last block that no reorganisation takes back. */
  finalized: number;
};

/** Milliseconds: the longest pause before what a node would not take is tried again. A patient waits for it. */
const LONGEST_PAUSE = 4_000;

/** How often an act that reverts, although it should not, is tried. */
const MOST_REVERTS = 3;

export class Progress {
  readonly #context: ProgressContext;

  constructor(context: ProgressContext) {
    this.#context = context;
  }

  /** One step. @throws {Problem} `chain-unavailable`, `database-unavailable` */
  async step(row: RelayRow, look: Look): Promise<void> {
    try {
      if (row.state === "refused") return await this.#reconsider(row, look);
      if (row.nonce !== null) return await this.#follow(row, row.nonce, look);
      if (row.state === "mined") return await this.#watchForeign(row, look);
      return await this.#begin(row, look);
    } catch (error) {
      if (!(error instanceof TransactionFailed)) throw error;
      if (row.failures === 0) this.#context.log.warn("A patient's act could not be sent; it is tried again");
      const dueAt = Date.now() + backoff(row.failures, LONGEST_PAUSE);
      await this.#change(row, { failures: row.failures + 1, dueAt });
    }
  }

  /** Nothing is under way: send what comes first, if the ledger would take it. */
  async #begin(row: RelayRow, look: Look): Promise<void> {
    const { prospects, ledger } = this.#context;
    if (row.factory !== null) return this.#beginDeployment(row);
    if (await this.#isDoneByOther(row, look.head))
      return this.#change(row, { state: "mined", block: look.head, transaction: null, gasReserved: 0 });
    const prospect = await prospects.ofAct(row.data);
    if (prospect.comes === "now") return this.#sendNew(row, ledger, row.data, prospect.gas);
    if (prospect.comes === "never") return this.#refuse(row, prospect.reason);
  }

  /** The patient's wallet has to be on the chain before the ledger can ask it. */
  async #beginDeployment(row: RelayRow): Promise<void> {
    const { prospects } = this.#context;
    const { factory, factoryData, patient } = row;
    if (factory === null || factoryData === null || (await prospects.isDeployed(patient)))
      return this.#change(row, { factory: null, factoryData: null });
    // Another act of the patient's has it under way: twice would be paid for twice.
    if (await isBeingDeployed(this.#context.database, row)) return;
    const gas = await prospects.ofDeployment({ factory, factoryData });
    if (gas === null) return this.#refuse(row, "wallet-not-deployed");
    return this.#sendNew(row, factory, factoryData, gas);
  }

  async #sendNew(row: RelayRow, to: Hex, data: Hex, gas: bigint): Promise<void> {
    const { database, key } = this.#context;
    const fees = await key.suggestedFees();
    const nonce = Math.max(await key.nextNonce(), await nonceAfterAll(database, key.address));
    const reserved = { sender: key.address, nonce, gas, fees };
    if (!(await reserveNonce(database, row, reserved))) return;
    await this.#send(
      { ...row, ...reserved, sentAt: null, sendings: 0, hashes: [] },
      { to, data, nonce, gas, fees },
    );
  }

  /** A nonce is set aside: send, look whether it was mined, or send again with a higher fee. */
  async #follow(row: RelayRow, nonce: number, look: Look): Promise<void> {
    const { key, resendAfter } = this.#context;
    if (row.sender !== key.address) return this.#takeOver(row);
    if (row.sentAt === null) return this.#sendAgain(row, nonce, feesOf(row));
    const isRaised = row.state !== "mined" && isStuck(row, resendAfter);
    if (!look.isNew && !isRaised) return;
    const mined = await key.mined("latest");
    const outcome = await key.outcomeOf(row.hashes);
    if (outcome) return this.#conclude(row, outcome, look);
    // A reorganisation took its block away: it is sent again, since no node need remember it.
    if (row.state === "mined")
      return this.#change(row, { state: "sent", block: null, transaction: null, sentAt: null });
    if (mined > nonce) return this.#change(row, { ...NO_TRANSACTION, state: "queued" });
    if (isRaised) await this.#sendAgain(row, nonce, raiseFees(feesOf(row), await key.suggestedFees()));
  }

  #sendAgain(row: RelayRow, nonce: number, fees: Fees): Promise<void> {
    const { ledger } = this.#context;
    const isDeployment = row.factory !== null && row.factoryData !== null;
    const call = isDeployment
      ? { to: row.factory as Hex, data: row.factoryData as Hex }
      : { to: ledger, data: row.data };
    return this.#send(row, { ...call, nonce, gas: row.gas ?? 0n, fees });
  }

  async #send(row: RelayRow, sending: Sending): Promise<void> {
    const { key, metrics } = this.#context;
    const signed = await key.sign(sending);
    const hashes = [...new Set([...row.hashes, signed.hash])];
    // What is about to be sent is written down first: whatever is mined under this nonce is known by its hash.
    await this.#change(row, { ...sending.fees, hashes });
    await key.send(signed);
    const sent = { state: "sent", sentAt: Date.now(), sendings: row.sendings + 1, failures: 0 } as const;
    await this.#change(row, sent);
    metrics.relaySent();
  }

  /** Its transaction is in a block. */
  async #conclude(row: RelayRow, outcome: Outcome, look: Look): Promise<void> {
    if (row.factory !== null) return this.#goOn(row, outcome);
    if (outcome.isReverted) return this.#explainRevert(row, outcome, look);
    const { hash, block, gasUsed } = outcome;
    if (row.state !== "mined") {
      const spent = { gasReserved: 0, gasSpent: row.gasSpent + gasUsed };
      await this.#change(row, { ...spent, state: "mined", block, transaction: hash });
      this.#context.metrics.relayEnded("mined");
    } else if (row.block !== block || row.transaction !== hash) {
      await this.#change(row, { block, transaction: hash });
    }
    if (block <= look.finalized) await settle(this.#context.database, row);
  }

  /** The wallet's deployment is mined: the act comes next, if the wallet is there. */
  async #goOn(row: RelayRow, { gasUsed }: Outcome): Promise<void> {
    const spent = { gasSpent: row.gasSpent + gasUsed };
    if (!(await this.#context.prospects.isDeployed(row.patient)))
      return this.#refuse(row, "wallet-not-deployed", spent);
    await this.#change(row, {
      ...NO_TRANSACTION,
      ...spent,
      factory: null,
      factoryData: null,
      state: "queued",
    });
  }

  async #explainRevert(row: RelayRow, { gasUsed }: Outcome, { head }: Look): Promise<void> {
    const spent = { gasSpent: row.gasSpent + gasUsed };
    if (await this.#isDoneByOther(row, head))
      return this.#change(row, { ...NO_TRANSACTION, ...spent, gasReserved: 0, state: "mined", block: head });
    const prospect = await this.#context.prospects.ofAct(row.data);
    if (prospect.comes === "never") return this.#refuse(row, prospect.reason, spent);
    if (row.failures + 1 >= MOST_REVERTS) return this.#refuse(row, "act-refused", spent);
    await this.#change(row, { ...NO_TRANSACTION, ...spent, state: "queued", failures: row.failures + 1 });
  }

  /**
   * Whether the ledger has it already, sent by somebody else: its nonces are the next ones, and it stands. A patient who revoked
   * all more often than was signed for has what was asked for, too.
   */
  async #isDoneByOther(row: RelayRow, at: number): Promise<boolean> {
    const { database, prospects } = this.#context;
    const slots = await slotsOf(database, row.id);
    if (slots.length === 0) return false;
    const nonces = await prospects.noncesOf(row.patient, slots, at);
    if (row.act === "RevokeAll")
      return nonces.every((nonce, position) => nonce > (slots[position]?.nonce ?? 0));
    const isNext = nonces.every((nonce, position) => nonce === (slots[position]?.nonce ?? 0) + 1);
    return isNext && (await prospects.ofActAt(row.data, at)) === "now";
  }

  /** Somebody else sent it: is it still there, and for good? */
  async #watchForeign(row: RelayRow, { isNew, head, finalized }: Look): Promise<void> {
    if (!isNew) return;
    if (finalized >= (row.block ?? head)) return settle(this.#context.database, row);
    if (
      !(await this.#isDoneByOther(row, head)) &&
      (await this.#context.prospects.ofActAt(row.data, head)) === "now"
    )
      await this.#change(row, { state: "queued", block: null });
  }

  /**
   * It was refused: for good once finalised state refuses it too, which by its deadline it does at the latest. What it
   * closes is closed until then. Should a reorganisation have made it possible again, it is sent.
   */
  async #reconsider(row: RelayRow, { isNew, head, finalized }: Look): Promise<void> {
    if (!isNew) return;
    const { prospects, database } = this.#context;
    if ((await prospects.ofActAt(row.data, finalized)) === "never") return settle(database, row);
    if (row.factory === null && (await prospects.ofActAt(row.data, head)) === "now")
      await this.#change(row, { state: "queued", reason: null });
  }

  /** Another key has it in flight. */
  async #takeOver(row: RelayRow): Promise<void> {
    if (isGivenUp(row)) await this.#change(row, { ...NO_TRANSACTION, state: "queued" });
  }

  async #refuse(row: RelayRow, reason: ProblemReason, to: Partial<RelayRow> = {}): Promise<void> {
    this.#context.log.warn({ reason }, "A patient's act was refused by the ledger");
    await refuse(this.#context.database, row, reason, { ...to, gasReserved: 0 });
    this.#context.metrics.relayEnded(reason);
  }

  #change(row: RelayRow, to: Partial<RelayRow>): Promise<void> {
    return change(this.#context.database, row, to);
  }
}

function feesOf({ maxFee, priorityFee }: RelayRow): Fees {
  return { maxFee: maxFee ?? 0n, priorityFee: priorityFee ?? 0n };
}
