/** Seals decisions: what identifies somebody goes into envelopes, and what is left makes a receipt's digest. */
import { createCipheriv, createDecipheriv, createSecretKey } from "node:crypto";
import {
  contentsOf,
  ENVELOPE_IV,
  type EnvelopeContents,
  envelopeKey,
  envelopeOf,
  envelopesRoot,
  envelopeText,
  partsOf,
} from "../../protocol/envelope.ts";
import type { Hex } from "../../protocol/hash.ts";
import type { ProblemReason } from "../../protocol/reasons.ts";
import { type Decided, type Opened, receiptDigest } from "../../protocol/receipt.ts";
import { type EnvelopeKey, type EnvelopeKeys, random } from "./envelopeKeys.ts";

/** A decision to record; addresses in lower case. */
export type Decision = Decided & {
  reason: ProblemReason | "permitted";
  caller: Hex;
  tokenId: string;
  /** The exam asked for, or those that a search showed; none where no exam stands behind it. */
  exams: readonly Hex[];
};

/** A decision without anything that identifies somebody, but in envelopes. */
export type Sealed = {
  decided: Decided & { reason: Decision["reason"] };
  envelopes: Hex[];
  root: Hex;
  digest: Hex;
  /** For the caller: null where it would tell them more than they were answered. */
  opened: Opened | null;
};

/** AES-256-GCM's tag, in bytes. */
const TAG = 16;

/** Seal decisions under the keys of their exams, or of their callers. */
export async function sealAll(keys: EnvelopeKeys, decisions: readonly Decision[]): Promise<Sealed[]> {
  const found = await keys.of(new Set(decisions.flatMap(subjectsOf)));
  return decisions.map((decision) => seal(decision, found));
}

/** What an envelope says, with its key; null where it is none of this key's, or was changed. */
export function openEnvelope(
  envelope: Hex,
  { keyId, key: subjectKey }: EnvelopeKey,
): (EnvelopeContents & { keyId: Hex; salt: Hex; key: Hex }) | null {
  const { salt, ciphertext, ...parts } = partsOf(envelope);
  const key = envelopeKey(subjectKey, salt);
  const decipher = createDecipheriv("aes-256-gcm", bytesOf(key), ENVELOPE_IV);
  decipher.setAuthTag(ciphertext.subarray(-TAG));
  try {
    const text = Buffer.concat([decipher.update(ciphertext.subarray(0, -TAG)), decipher.final()]);
    const isOfThisKey = parts.keyId === keyId && envelopeOf({ keyId, salt }, key, ciphertext) === envelope;
    return isOfThisKey ? { ...contentsOf(text), keyId, salt, key } : null;
  } catch {
    return null;
  }
}

function subjectsOf({ exams, caller }: Decision): readonly Hex[] {
  return exams.length > 0 ? exams : [caller];
}

function seal(decision: Decision, keys: ReadonlyMap<Hex, EnvelopeKey>): Sealed {
  const { caller, tokenId, exams: _, ...decided } = decision;
  const made = subjectsOf(decision).map((subject) => {
    const found = keys.get(subject);
    if (!found) throw new Error("A key of the audit is missing.");
    const examId = subject === caller ? null : subject;
    return sealEnvelope({ caller, tokenId, examId }, found);
  });
  const envelopes = made.map(({ envelope }) => envelope);
  const root = envelopesRoot(envelopes);
  const [only, ...more] = made;
  // A denial is worded alike whether there is such an exam or not, and so is its receipt.
  const isTold = decided.reason === "permitted" && only !== undefined && more.length === 0;
  return {
    decided,
    envelopes,
    root,
    digest: receiptDigest({ ...decided, envelopes: root }),
    opened: isTold ? only.opened : null,
  };
}

function sealEnvelope(contents: EnvelopeContents, { keyId, key: subjectKey }: EnvelopeKey) {
  const salt = random(16);
  const key = envelopeKey(subjectKey, salt);
  const cipher = createCipheriv("aes-256-gcm", createSecretKey(key.slice(2), "hex"), ENVELOPE_IV);
  const text = [cipher.update(envelopeText(contents)), cipher.final(), cipher.getAuthTag()];
  const envelope = envelopeOf({ keyId, salt }, key, Buffer.concat(text));
  const opened: Opened = { ...contents, keyId, salt, key, siblings: [] };
  return { envelope, opened };
}

function bytesOf(hex: Hex): Buffer {
  return Buffer.from(hex.slice(2), "hex");
}
