import { createHash } from "node:crypto";

/** `count` of the items, in their order; the same ones for the same seed. */
export function sample<T extends { id: number }>(items: readonly T[], count: number, seed: string): T[] {
  const lot = ({ id }: T) => createHash("sha256").update(`${seed} ${id}`).digest("hex");
  const drawn = new Set(items.toSorted((a, b) => lot(a).localeCompare(lot(b))).slice(0, count));
  return items.filter((item) => drawn.has(item));
}
