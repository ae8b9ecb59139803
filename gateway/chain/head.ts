/** When the head of the chain may be decided on. */
import type { ProblemReason } from "../../protocol/reasons.ts";
import type { Block } from "./provider.ts";

/** Milliseconds without a successful read of the head after which the chain counts as unavailable. */
export const LONGEST_SILENCE = 5_000;

/** Seconds by which a head may be ahead of the clock, as in Ethereum clients: clocks differ a little. */
const FUTURE_ALLOWED = 15;

/** What is known of the chain's head. */
export type HeadReading = {
  head: Block | null;
  /** Milliseconds since it was last read. */
  silence: number;
  /** The node answered with an ancestor of a head that it gave before. */
  goneBack: boolean;
};

/**
 * Why nothing may be decided on this head, or null where it may.
 * @param now seconds since 1970-01-01 UTC
 * @param maxAge seconds
 */
export function faultOfHead(
  { head, silence, goneBack }: HeadReading,
  { now, maxAge }: { now: number; maxAge: number },
): Extract<ProblemReason, "chain-unavailable" | "chain-stale"> | null {
  if (!head || silence > LONGEST_SILENCE) return "chain-unavailable";
  if (goneBack || now - head.timestamp > maxAge || head.timestamp - now > FUTURE_ALLOWED)
    return "chain-stale";
  return null;
}

/** How many recent blocks are remembered, to tell a reorganisation from a node that lags. */
const REMEMBERED = 512;

/** Hashes of recent heads and their parents, by number. */
export class RecentBlocks {
  readonly #hashes = new Map<number, string>();

  /** Remember a head of the canonical chain; what was known at its height and above is forgotten. */
  add(block: Block): void {
    for (const number of this.#hashes.keys()) if (number >= block.number) this.#hashes.delete(number);
    if (block.number > 0) this.#hashes.set(block.number - 1, block.parentHash);
    this.#hashes.set(block.number, block.hash);
    const oldest = block.number - REMEMBERED;
    for (const number of this.#hashes.keys()) if (number < oldest) this.#hashes.delete(number);
  }

  /** Whether a block contradicts what was seen before: proof of a reorganisation. */
  contradicts(block: Block): boolean {
    const known = this.#hashes.get(block.number);
    const parent = this.#hashes.get(block.number - 1);
    return (
      (known !== undefined && known !== block.hash) || (parent !== undefined && parent !== block.parentHash)
    );
  }
}
