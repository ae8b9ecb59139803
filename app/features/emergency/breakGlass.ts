/** Breaks the glass: what the badge signs, and what the gateway is sent for it. */
import { type Address, getTypesForEIP712Domain, type Hex, type PublicClient } from "viem";
import { emergencyAccessAbi } from "../../../protocol/abi/emergencyAccess.ts";
import type { EmergencyRequest } from "../../../protocol/api.ts";
import { blindedGrantee, newSalt } from "../../../protocol/ids.ts";
import { EMERGENCY_REASONS, type EmergencyReason } from "../../../protocol/reasons.ts";
import { EMERGENCY_TYPES, emergencyDomain } from "../../../protocol/typedData.ts";
import { nowSeconds } from "../../words/index.ts";

/** What a practitioner says when they break the glass. */
export interface Breaking {
  emergencyAccess: Address;
  chainId: number;
  examId: Hex;
  /** Who will read: the account that is signed in. */
  reader: Address;
  badge: Address;
  /** The badge of a colleague who signs too; null for nobody. */
  second: Address | null;
  reason: EmergencyReason;
  hours: number;
}

/** Seconds by which an emergency ends early: the chain's clock may be behind, and it counts four hours at most. */
const MARGIN = 60;

/** Typed data as wallets take it (`eth_signTypedData_v4`): integers of any size as their digits. */
function jsonOf(typedData: object): string {
  return JSON.stringify(typedData, (_, value) => (typeof value === "bigint" ? value.toString() : value));
}

/**
 * The signed request. How often the exam was opened before comes from the chain, not from the gateway's word.
 * @param sign asks the wallet for a badge's signature over typed data (EIP-712) in JSON; its refusal passes through
 */
export async function signEmergency(
  client: PublicClient,
  { emergencyAccess, chainId, examId, reader, badge, second, reason, hours }: Breaking,
  sign: (badge: Address, typedData: string) => Promise<string>,
): Promise<EmergencyRequest> {
  const [count] = await client.readContract({
    address: emergencyAccess,
    abi: emergencyAccessAbi,
    functionName: "historyOf",
    args: [examId],
  });
  const salt = newSalt();
  const signed = {
    examId,
    reader: blindedGrantee(reader, salt),
    reason: EMERGENCY_REASONS.indexOf(reason),
    until: nowSeconds() + hours * 3_600 - MARGIN,
    count,
  };
  const domain = emergencyDomain(chainId, emergencyAccess);
  const types = { EIP712Domain: getTypesForEIP712Domain({ domain }), ...EMERGENCY_TYPES };
  const signedBy = (by: Address) =>
    sign(by, jsonOf({ domain, types, primaryType: "Emergency", message: { ...signed, badge: by } }));
  const signature = await signedBy(badge);
  return {
    examId,
    salt,
    reason,
    until: signed.until,
    count: Number(count),
    signature,
    second: second === null ? null : { badge: second, signature: await signedBy(second) },
  };
}
