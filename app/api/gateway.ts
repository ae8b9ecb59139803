import { type Address, getAddress } from "viem";
import { type Discovery, discoverySchema } from "../../protocol/api.ts";
import { askJson } from "./request.ts";

/** A custodian's gateway that answers and stands on the app's chain. */
export interface Gateway {
  custodian: Address;
  /** As the registry names the custodian. */
  name: string;
  /** Where requests go, without a trailing slash. */
  base: string;
  /** The origin that the gateway calls itself by: EIP-4361's URI, and the only other place a token may go. */
  publicOrigin: string;
  dicomwebRoot: string;
  /** Whether it sends what its patients sign, and pays for it. */
  relay: boolean;
  /** The contract that emergencies are opened in; null where the gateway honours none. */
  emergencyAccess: Address | null;
}

/** A gateway's own account of itself. */
export function fetchDiscovery(base: string, signal?: AbortSignal): Promise<Discovery> {
  return askJson(`${base}/.well-known/examkey`, discoverySchema, { signal });
}

/** Why a gateway is not used although it answers. */
export type Mismatch = "other-chain" | "other-ledger" | "other-custodian" | "other-address";

/**
 * Whether a gateway speaks for the custodian that the registry names, on the same chain and ledger as `home`.
 * A chain id alone proves little: every local chain has the same one, so the genesis hash must agree too.
 */
export function mismatchOf(
  found: Discovery,
  home: Discovery,
  expected: { custodian: string; url: string },
): Mismatch | null {
  if (found.chainId !== home.chainId || found.genesisHash !== home.genesisHash) return "other-chain";
  if (getAddress(found.contracts.consentLedger) !== getAddress(home.contracts.consentLedger))
    return "other-ledger";
  if (getAddress(found.custodian) !== getAddress(expected.custodian)) return "other-custodian";
  if (new URL(found.dicomwebRoot).origin !== new URL(expected.url).origin) return "other-address";
  return null;
}

/** Whether a token of this gateway may be sent to `url`. */
export function belongsTo(gateway: Pick<Gateway, "base" | "publicOrigin">, url: string): boolean {
  const { origin } = new URL(url);
  return origin === gateway.publicOrigin || origin === new URL(gateway.base).origin;
}
