/**
 * The manifest of an exam: a salted Merkle tree over the digests of its frames' stored bytes.
 *
 * Its root stands in the exam's pointer. Leaf salts derive one-way from the exam's salt, so that a reader who
 * is given the salt of one frame can prove that frame, and can recompute nothing about the others. Leaves are
 * sorted and pairs are hashed in order of value: a proof needs no positions, and the root does not depend on
 * the order in which an archive lists its instances.
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

/** The root over leaves given in any order. @throws {ProtocolError} `empty-manifest`, `duplicate-leaf` */
export function manifestRoot(leaves: readonly Hex[]): Hex {
  let level = sortedLeaves(leaves);
  while (level.length > 1) level = levelAbove(level);
  return level[0] as Hex;
}

/**
 * What proves that a leaf is under the root: the sibling at each level that has one.
 * @throws {ProtocolError} `empty-manifest`, `duplicate-leaf`, `unknown-leaf`
 */
export function manifestProof(leaves: readonly Hex[], leaf: Hex): Hex[] {
  let level = sortedLeaves(leaves);
  let index = level.indexOf(leaf);
  if (index < 0) throw new ProtocolError("unknown-leaf", `Not a leaf of this manifest: ${leaf}`);
  const proof: Hex[] = [];
  while (level.length > 1) {
    const sibling = level[index ^ 1];
    if (sibling) proof.push(sibling);
    level = levelAbove(level);
    index >>= 1;
  }
  return proof;
}

/** Whether the proof leads from the leaf to the root. */
export function verifyManifestProof(root: Hex, leaf: Hex, proof: readonly Hex[]): boolean {
  return proof.reduce(node, leaf) === root;
}

/** A last node without a sibling rises as it is. */
function levelAbove(level: readonly Hex[]): Hex[] {
  const above: Hex[] = [];
  for (let i = 0; i < level.length; i += 2) {
    const [left, right] = [level[i] as Hex, level[i + 1]];
    above.push(right ? node(left, right) : left);
  }
  return above;
}

function node(a: Hex, b: Hex): Hex {
  return a < b
    ? taggedHash("NODE", wordBytes(a), wordBytes(b))
    : taggedHash("NODE", wordBytes(b), wordBytes(a));
}

function sortedLeaves(leaves: readonly Hex[]): Hex[] {
  if (leaves.length === 0)
    throw new ProtocolError("empty-manifest", "An exam without instances has no manifest.");
  const sorted = leaves.toSorted();
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i] === sorted[i - 1])
      throw new ProtocolError("duplicate-leaf", `Leaf given twice: ${sorted[i]}`);
  }
  return sorted;
}

function frameWord(frame: number): Uint8Array {
  if (!Number.isSafeInteger(frame) || frame < 0) {
    throw new ProtocolError("invalid-frame", `Not a frame number: ${frame}`);
  }
  return integerWord(frame);
}
