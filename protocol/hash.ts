/**
 * Type-tagged Keccak-256: every hash starts with the hash of its kind's name, so that no value of one
 * kind can pass for another. Only the last part may vary in length, which keeps the encoding unambiguous
 * and, where every part is a word, equal to Solidity's `keccak256(abi.encode(tag, …))`.
 */
import { keccak_256 } from "@noble/hashes/sha3.js";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { ProtocolError } from "./errors.ts";

/** Bytes as `0x` and lower-case hexadecimal digits. */
export type Hex = `0x${string}`;

/** What is hashed: the tags are the Keccak-256 of these names, here and, for what the chain computes, in `contracts/libraries/Ids.sol`. */
const KINDS = {
  STUDY: "ExamKey.Study",
  EXAM: "ExamKey.Exam",
  SERIES_SALT: "ExamKey.SeriesSalt",
  SERIES_COMMITMENT: "ExamKey.SeriesCommitment",
  SERIES: "ExamKey.Series",
  EXAMS_AT: "ExamKey.ExamsAt",
  ALL_EXAMS: "ExamKey.AllExams",
  GRANTEE: "ExamKey.Grantee",
  POINTER: "ExamKey.Pointer",
  LEAF_SALT: "ExamKey.LeafSalt",
  LEAF: "ExamKey.Leaf",
  NODE: "ExamKey.Node",
  RECEIPT: "ExamKey.Receipt",
  RECEIPT_NODE: "ExamKey.ReceiptNode",
  RECEIPT_BODY: "ExamKey.ReceiptBody",
  ENVELOPE: "ExamKey.Envelope",
  ENVELOPE_KEY: "ExamKey.EnvelopeKey",
  ENVELOPE_LOCK: "ExamKey.EnvelopeLock",
  PATIENT_ID: "ExamKey.PatientId",
} as const;

export type Kind = keyof typeof KINDS;

/** The tag of each kind of hash. */
export const TAGS = Object.fromEntries(
  Object.entries(KINDS).map(([kind, name]) => [kind, toHex(keccak_256(utf8ToBytes(name)))]),
) as Readonly<Record<Kind, Hex>>;

const TAG_BYTES = Object.fromEntries(
  Object.entries(TAGS).map(([kind, tag]) => [kind, hexToBytes(tag.slice(2))]),
) as Readonly<Record<Kind, Uint8Array>>;

/** Keccak-256 over the kind's tag and the parts, in order. All parts but the last must be of a fixed length. */
export function taggedHash(kind: Kind, ...parts: Uint8Array[]): Hex {
  return toHex(keccak_256(concatBytes(TAG_BYTES[kind], ...parts)));
}

/** A part of variable length, or a text that is hashed first so that it becomes a word. */
export function textBytes(text: string): Uint8Array {
  return utf8ToBytes(text);
}

/** Keccak-256 of a text, as a word: for texts that are not the last part. */
export function textWord(text: string): Uint8Array {
  return keccak_256(utf8ToBytes(text));
}

/** A 32-byte word from its hexadecimal form. @throws {ProtocolError} `invalid-hex` */
export function wordBytes(word: Hex): Uint8Array {
  if (!/^0x[0-9a-fA-F]{64}$/.test(word)) {
    throw new ProtocolError("invalid-hex", `Not a 32-byte word in hexadecimal: ${word}`);
  }
  return hexToBytes(word.slice(2));
}

/** A non-negative integer as a 32-byte big-endian word. */
export function integerWord(value: number | bigint): Uint8Array {
  return hexToBytes(value.toString(16).padStart(64, "0"));
}

/** An address as a word, left-padded with zeros. @throws {ProtocolError} `invalid-address` */
export function addressWord(address: string): Uint8Array {
  if (!/^0x[0-9a-fA-F]{40}$/.test(address)) {
    throw new ProtocolError("invalid-address", `Not an address: ${address}`);
  }
  return hexToBytes(address.slice(2).padStart(64, "0"));
}

/** Bytes to lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): Hex {
  return `0x${bytesToHex(bytes)}`;
}
