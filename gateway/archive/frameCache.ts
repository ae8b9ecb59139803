/**
 * Frames kept in memory, for viewers that come back to them: pixels of an instance never change under its UID. Nothing is
 * kept on a disk, and nothing is given from here that was not permitted to this very request.
 */
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
  readonly #most: number;
  /** By when each was last used, the longest ago first. */
  readonly #frames = new Map<string, CachedFrame & { until: number }>();
  #size = 0;
  #generation = 0;

  /** @param most bytes of all frames; 0 keeps none */
  constructor(most: number) {
    this.#most = most;
  }

  /** Grows whenever everything is dropped: a frame that was asked for before must not be kept after. */
  get generation(): number {
    return this.#generation;
  }

  /** Bytes that are kept. */
  get size(): number {
    return this.#size;
  }

  /** Bytes of the largest frame that is kept. */
  get largest(): number {
    return this.#most * LARGEST_SHARE;
  }

  get(reference: FrameReference): CachedFrame | undefined {
    const key = keyOf(reference);
    const found = this.#frames.get(key);
    if (!found) return undefined;
    this.#remove(key);
    if (found.until < performance.now()) return undefined;
    this.#add(key, found);
    return found;
  }

  /** Keep a frame. @param generation that of the time when the archive was asked for it */
  set(reference: FrameReference, frame: CachedFrame, generation: number): void {
    if (frame.bytes.length > this.largest || generation !== this.#generation) return;
    const key = keyOf(reference);
    this.#remove(key);
    this.#add(key, { ...frame, until: performance.now() + LIFETIME });
    for (const oldest of this.#frames.keys()) {
      if (this.#size <= this.#most) break;
      this.#remove(oldest);
    }
  }

  /** Keep nothing of what was kept: an exam changed. */
  clear(): void {
    this.#generation += 1;
    this.#frames.clear();
    this.#size = 0;
  }

  #add(key: string, frame: CachedFrame & { until: number }): void {
    this.#frames.set(key, frame);
    this.#size += frame.bytes.length;
  }

  #remove(key: string): void {
    const found = this.#frames.get(key);
    if (!found) return;
    this.#frames.delete(key);
    this.#size -= found.bytes.length;
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
