/**
 * Merkle trees whose leaves have no order: manifests, and batches of pointers.
 *
 * Leaves are sorted and pairs are hashed in order of value: a proof needs no positions, and the root does not
 * depend on the order in which an archive lists what it holds. `contracts/libraries/Ids.sol` hashes alike.
 */
import { ProtocolError } from "./errors.ts";
import { type Hex, taggedHash, wordBytes } from "./hash.ts";

/** The root over leaves given in any order. @throws {ProtocolError} `empty-tree`, `duplicate-leaf` */
export function merkleRoot(leaves: readonly Hex[]): Hex {
  let level = sortedLeaves(leaves);
  while (level.length > 1) level = levelAbove(level);
  return level[0] as Hex;
}

/**
 * What proves that a leaf is under the root: the sibling at each level that has one.
 * @throws {ProtocolError} `empty-tree`, `duplicate-leaf`, `unknown-leaf`
 */
export function merkleProof(leaves: readonly Hex[], leaf: Hex): Hex[] {
  let level = sortedLeaves(leaves);
  let index = level.indexOf(leaf);
  if (index < 0) throw new ProtocolError("unknown-leaf", `Not a leaf of this tree: ${leaf}`);
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
export function verifyMerkleProof(root: Hex, leaf: Hex, proof: readonly Hex[]): boolean {
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
  if (leaves.length === 0) throw new ProtocolError("empty-tree", "A tree needs at least one leaf.");
  const sorted = leaves.toSorted();
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i] === sorted[i - 1])
      throw new ProtocolError("duplicate-leaf", `Leaf given twice: ${sorted[i]}`);
  }
  return sorted;
}
