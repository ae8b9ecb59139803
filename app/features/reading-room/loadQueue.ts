/** Loads the picture that is wanted, then those around it, nearest first. */
import { ReadFailure } from "./failures.ts";
import type { Pictures } from "./pictures.ts";
import type { Slice } from "./slices.ts";

/** Requests at a time. Browsers allow six to one HTTP/1.1 server; the rest is for metadata. */
const AT_ONCE = 4;
/** Pictures to have ready on either side. */
const REACH = 150;

interface Outcomes {
  ready(slice: Slice): void;
  broken(slice: Slice, failure: ReadFailure): void;
}

export class LoadQueue {
  readonly #pictures: Pictures;
  readonly #outcomes: Outcomes;
  #waiting: Slice[] = [];
  #wanted: string | null = null;
  #running = new Set<string>();
  #broken = new Set<string>();
  /** Grows when the queue is emptied; what was begun before it has no outcome any more. */
  #run = 0;

  constructor(pictures: Pictures, outcomes: Outcomes) {
    this.#pictures = pictures;
    this.#outcomes = outcomes;
  }

  /** Want the picture at `index`, even if it failed before, and then its neighbours. */
  aim(slices: readonly Slice[], index: number): void {
    this.#wanted = slices[index]?.imageId ?? null;
    if (this.#wanted) this.#broken.delete(this.#wanted);
    this.#waiting = slices
      .map((slice, at) => ({ slice, away: Math.abs(at - index) }))
      .filter(({ slice, away }) => away <= REACH && !this.#broken.has(slice.imageId))
      .sort((a, b) => a.away - b.away)
      .map(({ slice }) => slice);
    this.#fill();
  }

  /** Want nothing more. */
  empty(): void {
    this.#run += 1;
    this.#waiting = [];
    this.#wanted = null;
    this.#running = new Set();
    this.#broken = new Set();
  }

  #fill(): void {
    while (this.#running.size < AT_ONCE) {
      // Neighbours do not compete with the picture that somebody is waiting for.
      if (this.#wanted && this.#running.has(this.#wanted)) return;
      const next = this.#waiting.shift();
      if (!next) return;
      if (!this.#running.has(next.imageId) && !this.#pictures.has(next.imageId)) void this.#load(next);
    }
  }

  async #load(slice: Slice): Promise<void> {
    const run = this.#run;
    this.#running.add(slice.imageId);
    try {
      await this.#pictures.load(slice);
      if (run === this.#run) this.#outcomes.ready(slice);
    } catch (error) {
      const failure = error instanceof ReadFailure ? error : new ReadFailure("unavailable", String(error));
      if (run !== this.#run || failure.kind === "aborted") return;
      this.#broken.add(slice.imageId);
      this.#outcomes.broken(slice, failure);
    } finally {
      if (run === this.#run) {
        this.#running.delete(slice.imageId);
        this.#fill();
      }
    }
  }
}
