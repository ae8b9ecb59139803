/**
 * Envelopes: what identifies somebody in a receipt, encrypted with a key that can be destroyed.
 *
 * There is one for each exam that a decision is about, under a key of that exam's, and where there is none, one under a
 * key of the caller's. A receipt commits to its envelopes as they are, so that it can be checked with or without keys.
 * Each has a key of its own, derived one-way: whoever is given one opens that envelope and no other. The cipher alone
 * would let its maker find two keys that open it to two texts; so an envelope holds the digest of its key, its `lock`.
 */
import { concatBytes, hexToBytes } from "@noble/hashes/utils.js";
import { ProtocolError } from "./errors.ts";
import { type Hex, taggedHash, textBytes, toHex, wordBytes } from "./hash.ts";
import { merkleProof, merkleRoot } from "./merkle.ts";

/** Who asked, with which token, for which exam; addresses in lower case. */
export type EnvelopeContents = {
  caller: Hex;
  tokenId: string;
  /** Null where no exam stands behind what was asked for. */
  examId: Hex | null;
};

/** What an envelope holds besides its ciphertext. `keyId` and `salt` are 16 random bytes: of the exam's or caller's key, of the envelope. */
export type EnvelopeSeal = { keyId: Hex; salt: Hex };

const NO_EXAM: Hex = `0x${"0".repeat(64)}`;

/** Bytes before the ciphertext: key id, salt, lock. */
const KEY_ID_END = 16;
const SALT_END = 32;
const LOCK_END = 64;

/** The key of one envelope, from the exam's or caller's: `H(ENVELOPE_KEY, key, salt)`. For AES-256-GCM, with `ENVELOPE_IV`. */
export function envelopeKey(key: Hex, salt: Hex): Hex {
  return taggedHash("ENVELOPE_KEY", wordBytes(key), hexToBytes(salt.slice(2)));
}

/** All zeros: an envelope's key encrypts once. */
export const ENVELOPE_IV = new Uint8Array(12);

/** The text that is encrypted. */
export function envelopeText({ caller, tokenId, examId }: EnvelopeContents): Uint8Array {
  return concatBytes(hexToBytes(caller.slice(2)), wordBytes(examId ?? NO_EXAM), textBytes(tokenId));
}

/** What a text that was decrypted says. */
export function contentsOf(text: Uint8Array): EnvelopeContents {
  const examId = toHex(text.subarray(20, 52));
  return {
    caller: toHex(text.subarray(0, 20)),
    examId: examId === NO_EXAM ? null : examId,
    tokenId: new TextDecoder().decode(text.subarray(52)),
  };
}

/** The envelope, from its parts. @param ciphertext with the cipher's tag of 16 bytes behind it */
export function envelopeOf({ keyId, salt }: EnvelopeSeal, key: Hex, ciphertext: Uint8Array): Hex {
  const lock = taggedHash("ENVELOPE_LOCK", wordBytes(key));
  return toHex(
    concatBytes(hexToBytes(keyId.slice(2)), hexToBytes(salt.slice(2)), hexToBytes(lock.slice(2)), ciphertext),
  );
}

/** The parts of an envelope. @throws {ProtocolError} `invalid-envelope` */
export function partsOf(envelope: Hex): EnvelopeSeal & { lock: Hex; ciphertext: Uint8Array } {
  const bytes = hexToBytes(envelope.slice(2));
  if (bytes.length <= LOCK_END) throw new ProtocolError("invalid-envelope", "Too short for an envelope.");
  return {
    keyId: toHex(bytes.subarray(0, KEY_ID_END)),
    salt: toHex(bytes.subarray(KEY_ID_END, SALT_END)),
    lock: toHex(bytes.subarray(SALT_END, LOCK_END)),
    ciphertext: bytes.subarray(LOCK_END),
  };
}

/** What a receipt commits to for one envelope: `H(ENVELOPE, envelope)`. */
export function envelopeDigest(envelope: Hex): Hex {
  return taggedHash("ENVELOPE", hexToBytes(envelope.slice(2)));
}

/** What a receipt commits to for all its envelopes: the root over their digests, as merkle.ts grows it. */
export function envelopesRoot(envelopes: readonly Hex[]): Hex {
  return merkleRoot(envelopes.map(envelopeDigest));
}

/** What proves that one envelope is among those of a receipt. */
export function envelopeProof(envelopes: readonly Hex[], envelope: Hex): Hex[] {
  return merkleProof(envelopes.map(envelopeDigest), envelopeDigest(envelope));
}

/** The envelope with these contents, made again from its own key: to check what somebody says is in it. */
export async function sealAgain(contents: EnvelopeContents, seal: EnvelopeSeal, key: Hex): Promise<Hex> {
  const cipher = { name: "AES-GCM", iv: ENVELOPE_IV };
  const { subtle } = globalThis.crypto;
  const imported = await subtle.importKey("raw", new Uint8Array(wordBytes(key)), cipher, false, ["encrypt"]);
  const ciphertext = await subtle.encrypt(cipher, imported, new Uint8Array(envelopeText(contents)));
  return envelopeOf(seal, key, new Uint8Array(ciphertext));
}
