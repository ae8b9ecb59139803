/**
 * Frames kept in memory, for viewers that come back to them: pixels of an instance never change under its UID. Nothing is
 * kept on a disk, and nothing is given from here that was not permitted to this very request.
 */
import { BoundedCache } from "./boundedCache.ts";
import type { InstanceReference } from "./client.ts";
import type { Kind } from "./content.ts";

/** A frame, with what it is. */
export type CachedFrame = Kind & { bytes: Buffer };

/** A frame, and in which transfer syntax the archive was asked for it. */
export type FrameReference = InstanceReference & { frame: number; transferSyntax: string };

/** Milliseconds that a frame is kept for: an archive that corrects pixels without a new UID breaks the standard, but may. */
const LIFETIME = 10 * 60_000;

/** The share of the whole that one frame may take. */
const LARGEST_SHARE = 1 / 8;

export class FrameCache {
  readonly #frames: BoundedCache<CachedFrame>;
  /** Bytes of the largest frame that is kept. */
  readonly largest: number;

  /** @param most bytes of all frames; 0 keeps none */
  constructor(most: number) {
    this.#frames = new BoundedCache(most, LIFETIME);
    this.largest = most * LARGEST_SHARE;
  }

  /** As of `BoundedCache`. */
  get generation(): number {
    return this.#frames.generation;
  }

  /** Bytes that are kept. */
  get size(): number {
    return this.#frames.size;
  }

  get(reference: FrameReference): CachedFrame | undefined {
    return this.#frames.get(keyOf(reference));
  }

  /** Keep a frame. @param generation that of the time when the archive was asked for it */
  set(reference: FrameReference, frame: CachedFrame, generation: number): void {
    const { length } = frame.bytes;
    if (length <= this.largest) this.#frames.set(keyOf(reference), frame, length, generation);
  }

  /** Keep nothing of what was kept: an exam changed. */
  clear(): void {
    this.#frames.clear();
  }
}

function keyOf({
  studyInstanceUid,
  seriesInstanceUid,
  sopInstanceUid,
  frame,
  transferSyntax,
}: FrameReference) {
  return `${studyInstanceUid} ${seriesInstanceUid} ${sopInstanceUid} ${frame} ${transferSyntax}`;
}
