import { createContext, useContext } from "react";
import { type Address, defineChain, getAddress } from "viem";
import { createConfig, createStorage, http } from "wagmi";
import type { Discovery } from "../../../protocol/api.ts";

/** What the app knows from the gateway that serves it: the chain and the contracts everything rests on. */
export interface Home {
  discovery: Discovery;
  chainId: number;
  consentLedger: Address;
  custodianRegistry: Address;
}

/** The parts of a discovery answer that the app builds on. */
export function homeOf(discovery: Discovery): Home {
  return {
    discovery,
    chainId: discovery.chainId,
    consentLedger: getAddress(discovery.contracts.consentLedger),
    custodianRegistry: getAddress(discovery.contracts.custodianRegistry),
  };
}

/**
 * wagmi's configuration for the one chain that the gateway names. Wallets are found by EIP-6963 alone.
 * Each tab is a session of its own, so what is remembered ends with the tab.
 */
export function wagmiConfig({ discovery }: Home) {
  const chain = defineChain({
    id: discovery.chainId,
    name: discovery.chainName,
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [discovery.rpcUrl] } },
  });
  return createConfig({
    chains: [chain],
    transports: { [chain.id]: http(discovery.rpcUrl, { retryCount: 1, timeout: 8_000 }) },
    storage: createStorage({ storage: window.sessionStorage, key: "examkey.wallet" }),
    pollingInterval: 1_000,
  });
}

export const HomeContext = createContext<Home | null>(null);

/** The home gateway's account of itself. */
export function useHome(): Home {
  const home = useContext(HomeContext);
  if (!home) throw new Error("useHome is used outside of ConnectProvider");
  return home;
}
