import { createPublicClient, getAddress, http } from "viem";
import type { Discovery } from "../../../protocol/api.ts";
import {
  calldataDescriptor,
  eip712Descriptor,
  emergencyDescriptor,
} from "../../../protocol/clearSigning/descriptor.ts";
import { DeveloperProvider } from "./provider.ts";

/** The reverse domain name by which sites tell this wallet from others (EIP-6963). */
export const DEVELOPER_WALLET_RDNS = "local.examkey.developer-wallet";

const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 36 36'%3E%3Crect width='36' height='36' rx='9' fill='%238a5300'/%3E%3Cpath d='M15 8h6M16 8v7l-6 11a2 2 0 0 0 2 3h12a2 2 0 0 0 2-3l-6-11V8M13 21h10' fill='none' stroke='%23fff' stroke-width='2' stroke-linecap='round' stroke-linejoin='round'/%3E%3C/svg%3E";

/**
 * Offers the developer wallet to the page as any extension would (EIP-6963), where the gateway names personas: a gateway
 * does so in the local demo only.
 */
export function installDeveloperWallet(discovery: Discovery): DeveloperProvider | null {
  if (!discovery.personas || discovery.personas.length === 0) return null;
  const { chainId } = discovery;
  const { emergencyAccess } = discovery.contracts;
  const consentLedger = getAddress(discovery.contracts.consentLedger);
  const provider = new DeveloperProvider({
    personas: discovery.personas,
    rpcUrl: discovery.rpcUrl,
    chainId,
    descriptors: [
      eip712Descriptor({ chainId, consentLedger }),
      calldataDescriptor({ chainId, consentLedger }),
      ...(emergencyAccess
        ? [emergencyDescriptor({ chainId, emergencyAccess: getAddress(emergencyAccess) })]
        : []),
    ],
    chain: createPublicClient({ transport: http(discovery.rpcUrl) }),
  });
  const detail = Object.freeze({
    info: { uuid: crypto.randomUUID(), name: "Developer wallet", icon: ICON, rdns: DEVELOPER_WALLET_RDNS },
    provider,
  });
  const announce = () => window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
  window.addEventListener("eip6963:requestProvider", announce);
  announce();
  return provider;
}
