/**
 * The contract on a chain of its own, in this process, behind the plain names of ./acts.ts. It is driven straight through
 * the provider, with gas and times given, so that thousands of steps take seconds.
 */
import { Interface, isHexString, MaxUint256 } from "ethers";
import hre from "hardhat";
import { consentLedgerAbi } from "../../../protocol/abi/consentLedger.ts";
import { LEDGER_REASONS, type LedgerReason } from "../../../protocol/reasons.ts";
import type { Decision, Outcome, Query, Seconds, Step } from "./acts.ts";
import { encodeQuery, encodeStep } from "./calls.ts";
import { addressOf, idOf } from "./words.ts";

type Provider = Awaited<ReturnType<typeof hre.network.create>>["provider"];

/** A decision, if the contract gives a reason that the protocol knows. */
type Answer = Omit<Decision, "reason"> & { reason: LedgerReason | undefined };

/** What the contract keeps of an exam. */
type Pointer = { owner: string; ownedSince: bigint; version: bigint; retired: boolean; manifestRoot: string };

const ENOUGH_GAS = "0xf4240";
const GAS_PRICE = "0x77359400";

/** The contract, and nothing else, on a chain of its own. Close it. */
export class LedgerOnChain {
  readonly #contract = new Interface(consentLedgerAbi);
  readonly #provider: Provider;
  readonly #ledger: string;
  /** Calldata of what was asked before. */
  readonly #encoded = new WeakMap<Query, string>();
  readonly close: () => Promise<void>;
  #empty: string;

  private constructor(provider: Provider, ledger: string, empty: string, close: () => Promise<void>) {
    this.#provider = provider;
    this.#ledger = ledger;
    this.#empty = empty;
    this.close = close;
  }

  /** Deploys the compiled contract, on a chain that begins before `start`. */
  static async open(start: Seconds): Promise<LedgerOnChain> {
    const connection = await hre.network.create({
      network: "default",
      override: { mining: { auto: true, interval: 0 }, initialDate: new Date((start - 3600) * 1000) },
    });
    const { provider, ethers } = connection;
    const ledger = await ethers.deployContract("ConsentLedger");
    const empty: string = await provider.request({ method: "evm_snapshot" });
    return new LedgerOnChain(provider, await ledger.getAddress(), empty, () => connection.close());
  }

  /** Undoes everything. */
  async empty(): Promise<void> {
    await this.#provider.request({ method: "evm_revert", params: [this.#empty] });
    this.#empty = await this.#provider.request({ method: "evm_snapshot" });
  }

  /** Sends a step as a transaction, alone in a block of its time. */
  async take(step: Step): Promise<Outcome> {
    const data = await encodeStep(step, this.#contract, this.#ledger);
    const transaction = {
      from: addressOf(step.sender),
      to: this.#ledger,
      data,
      gas: ENOUGH_GAS,
      gasPrice: GAS_PRICE,
    };
    await this.#provider.request({ method: "evm_setNextBlockTimestamp", params: [step.at] });
    try {
      const hash: string = await this.#provider.request({
        method: "eth_sendTransaction",
        params: [transaction],
      });
      const receipt: { logs: unknown[] } = await this.#provider.request({
        method: "eth_getTransactionReceipt",
        params: [hash],
      });
      return receipt.logs.length > 0 ? "done" : "stands already";
    } catch (error) {
      return `refused: ${this.#errorOf(error)}`;
    }
  }

  async check(query: Query): Promise<Answer> {
    const data = this.#encoded.get(query) ?? encodeQuery(query, this.#contract);
    this.#encoded.set(query, data);
    const answer = await this.#call(data);
    const [reason, validUntil] = [BigInt(answer.slice(0, 66)), BigInt(`0x${answer.slice(66)}`)];
    return {
      reason: LEDGER_REASONS[Number(reason)],
      validUntil: validUntil === MaxUint256 ? "for ever" : Number(validUntil),
    };
  }

  async isGuardian(patient: string, guardian: string): Promise<boolean> {
    const data = this.#contract.encodeFunctionData("isGuardian", [addressOf(patient), addressOf(guardian)]);
    return BigInt(await this.#call(data)) === 1n;
  }

  async pointerOf(exam: string): Promise<Pointer> {
    const answer = await this.#call(this.#contract.encodeFunctionData("pointerOf", [idOf(exam)]));
    return this.#contract.decodeFunctionResult("pointerOf", answer)[0].toObject();
  }

  #call(data: string): Promise<string> {
    return this.#provider.request({ method: "eth_call", params: [{ to: this.#ledger, data }, "latest"] });
  }

  /** The name of a custom error, as ./ledger.ts gives it. @throws what is none */
  #errorOf(error: unknown): string {
    const data = error instanceof Error && "data" in error ? error.data : undefined;
    const parsed = isHexString(data) ? this.#contract.parseError(data) : null;
    if (!parsed?.name.startsWith("ConsentLedger")) throw error;
    return parsed.name.slice("ConsentLedger".length);
  }
}
