/**
 * Merkle trees whose leaves have no order: manifests, and batches of pointers.
 *
 * Leaves are sorted and pairs are hashed in order of value: a proof needs no positions, and the root does not
 * depend on the order in which an archive lists what it holds. `contracts/libraries/Ids.sol` hashes alike.
 */
import { ProtocolError } from "./errors.ts";
import { type Hex, taggedHash, wordBytes } from "./hash.ts";
import { levelsOver, rootOver, siblingsIn } from "./tree.ts";

/** The root over leaves given in any order. @throws {ProtocolError} `empty-tree`, `duplicate-leaf` */
export function merkleRoot(leaves: readonly Hex[]): Hex {
  return rootOver(sortedLeaves(leaves), node);
}

/**
 * What proves that a leaf is under the root: the sibling at each level that has one.
 * @throws {ProtocolError} `empty-tree`, `duplicate-leaf`, `unknown-leaf`
 */
export function merkleProof(leaves: readonly Hex[], leaf: Hex): Hex[] {
  const [proof = []] = merkleProofs(leaves, [leaf]);
  return proof;
}

/** As `merkleProof`, for several leaves of one tree, in the order in which they are given. */
export function merkleProofs(leaves: readonly Hex[], chosen: readonly Hex[]): Hex[][] {
  const sorted = sortedLeaves(leaves);
  const levels = levelsOver(sorted, node);
  const positions = new Map(sorted.map((leaf, position) => [leaf, position]));
  return chosen.map((leaf) => {
    const position = positions.get(leaf);
    if (position === undefined) throw new ProtocolError("unknown-leaf", `Not a leaf of this tree: ${leaf}`);
    return siblingsIn(levels, position);
  });
}

/** Whether the proof leads from the leaf to the root. */
export function verifyMerkleProof(root: Hex, leaf: Hex, proof: readonly Hex[]): boolean {
  return proof.reduce(node, leaf) === root;
}

function node(a: Hex, b: Hex): Hex {
  return a < b
    ? taggedHash("NODE", wordBytes(a), wordBytes(b))
    : taggedHash("NODE", wordBytes(b), wordBytes(a));
}

function sortedLeaves(leaves: readonly Hex[]): Hex[] {
  if (leaves.length === 0) throw new ProtocolError("empty-tree", "A tree needs at least one leaf.");
  const sorted = leaves.toSorted();
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i] === sorted[i - 1])
      throw new ProtocolError("duplicate-leaf", `Leaf given twice: ${sorted[i]}`);
  }
  return sorted;
}
