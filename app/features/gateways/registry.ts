import type { Address, PublicClient } from "viem";
import { custodianRegistryAbi } from "../../../protocol/abi/custodianRegistry.ts";

/** Who holds images, and where to ask for them, as the registry says. */
export interface Custodian {
  account: Address;
  name: string;
  /** The gateway's URL, without a trailing slash. */
  url: string;
}

const PAGE = 100n;

/** Every custodian of the registry, all pages read at one block so that a removal between two hides nobody. */
export async function readCustodians(client: PublicClient, registry: Address): Promise<Custodian[]> {
  const contract = {
    address: registry,
    abi: custodianRegistryAbi,
    blockNumber: await client.getBlockNumber(),
  } as const;
  const count = await client.readContract({ ...contract, functionName: "count" });
  const custodians: Custodian[] = [];
  for (let start = 0n; start < count; start += PAGE) {
    const page = await client.readContract({
      ...contract,
      functionName: "custodians",
      args: [start, start + PAGE],
    });
    custodians.push(
      ...page.map(({ account, name, gateway }) => ({ account, name, url: gateway.replace(/\/+$/, "") })),
    );
  }
  return custodians;
}
