/** What the ledger would do with a signed act, tried on a block before anything is paid for. */
import { isCallException, type JsonRpcProvider } from "ethers";
import type { Hex } from "../../protocol/hash.ts";
import type { ProblemReason } from "../../protocol/reasons.ts";
import { ledgerInterface } from "../chain/logs.ts";
import { answered, gasLimitOf } from "../chain/transactions.ts";
import { Problem } from "../problem.ts";
import type { Deployment, SignedSlot } from "./signedAct.ts";

/** What would become of an act. */
export type Prospect =
  /** It takes effect, or stands already and changes nothing. */
  | { comes: "now"; gas: bigint }
  /** It was signed for what other acts of the patient's have to bring about first. */
  | { comes: "later" }
  /** As things are, it never will. `detail` names the ledger's error. */
  | { comes: "never"; reason: ProblemReason; detail: string };

/** A block by its number, or the head. */
export type At = number | "latest";

/** The ledger's errors that have a meaning of their own here; all others are `act-refused`. */
const REASONS: Record<string, ProblemReason> = {
  ConsentLedgerInvalidSignature: "act-not-signed",
  ConsentLedgerSignatureExpired: "act-expired",
  ConsentLedgerEpochPassed: "act-outdated",
  ConsentLedgerNonceMismatch: "act-outdated",
  ConsentLedgerNonceCount: "act-malformed",
  ConsentLedgerEmptyBatch: "act-malformed",
  ConsentLedgerEmptyPeriod: "act-malformed",
  ConsentLedgerUnknownTerms: "act-malformed",
  ConsentLedgerZeroActions: "act-malformed",
  ConsentLedgerZeroGrantee: "act-malformed",
  ConsentLedgerZeroGuardian: "act-malformed",
  ConsentLedgerZeroPurposes: "act-malformed",
};

export class Prospects {
  readonly #provider: JsonRpcProvider;
  readonly #ledger: Hex;
  /** Who would send it. */
  readonly #sender: Hex;

  constructor(provider: JsonRpcProvider, ledger: Hex, sender: Hex) {
    this.#provider = provider;
    this.#ledger = ledger;
    this.#sender = sender;
  }

  /** Try an act on the head. @throws {Problem} `chain-unavailable` */
  async ofAct(data: Hex): Promise<Prospect> {
    return this.#try(() => this.#estimate(this.#ledger, data));
  }

  /** As `ofAct`, on any block, where only what comes of it counts. @throws {Problem} `chain-unavailable` */
  async ofActAt(data: Hex, at: number): Promise<Prospect["comes"]> {
    const call = { from: this.#sender, to: this.#ledger, data };
    const prospect = await this.#try(async () => {
      await this.#provider.send("eth_call", [call, blockTag(at)]);
      return 0n;
    });
    return prospect.comes;
  }

  /** Gas for putting a wallet on the chain; null where the call fails. @throws {Problem} `chain-unavailable` */
  async ofDeployment({ factory, factoryData }: Deployment): Promise<bigint | null> {
    const prospect = await this.#try(() => this.#estimate(factory, factoryData));
    return prospect.comes === "now" ? prospect.gas : null;
  }

  /** Whether there is code at an address. @throws {Problem} `chain-unavailable` */
  async isDeployed(address: Hex): Promise<boolean> {
    return (await answered(this.#provider.getCode(address))) !== "0x";
  }

  /** How often slots were written by a block, in their order; `RevokeAll`'s is the patient. @throws {Problem} `chain-unavailable` */
  noncesOf(patient: Hex, slots: readonly SignedSlot[], at: At): Promise<number[]> {
    return Promise.all(slots.map((slot) => this.#nonceOf(patient, slot, at)));
  }

  /** What ends every signature that names an older one. @throws {Problem} `chain-unavailable` */
  async epochOf(patient: Hex): Promise<bigint> {
    const [{ epoch }] = await this.#read<[{ epoch: bigint }]>("patientOf", [patient], "latest");
    return epoch;
  }

  async #nonceOf(patient: Hex, { resource, grantee }: SignedSlot, at: At): Promise<number> {
    if (resource === null || grantee === null) {
      const [kept] = await this.#read<[{ revocations: bigint }]>("patientOf", [patient], at);
      return Number(kept.revocations);
    }
    const [grant] = await this.#read<[{ nonce: bigint }]>("grantOf", [patient, resource, grantee], at);
    return Number(grant.nonce);
  }

  async #read<T>(method: string, parameters: readonly unknown[], at: At): Promise<T> {
    const data = ledgerInterface.encodeFunctionData(method, [...parameters]);
    const answer = await answered(
      this.#provider.send("eth_call", [{ to: this.#ledger, data }, blockTag(at)]),
    );
    return ledgerInterface.decodeFunctionResult(method, answer as string) as unknown as T;
  }

  async #estimate(to: Hex, data: Hex): Promise<bigint> {
    const call = { from: this.#sender, to, data };
    // On the head: nodes try it on top of what waits by themselves, which may hold this very transaction.
    return gasLimitOf(await this.#provider.send("eth_estimateGas", [call, "latest"]));
  }

  async #try(attempt: () => Promise<bigint>): Promise<Prospect> {
    try {
      return { comes: "now", gas: await attempt() };
    } catch (error) {
      if (isCallException(error)) return prospectOf(error.data);
      throw new Problem("chain-unavailable", undefined, { cause: error });
    }
  }
}

function prospectOf(data: string | null): Prospect {
  const refusal = data ? ledgerInterface.parseError(data) : null;
  const name = refusal?.name ?? "without a reason";
  if (name === "ConsentLedgerNonceMismatch" && refusal && refusal.args.signed > refusal.args.current)
    return { comes: "later" };
  return {
    comes: "never",
    reason: REASONS[name] ?? "act-refused",
    detail: `The ledger refuses it: ${name}.`,
  };
}

function blockTag(at: At): string {
  return at === "latest" ? at : `0x${at.toString(16)}`;
}
