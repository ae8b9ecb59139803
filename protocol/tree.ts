/**
 * How a Merkle tree grows over leaves in a given order. How its nodes are hashed, merkle.ts and receiptTree.ts say.
 */
import type { Hex } from "./hash.ts";

/** The node above two others. */
export type Parent = (left: Hex, right: Hex) => Hex;

/** The root over at least one leaf. */
export function rootOver(leaves: readonly Hex[], parent: Parent): Hex {
  return levelsOver(leaves, parent).at(-1)?.[0] as Hex;
}

/** The sibling of the leaf at `position`, and of each node above it that has one, from the leaf up. */
export function siblingsOf(leaves: readonly Hex[], position: number, parent: Parent): Hex[] {
  return siblingsIn(levelsOver(leaves, parent), position);
}

/** All of a tree, from the leaves up to the root. */
export function levelsOver(leaves: readonly Hex[], parent: Parent): (readonly Hex[])[] {
  const levels = [leaves];
  for (let level = leaves; level.length > 1; levels.push(level)) level = levelAbove(level, parent);
  return levels;
}

/** As `siblingsOf`, in a tree that is grown already. */
export function siblingsIn(levels: readonly (readonly Hex[])[], position: number): Hex[] {
  return levels.flatMap((level, height) => level[(position >> height) ^ 1] ?? []);
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
