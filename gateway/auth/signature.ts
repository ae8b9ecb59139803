/** Whose signature it is: a key's, or a contract wallet's, deployed (ERC-1271) or not yet (ERC-6492). */
import { createPublicClient, http, isAddressEqual, type PublicClient, recoverMessageAddress } from "viem";
import type { Hex } from "../../protocol/hash.ts";
import { Problem } from "../problem.ts";

export type Signed = { address: Hex; message: string; signature: Hex };

/** viem knows how to ask contract wallets, deployed or not, in one call. */
export function signatureClient(rpcUrl: string): PublicClient {
  return createPublicClient({ transport: http(rpcUrl, { timeout: 5_000, retryCount: 0 }) });
}

/**
 * Check that the address signed the message, and say with what. A key's signature needs no chain.
 * @throws {Problem} `signature-invalid`, `chain-unavailable`
 */
export async function checkSignature(client: PublicClient, signed: Signed): Promise<"key" | "contract"> {
  if (await isSignedByKey(signed)) return "key";
  let isValid: boolean;
  try {
    isValid = await client.verifyMessage(signed);
  } catch (cause) {
    throw new Problem("chain-unavailable", undefined, { cause });
  }
  if (!isValid) throw new Problem("signature-invalid");
  return "contract";
}

async function isSignedByKey({ address, message, signature }: Signed): Promise<boolean> {
  try {
    return isAddressEqual(await recoverMessageAddress({ message, signature }), address);
  } catch {
    // Not 65 bytes, or no point on the curve: a contract wallet may still know it.
    return false;
  }
}
