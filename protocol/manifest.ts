/**
 * The manifest of an exam: a salted Merkle tree (see merkle.ts) over the digests of its frames' stored bytes.
 *
 * Its root stands in the exam's pointer. Leaf salts derive one-way from the exam's salt, so that a reader who
 * is given the salt of one frame can prove that frame, and can recompute nothing about the others.
 */
import { ProtocolError } from "./errors.ts";
import { type Hex, integerWord, taggedHash, textBytes, wordBytes } from "./hash.ts";
import { checkUid } from "./uid.ts";

/** SHA-256 of no bytes: the digest of frame 0, which stands for an instance without pixel data. */
export const NO_PIXELS: Hex = "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** One frame: `frame` counts from 1 as in DICOMweb, or is 0 with the digest `NO_PIXELS`. */
export type ManifestFrame = { sopInstanceUid: string; frame: number; digest: Hex };

/** The salt of one leaf, derived one-way from the exam's. */
export function leafSalt(examSalt: Hex, sopInstanceUid: string, frame: number): Hex {
  return taggedHash("LEAF_SALT", wordBytes(examSalt), frameWord(frame), textBytes(checkUid(sopInstanceUid)));
}

/** The leaf of one frame: `H(LEAF, leafSalt, frame, sha256 of the stored bytes, sopInstanceUid)`. */
export function manifestLeaf(salt: Hex, { sopInstanceUid, frame, digest }: ManifestFrame): Hex {
  return taggedHash(
    "LEAF",
    wordBytes(salt),
    frameWord(frame),
    wordBytes(digest),
    textBytes(checkUid(sopInstanceUid)),
  );
}

/** The leaves of an exam's frames. */
export function manifestLeaves(examSalt: Hex, frames: Iterable<ManifestFrame>): Hex[] {
  return Array.from(frames, (frame) =>
    manifestLeaf(leafSalt(examSalt, frame.sopInstanceUid, frame.frame), frame),
  );
}

function frameWord(frame: number): Uint8Array {
  if (!Number.isSafeInteger(frame) || frame < 0) {
    throw new ProtocolError("invalid-frame", `Not a frame number: ${frame}`);
  }
  return integerWord(frame);
}
