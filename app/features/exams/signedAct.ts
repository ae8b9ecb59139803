/** A patient's act as a message to sign (EIP-712), for a gateway that sends it. */
import type { Address, Hex, PublicClient } from "viem";
import type { Config } from "wagmi";
import { signTypedData } from "wagmi/actions";
import { consentLedgerAbi } from "../../../protocol/abi/consentLedger.ts";
import type { RelayQueue, RelayRequest } from "../../../protocol/relay.ts";
import { unpackMasks } from "../../../protocol/terms.ts";
import { ACT_TYPES, typedDataDomain } from "../../../protocol/typedData.ts";
import type { Act } from "./transaction.ts";

/** What the ledger has, and what waits at the gateway to be written there. */
export interface Standing {
  client: Pick<PublicClient, "readContract" | "getBlock">;
  ledger: Address;
  queue: RelayQueue;
}

/** An act and its message, without the signature. */
export type Unsigned = Pick<RelayRequest, "act" | "message">;

/** Seconds for which a signature is good: to open for a day, so that nothing opens when nobody expects it; to close for a week. */
const VALID = { grant: 86_400, revoke: 7 * 86_400, revokeAll: 7 * 86_400 };

/** The message for an act as things stand: with the nonces that come after the ledger's, and after those that wait. */
export async function unsignedOf(act: Act, patient: Address, standing: Standing): Promise<Unsigned> {
  const { client, ledger, queue } = standing;
  const read = { address: ledger, abi: consentLedgerAbi } as const;
  const [{ epoch, revocations }, { timestamp }] = await Promise.all([
    client.readContract({ ...read, functionName: "patientOf", args: [patient] }),
    client.getBlock(),
  ]);
  const deadline = (timestamp + BigInt(VALID[act.name])).toString();
  if (act.name === "revokeAll") {
    const nonce = nextNonce(revocations, queue, { resource: null, grantee: null });
    return { act: "RevokeAll", message: { patient, nonce, deadline } };
  }
  const [resource, grantee] = act.args;
  const slot = await client.readContract({
    ...read,
    functionName: "grantOf",
    args: [patient, resource, grantee],
  });
  const nonce = nextNonce(slot.nonce, queue, { resource, grantee });
  const common = { patient, resource, grantee, nonce, epoch: epoch.toString(), deadline };
  if (act.name === "revoke") return { act: "Revoke", message: common };
  return { act: "Grant", message: { ...common, ...unpackMasks(act.args[2]) } };
}

/** The first nonce that neither the ledger nor an act that waits has used. */
function nextNonce(
  current: bigint,
  { acts }: RelayQueue,
  wanted: { resource: Hex | null; grantee: Hex | null },
): string {
  const waiting = acts
    .flatMap(({ slots }) => slots)
    .filter(({ resource, grantee }) => resource === wanted.resource && grantee === wanted.grantee)
    .map(({ nonce }) => nonce + 1);
  return String(Math.max(Number(current), ...waiting));
}

/** Have the wallet sign it. Errors of the wallet pass through unchanged. */
export async function sign(
  config: Config,
  { act, message }: Unsigned,
  { account, chainId, ledger }: { account: Address; chainId: number; ledger: Address },
): Promise<RelayRequest> {
  const types = { [act]: ACT_TYPES[act] };
  const domain = typedDataDomain(chainId, ledger);
  const signature = await signTypedData(config, {
    account,
    domain,
    types,
    primaryType: act,
    message: wholeNumbers(message),
  });
  return { act, message, signature } as RelayRequest;
}

/** Decimal text as the numbers that it says; words and addresses as they are. */
function wholeNumbers(message: Unsigned["message"]): Record<string, unknown> {
  const entries = Object.entries(message).map(([name, value]) => {
    const isDigits = typeof value === "string" && /^\d+$/.test(value);
    return [name, isDigits ? BigInt(value) : value];
  });
  return Object.fromEntries(entries);
}
