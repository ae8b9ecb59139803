/** Checks a receipt that a reader was given: whom it binds, what it says, and whether the log has it. */
import type { Hex } from "../../protocol/hash.ts";
import { holds, type Receipt, receiptDigest, signedPartOf } from "../../protocol/receipt.ts";
import { type Anchor, type AuditChain, dayOf } from "./chain.ts";

/** Who must have signed a receipt. */
export interface SignerContext {
  chain: Pick<AuditChain, "isSigned">;
  custodian: Hex;
}

/** What a receipt says, in words. */
export function describeReceipt({ sequence, decidedAt, opened, ...receipt }: Receipt): string {
  const who = opened ? `${opened.caller} asked` : "somebody asked";
  const what = opened?.examId ? ` for exam ${opened.examId}` : "";
  const why = receipt.reason === "permitted" ? "permitted" : `denied (${receipt.reason})`;
  const when = new Date(decidedAt).toISOString();
  return `Receipt ${sequence}: at ${when}, ${who}${what} (${receipt.route}, ${receipt.action}, for ${receipt.purpose}): ${why}.`;
}

/** Why a receipt binds nobody; empty where the custodian's operator signed it as it is. */
export async function checkSignature(
  receipt: Receipt,
  { chain, custodian }: SignerContext,
): Promise<string[]> {
  if (receipt.custodian !== custodian)
    return [`The receipt is of another custodian, ${receipt.custodian}, and says nothing of this one's log.`];
  const part = signedPartOf(receipt);
  if (!part || !(await chain.isSigned(part, receipt.signed.signature)))
    return ["No operator of the custodian signed this receipt: it proves nothing."];
  if (receipt.opened && !(await holds(receipt.envelopes, receipt.opened)))
    return ["What the receipt says of caller and exam is not what was signed."];
  return [];
}

/** What the log makes of a receipt that the operator signed. @param found the digest under its number there; null for none */
export function compareWithLog(
  receipt: Receipt,
  found: Hex | null,
  anchors: readonly Anchor[],
): { finding?: string; said?: string } {
  const { sequence } = receipt;
  if (found === null)
    return {
      finding: `The log has no receipt ${sequence}, which the operator signed: it was left out or removed.`,
    };
  if (found !== receiptDigest(receipt))
    return {
      finding: `The log has another receipt under number ${sequence} than the one that the operator signed.`,
    };
  const anchor = anchors.find(({ first, last }) => first <= sequence && sequence <= last);
  const where = anchor
    ? `It is among those that were anchored on ${dayOf(anchor)}.`
    : "It is not anchored yet: keep it until it is.";
  return { said: `The operator signed it, and the log has it. ${where}` };
}
