/** What the registry calls this custodian. */
import { Interface } from "ethers";
import { custodianRegistryAbi } from "../../protocol/abi/custodianRegistry.ts";
import type { Hex } from "../../protocol/hash.ts";
import type { Chain } from "../chain/chain.ts";

const registry = new Interface(custodianRegistryAbi);

/** Milliseconds: names seldom change. */
const KEPT = 30_000;

export class CustodianName {
  readonly #chain: Chain;
  readonly #registry: Hex;
  readonly #custodian: Hex;
  #kept: { name: string; until: number } | null = null;

  constructor(chain: Chain, registryAddress: Hex, custodian: Hex) {
    this.#chain = chain;
    this.#registry = registryAddress;
    this.#custodian = custodian;
  }

  /** The registry's name; the address where it lists none yet. @throws {Problem} `chain-unavailable` */
  async read(): Promise<string> {
    if (this.#kept && this.#kept.until > performance.now()) return this.#kept.name;
    const head = await this.#chain.head();
    const isListed = await this.#call("isCustodian", head);
    if (!isListed[0]) return this.#custodian;
    const [{ name }] = (await this.#call("custodianOf", head)) as unknown as [{ name: string }];
    this.#kept = { name, until: performance.now() + KEPT };
    return name;
  }

  async #call(method: "isCustodian" | "custodianOf", head: Parameters<Chain["call"]>[2]) {
    const data = registry.encodeFunctionData(method, [this.#custodian]);
    return registry.decodeFunctionResult(method, await this.#chain.call(this.#registry, data, head));
  }
}
