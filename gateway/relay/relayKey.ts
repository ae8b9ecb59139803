/** The relay's key: it sends what patients signed, and has no rights of its own anywhere. */
import { type JsonRpcProvider, Transaction, Wallet } from "ethers";
import type { Hex } from "../../protocol/hash.ts";
import { answered, type Fees, refusalOf, sendRaw, suggestedFees } from "../chain/transactions.ts";

/** What is sent, under which nonce, and for how much. */
export type Sending = { to: Hex; data: Hex; nonce: number; gas: bigint; fees: Fees };

/** A transaction that was signed: its hash, and its bytes. */
export type SignedTransaction = { hash: Hex; raw: string };

/** What became of a transaction in its block. */
export type Outcome = { hash: Hex; block: number; isReverted: boolean; gasUsed: number };

export class RelayKey {
  readonly #provider: JsonRpcProvider;
  readonly #wallet: Wallet;
  readonly #chainId: number;

  constructor(provider: JsonRpcProvider, key: Hex, chainId: number) {
    this.#provider = provider;
    this.#wallet = new Wallet(key, provider);
    this.#chainId = chainId;
  }

  /** In lower case. */
  get address(): Hex {
    return this.#wallet.address.toLowerCase() as Hex;
  }

  /** How many of its transactions the head has. @throws {Problem} `chain-unavailable` */
  mined(): Promise<number> {
    return answered(this.#provider.getTransactionCount(this.#wallet.address, "latest"));
  }

  /** The nonce after those that were mined, and those that the node waits with. @throws {Problem} `chain-unavailable` */
  nextNonce(): Promise<number> {
    return answered(this.#provider.getTransactionCount(this.#wallet.address, "pending"));
  }

  /** What the node suggests to offer. @throws {Problem} `chain-unavailable` */
  suggestedFees(): Promise<Fees> {
    return suggestedFees(this.#provider);
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
   * Give it to the node.
   * @throws {TransactionFailed} where the node refuses it
   * @throws {Problem} `chain-unavailable`: it may have been taken, or not
   */
  async send({ raw }: SignedTransaction): Promise<void> {
    await sendRaw(this.#provider, raw).catch((error: unknown) => {
      throw refusalOf(error, this.#wallet.address);
    });
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
}
