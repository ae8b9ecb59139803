/** The custodian's anchors in `AccessLog`, as the chain has them now. */
import { Contract, type JsonRpcProvider } from "ethers";
import { accessLogAbi } from "../../protocol/abi/accessLog.ts";
import type { Hex } from "../../protocol/hash.ts";
import type { AnchoredRun } from "../../protocol/receiptTree.ts";
import type { Call } from "../chain/sender.ts";

/** An anchor; `anchoredAt` in seconds since 1970-01-01 UTC. */
export type Anchor = { index: number; root: Hex; first: number; last: number; anchoredAt: number };

export class AccessLog {
  readonly #address: Hex;
  readonly #contract: Contract;
  readonly #custodian: Hex;

  constructor(provider: JsonRpcProvider, address: Hex, custodian: Hex) {
    this.#address = address;
    this.#contract = new Contract(address, accessLogAbi, provider);
    this.#custodian = custodian;
  }

  /** How many there are. */
  async count(): Promise<number> {
    return Number(await this.#contract.getFunction("anchorCount").staticCall(this.#custodian));
  }

  /** One that is there. */
  async at(index: number): Promise<Anchor> {
    const kept = await this.#contract.getFunction("anchorOf").staticCall(this.#custodian, index);
    return {
      index,
      root: kept.root,
      first: Number(kept.first),
      last: Number(kept.last),
      anchoredAt: Number(kept.anchoredAt),
    };
  }

  /** What an operator sends to anchor the receipts that come next. */
  callToAnchor({ root, first, last }: AnchoredRun): Call {
    const parameters = [this.#custodian, root, first, last];
    return {
      to: this.#address,
      data: this.#contract.interface.encodeFunctionData("anchor", parameters) as Hex,
    };
  }
}
