/**
 * Receipts: the gateway's signed record of one decision.
 *
 * In clear a receipt says when, why and what kind of question was decided, at which block, and how. Who asked for which
 * exam is in its envelopes (envelope.ts). Its digest is what `AccessLog` anchors at its sequence number; the operator signs
 * the root over the receipts that were written together (typedData.ts, `Receipts`).
 */
import { z } from "zod";
import { envelopeDigest, sealAgain } from "./envelope.ts";
import { ProtocolError } from "./errors.ts";
import { type Hex, integerWord, taggedHash, textBytes, wordBytes } from "./hash.ts";
import { verifyMerkleProof } from "./merkle.ts";
import { rootFrom } from "./receiptTree.ts";
import { ACTIONS, PURPOSES } from "./terms.ts";
import type { SignedReceipts } from "./typedData.ts";

/** The digest that stands for a receipt that a log has lost: no receipt has it. */
export const LOST: Hex = `0x${"0".repeat(64)}`;

/** The header that a receipt comes with, beside an answer. */
export const RECEIPT_HEADER = "examkey-receipt";

/** The action of a receipt that says that keys were destroyed: those whose ids its envelopes begin with. */
export const ERASE = "ERASE";

const bytes = (pattern: RegExp) => z.templateLiteral(["0x", z.string().regex(pattern)]);
const address = bytes(/^[0-9a-f]{40}$/);
const word = bytes(/^[0-9a-f]{64}$/);
const sixteen = bytes(/^[0-9a-f]{32}$/);
const whole = z.int().nonnegative();
const sequence = z.int().positive();

/** What a receipt says in clear. */
export const decidedSchema = z.object({
  /** Milliseconds since 1970-01-01 UTC. */
  decidedAt: whole,
  purpose: z.enum(PURPOSES),
  action: z.enum([...ACTIONS, ERASE]),
  /** `permitted`, or the reason that the caller was given (reasons.ts). */
  reason: z.string().regex(/^[a-z-]+$/),
  /** Which kind of question, such as `WADO-RS instance frames`. */
  route: z.string().regex(/^[^\n]*$/),
  /** Whether it rests on an emergency, not on the patient's grants alone. Receipts of before there were any do not say. */
  emergency: z.boolean().default(false),
  chainId: whole,
  /** The block that it was decided at; null where no chain could be asked. */
  blockNumber: whole.nullable(),
  blockHash: word.nullable(),
});

/** An envelope, opened: who asked for which exam, what seals it again, and what proves it to be among the receipt's. */
export const openedSchema = z.object({
  caller: address,
  tokenId: z.string(),
  examId: word.nullable(),
  keyId: sixteen,
  salt: sixteen,
  key: word,
  siblings: z.array(word),
});

/** What the operator signed, with what leads there from this receipt. */
const signedSchema = z.object({
  first: sequence,
  last: sequence,
  signedAt: whole,
  /** From this receipt to the root over `first` to `last`. */
  siblings: z.array(word),
  signature: bytes(/^[0-9a-f]{130}$/),
});

/** An anchor that holds a receipt, and the proof that `AccessLog.verify` takes. `anchoredAt` in seconds. */
const anchoredSchema = z.object({
  index: whole,
  first: sequence,
  last: sequence,
  anchoredAt: whole,
  siblings: z.array(word),
});

/** A receipt as it is given: to the caller, beside the answer, or to the patient. */
export const receiptSchema = decidedSchema.extend({
  custodian: address,
  sequence,
  /** The root over the digests of the envelopes. */
  envelopes: word,
  /** Null where there is more than one envelope, and with a denial: it must not tell whether there is such an exam. */
  opened: openedSchema.nullable(),
  signed: signedSchema,
});

/** A receipt about an exam, as its patient is given it. */
export const ownReceiptSchema = receiptSchema.extend({
  opened: openedSchema,
  /** Null where the gateway has lost it. */
  signed: signedSchema.nullable(),
  /** Null as long as it is not anchored, and where what was anchored is not what the gateway has. */
  anchored: anchoredSchema.nullable(),
});

/**
 * A receipt as the log holds it, in `GET /audit/receipts` of the admin API. With it, the leaf can be computed anew; nobody is
 * named without the keys.
 */
export const loggedReceiptSchema = decidedSchema.extend({
  sequence,
  envelopes: z.array(bytes(/^([0-9a-f]{2})+$/)),
  digest: word,
  /** With the last of those that were written together: what the operator signed over all of them. */
  signed: signedSchema.pick({ first: true, signedAt: true, signature: true }).nullable(),
});

/** `GET /exams/:examId/receipts`: every decision about an exam of the caller's, newest first. */
export const ownReceiptsSchema = z.object({
  /** Null where receipts are not anchored. */
  accessLog: address.nullable(),
  receipts: z.array(ownReceiptSchema),
  /** For `?before=`: what comes next; null at the end. */
  next: sequence.nullable(),
});

export type Decided = z.infer<typeof decidedSchema>;
export type Opened = z.infer<typeof openedSchema>;
export type Receipt = z.infer<typeof receiptSchema>;
export type LoggedReceipt = z.infer<typeof loggedReceiptSchema>;
export type OwnReceipt = z.infer<typeof ownReceiptSchema>;
export type OwnReceipts = z.infer<typeof ownReceiptsSchema>;

const NO_BLOCK: Hex = `0x${"0".repeat(64)}`;

/**
 * The digest that is anchored: `H(RECEIPT_BODY, decidedAt, chainId, blockNumber, blockHash, envelopes, text)`, where the text
 * is purpose, action, reason and route, a line each, and with an emergency a last line that says so. Without a block, number
 * and hash are zeros.
 */
export function receiptDigest(receipt: Decided & { envelopes: Hex }): Hex {
  const { purpose, action, reason, route, emergency } = receipt;
  return taggedHash(
    "RECEIPT_BODY",
    integerWord(receipt.decidedAt),
    integerWord(receipt.chainId),
    integerWord(receipt.blockNumber ?? 0),
    wordBytes(receipt.blockHash ?? NO_BLOCK),
    wordBytes(receipt.envelopes),
    textBytes([purpose, action, reason, route, ...(emergency ? ["emergency"] : [])].join("\n")),
  );
}

/** What the operator must have signed for this receipt (typedData.ts, `Receipts`); null where its parts do not fit together. */
export function signedPartOf(receipt: Receipt): SignedReceipts | null {
  const { first, last, signedAt, siblings } = receipt.signed;
  const range = { first: BigInt(first), last: BigInt(last) };
  const root = rootFrom(range, BigInt(receipt.sequence), receiptDigest(receipt), siblings);
  return root === null ? null : { custodian: receipt.custodian, ...range, root, signedAt: BigInt(signedAt) };
}

/** Whether what is said of an envelope is what the receipt commits to. */
export async function holds(envelopes: Hex, opened: Opened): Promise<boolean> {
  const envelope = await sealAgain(opened, opened, opened.key);
  return verifyMerkleProof(envelopes, envelopeDigest(envelope), opened.siblings);
}

/** A receipt as the header carries it: its JSON in base64url. All of it is ASCII. */
export function encodeReceipt(receipt: Receipt): string {
  return btoa(JSON.stringify(receipt)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** What a header carries. @throws {ProtocolError} `invalid-receipt` */
export function decodeReceipt(text: string): Receipt {
  try {
    return receiptSchema.parse(JSON.parse(atob(text.trim().replaceAll("-", "+").replaceAll("_", "/"))));
  } catch {
    throw new ProtocolError("invalid-receipt", "That is not a receipt as gateways give them.");
  }
}
