/** Writes what tells wallets how to show what is signed for a deployment (ERC-7730), as files for a registry. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Contract, type Provider } from "ethers";
import { consentLedgerAbi } from "../protocol/abi/consentLedger.ts";
import { emergencyAccessAbi } from "../protocol/abi/emergencyAccess.ts";
import {
  calldataDescriptor,
  type Descriptor,
  eip712Descriptor,
  emergencyDescriptor,
  type Publisher,
} from "../protocol/clearSigning/descriptor.ts";
import type { Hex } from "../protocol/hash.ts";
import { emergencyDomain, typedDataDomain } from "../protocol/typedData.ts";
import { DeskError } from "./desk.ts";

/** What to describe, and where. Addresses with their checksum. */
export interface DescriptorOrder {
  provider: Provider;
  consentLedger: Hex;
  emergencyAccess: Hex | null;
  publisher: Publisher;
  folder: string;
}

/**
 * Writes one file for each descriptor, named as registries want them.
 * @returns their paths
 * @throws {DeskError} where no such contract is at an address: its descriptor would speak for something else
 */
export async function writeDescriptors(order: DescriptorOrder): Promise<string[]> {
  const { provider, consentLedger, emergencyAccess, publisher, folder } = order;
  const chainId = Number((await provider.getNetwork()).chainId);
  const ledger = new Contract(consentLedger, consentLedgerAbi, provider);
  await requireDomain(ledger, typedDataDomain(chainId, consentLedger).name);
  const files = new Map<string, Descriptor>([
    ["eip712-ConsentLedger.json", eip712Descriptor({ chainId, consentLedger }, publisher)],
    ["calldata-ConsentLedger.json", calldataDescriptor({ chainId, consentLedger }, publisher)],
  ]);
  if (emergencyAccess) {
    const emergencies = new Contract(emergencyAccess, emergencyAccessAbi, provider);
    await requireDomain(emergencies, emergencyDomain(chainId, emergencyAccess).name);
    const descriptor = emergencyDescriptor({ chainId, emergencyAccess }, publisher);
    files.set("eip712-EmergencyAccess.json", descriptor);
  }
  await mkdir(folder, { recursive: true });
  const paths = [...files].map(async ([name, descriptor]) => {
    const path = join(folder, name);
    await writeFile(path, `${JSON.stringify(descriptor, null, 2)}\n`);
    return path;
  });
  return Promise.all(paths);
}

/** A contract tells its own EIP-712 domain (ERC-5267). */
async function requireDomain(contract: Contract, wanted: string): Promise<void> {
  const domain = await contract
    .getFunction("eip712Domain")
    .staticCall()
    .catch(() => null);
  if (domain?.name !== wanted)
    throw new DeskError(`There is no contract of ${wanted} at ${contract.target}.`);
}
