/**
 * A key that sends transactions. What it has to be kept from is sending twice: every transaction has a nonce, and of those with
 * one nonce, one is mined.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type JsonRpcProvider, Transaction, Wallet } from "ethers";
import type { Hex } from "../../protocol/hash.ts";
import { Problem } from "../problem.ts";
import {
  answered,
  type Fees,
  gasLimitOf,
  refusalOf,
  sendRaw,
  suggestedFees,
  TransactionFailed,
} from "./transactions.ts";
import { type Turns, turns } from "./turns.ts";

/** What is called, and with what. */
export type Call = { to: Hex; data: Hex };

/** A call, under which nonce it is sent, and for how much. */
export type Sending = Call & { nonce: number; gas: bigint; fees: Fees };

/** A transaction that was signed: its hash, and its bytes. */
export type SignedTransaction = { hash: Hex; raw: string };

/** What became of a transaction in its block. */
export type Outcome = { hash: Hex; block: number; isReverted: boolean; gasUsed: number };

/** How often a call is sent anew whose nonce another transaction took. */
const MOST_ATTEMPTS = 3;

/** Milliseconds between two looks for a transaction in a block: at first, and at most. */
const PACE = { first: 250, most: 2_000 };

/** Milliseconds without an answer of the node's that are waited out: it has the transaction already. */
const SILENCE = 10_000;

/**
 * Looks in a row at which a nonce is used and its transaction is in no block, after which another one has it: behind one
 * URL may be several nodes, of which one has the block sooner than the other.
 */
const LOOKS = 10;

export class Sender {
  readonly #provider: JsonRpcProvider;
  readonly #wallet: Wallet;
  readonly #chainId: number;
  readonly #inTurn: Turns;

  /** @param inTurn turns at the key's nonces */
  constructor(provider: JsonRpcProvider, key: Hex, chainId: number, inTurn = turns()) {
    this.#provider = provider;
    this.#wallet = new Wallet(key);
    this.#chainId = chainId;
    this.#inTurn = inTurn;
  }

  /** In lower case. */
  get address(): Hex {
    return this.#wallet.address.toLowerCase() as Hex;
  }

  /** How many of its transactions were mined up to a block. @throws {Problem} `chain-unavailable` */
  mined(block: number | "latest"): Promise<number> {
    return answered(this.#provider.getTransactionCount(this.#wallet.address, block));
  }

  /** The nonce after those that were mined, and those that the node waits with. @throws {Problem} `chain-unavailable` */
  nextNonce(): Promise<number> {
    return answered(this.#provider.getTransactionCount(this.#wallet.address, "pending"));
  }

  /**
   * Send something under the next nonce. All that goes by here goes one after the other.
   * @param send resolves once a node has the transaction, or it is known that none will be sent
   * @throws {Problem} `chain-unavailable`
   */
  withNextNonce<T>(send: (nonce: number) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => send(await this.nextNonce()));
  }

  /** What the node suggests to offer. @throws {Problem} `chain-unavailable` */
  suggestedFees(): Promise<Fees> {
    return suggestedFees(this.#provider);
  }

  /**
   * Gas for a call, found by trying it on the head.
   * @throws {ContractRefused} where a contract would refuse it
   * @throws {TransactionFailed} @throws {Problem} `chain-unavailable`
   */
  async gasFor(call: Call): Promise<bigint> {
    // On the head: nodes try it on top of what waits by themselves, which may hold this very transaction.
    const tried = this.#provider.send("eth_estimateGas", [{ from: this.#wallet.address, ...call }, "latest"]);
    return gasLimitOf(await tried.catch((error: unknown) => this.#refuse(error)));
  }

  /** Signed alike each time, so that what was sent before an end is known again after it. */
  async sign({ to, data, nonce, gas, fees }: Sending): Promise<SignedTransaction> {
    const transaction = Transaction.from({
      type: 2,
      chainId: this.#chainId,
      to,
      data,
      nonce,
      gasLimit: gas,
      maxFeePerGas: fees.maxFee,
      maxPriorityFeePerGas: fees.priorityFee,
    });
    const raw = await this.#wallet.signTransaction(transaction);
    return { raw, hash: Transaction.from(raw).hash as Hex };
  }

  /**
   * Give it to the node. That it knows it, or another of the same nonce, is as good as taken: which of them is mined is
   * seen on the chain.
   * @throws {TransactionFailed} where the node refuses it
   * @throws {Problem} `chain-unavailable`: it may have been taken, or not
   */
  async send({ raw }: SignedTransaction): Promise<void> {
    await sendRaw(this.#provider, raw).catch((error: unknown) => this.#refuse(error));
  }

  /** What became of the one of these transactions that was mined; null where none was. @throws {Problem} `chain-unavailable` */
  async outcomeOf(hashes: readonly Hex[]): Promise<Outcome | null> {
    for (const hash of hashes.toReversed()) {
      const receipt = (await answered(this.#provider.send("eth_getTransactionReceipt", [hash]))) as Record<
        "status" | "blockNumber" | "gasUsed",
        Hex
      > | null;
      if (!receipt) continue;
      const { status, blockNumber, gasUsed } = receipt;
      return { hash, block: Number(blockNumber), isReverted: Number(status) === 0, gasUsed: Number(gasUsed) };
    }
    return null;
  }

  /**
   * Have a call done: try it, so that what a contract would refuse is not sent; send it; and wait until a block has it. Where
   * another transaction took its nonce, it is tried and sent again.
   * @param patience milliseconds to wait for the block
   * @throws {ContractRefused} @throws {TransactionFailed}
   * @throws {Problem} `chain-unavailable`, also where that takes longer: it may be mined later
   */
  async execute(call: Call, patience = Number.POSITIVE_INFINITY): Promise<void> {
    const until = performance.now() + patience;
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      const terms = { gas: await this.gasFor(call), fees: await this.suggestedFees() };
      const sent = await this.withNextNonce(async (nonce) => {
        const signed = await this.sign({ ...call, ...terms, nonce });
        await this.send(signed);
        return { nonce, hash: signed.hash };
      });
      if (await this.#isMined(sent, until)) return;
    }
    throw new TransactionFailed(
      `Whatever ${this.address} sends, another transaction of its own takes the place of it.`,
    );
  }

  /** Wait for a transaction to be mined. False where another one was, under its nonce. */
  async #isMined({ nonce, hash }: { nonce: number; hash: Hex }, until: number): Promise<boolean> {
    let pace = PACE.first;
    let looks = 0;
    for (let heard = performance.now(); performance.now() < until; ) {
      try {
        const isUsed = (await this.mined("latest")) > nonce;
        const outcome = await this.outcomeOf([hash]);
        heard = performance.now();
        if (outcome?.isReverted)
          throw new TransactionFailed("A transaction was mined without the wanted effect.");
        if (outcome) return true;
        looks = isUsed ? looks + 1 : 0;
        if (looks === LOOKS) return false;
      } catch (error) {
        if (!(error instanceof Problem) || performance.now() - heard > SILENCE) throw error;
      }
      await delay(pace);
      pace = Math.min(pace * 1.2, PACE.most);
    }
    throw new Problem("chain-unavailable");
  }

  #refuse(error: unknown): never {
    throw refusalOf(error, this.#wallet.address);
  }
}
