/** What the chain says of a custodian's receipts: its anchors, and who signs for it. */
import { Contract, JsonRpcProvider, verifyTypedData } from "ethers";
import { accessLogAbi } from "../../protocol/abi/accessLog.ts";
import { consentLedgerAbi } from "../../protocol/abi/consentLedger.ts";
import type { Hex } from "../../protocol/hash.ts";
import { RECEIPTS_TYPES, type SignedReceipts, typedDataDomain } from "../../protocol/typedData.ts";

/** An anchor; `anchoredAt` in seconds since 1970-01-01 UTC. */
export interface Anchor {
  index: number;
  root: Hex;
  first: number;
  last: number;
  anchoredAt: number;
}

/** Which contracts, and whose. */
export interface Deployment {
  consentLedger: string;
  /** Null where nothing is anchored. */
  accessLog: string | null;
  custodian: string;
}

/** Where a block number is not said: from the chain's beginning. */
const FIRST_BLOCK = 0;

/** The chain, asked through an endpoint that whoever checks trusts. */
export class AuditChain {
  readonly #provider: JsonRpcProvider;
  readonly #deployment: Deployment;
  readonly #ledger: Contract;
  readonly #isOperator = new Map<string, Promise<boolean>>();
  #chainId = 0n;

  private constructor(provider: JsonRpcProvider, deployment: Deployment) {
    this.#provider = provider;
    this.#deployment = deployment;
    this.#ledger = new Contract(deployment.consentLedger, consentLedgerAbi, provider);
  }

  /** @throws where no chain answers, or there is no contract where there should be one */
  static async connect(rpcUrl: string, deployment: Deployment): Promise<AuditChain> {
    const provider = new JsonRpcProvider(rpcUrl, undefined, { cacheTimeout: -1, staticNetwork: true });
    const chain = new AuditChain(provider, deployment);
    try {
      chain.#chainId = BigInt(await provider.send("eth_chainId", []));
      for (const address of [deployment.consentLedger, deployment.accessLog]) {
        if (address !== null && (await provider.getCode(address)) === "0x")
          throw new Error(`There is no contract at ${address}.`);
      }
    } catch (error) {
      chain.close();
      throw new Error(`The chain at ${rpcUrl} cannot be asked: ${(error as Error).message}`, {
        cause: error,
      });
    }
    return chain;
  }

  /** All anchors of the custodian's, in order. */
  async anchors(): Promise<Anchor[]> {
    const { accessLog, custodian } = this.#deployment;
    if (accessLog === null) return [];
    const contract = new Contract(accessLog, accessLogAbi, this.#provider);
    const count = Number(await contract.getFunction("anchorCount").staticCall(custodian));
    const anchors: Anchor[] = [];
    for (let index = 0; index < count; index++) {
      const { root, first, last, anchoredAt } = await contract
        .getFunction("anchorOf")
        .staticCall(custodian, index);
      const range = { first: Number(first), last: Number(last), anchoredAt: Number(anchoredAt) };
      anchors.push({ index, root, ...range });
    }
    return anchors;
  }

  /** Whether an operator of the custodian's, now or once, signed this. */
  async isSigned(run: SignedReceipts, signature: string): Promise<boolean> {
    const domain = typedDataDomain(Number(this.#chainId), this.#deployment.consentLedger);
    try {
      const signer = verifyTypedData(domain, { Receipts: [...RECEIPTS_TYPES.Receipts] }, run, signature);
      const known = this.#isOperator.get(signer) ?? this.#wasNamed(signer);
      this.#isOperator.set(signer, known);
      return await known;
    } catch (error) {
      // What is no signature at all, an edited row may hold.
      if (error instanceof Error && "code" in error && error.code === "INVALID_ARGUMENT") return false;
      throw error;
    }
  }

  close(): void {
    this.#provider.destroy();
  }

  /** An operator may have gone since: the ledger's events tell who was one. */
  async #wasNamed(signer: string): Promise<boolean> {
    const { custodian } = this.#deployment;
    if (await this.#ledger.getFunction("isOperator").staticCall(custodian, signer)) return true;
    const filter = this.#ledger.getEvent("OperatorSet").fragment;
    const topics = this.#ledger.interface.encodeFilterTopics(filter, [custodian, signer]);
    const found = await this.#provider.getLogs({
      address: this.#deployment.consentLedger,
      topics,
      fromBlock: FIRST_BLOCK,
    });
    return found.length > 0;
  }
}

/** When something was anchored, as a date and time in UTC. */
export function dayOf({ anchoredAt }: Anchor): string {
  return `${new Date(anchoredAt * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
