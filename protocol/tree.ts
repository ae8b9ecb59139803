/**
 * How a Merkle tree grows over leaves in a given order. How its nodes are hashed, merkle.ts and receiptTree.ts say.
 */
import type { Hex } from "./hash.ts";

/** The node above two others. */
export type Parent = (left: Hex, right: Hex) => Hex;

/** The root over at least one leaf. */
export function rootOver(leaves: readonly Hex[], parent: Parent): Hex {
  let level = leaves;
  while (level.length > 1) level = levelAbove(level, parent);
  return level[0] as Hex;
}

/** The sibling of the leaf at `position`, and of each node above it that has one, from the leaf up. */
export function siblingsOf(leaves: readonly Hex[], position: number, parent: Parent): Hex[] {
  const siblings: Hex[] = [];
  let at = position;
  for (let level = leaves; level.length > 1; level = levelAbove(level, parent)) {
    const sibling = level[at ^ 1];
    if (sibling) siblings.push(sibling);
    at >>= 1;
  }
  return siblings;
}

/** A last node without a sibling rises as it is. */
function levelAbove(level: readonly Hex[], parent: Parent): Hex[] {
  const above: Hex[] = [];
  for (let i = 0; i < level.length; i += 2) {
    const [left, right] = [level[i] as Hex, level[i + 1]];
    above.push(right ? parent(left, right) : left);
  }
  return above;
}
