/**
 * The reading of one exam: which series and picture are wanted, what is on the canvas, what failed.
 *
 * The rule above all others: the wrong picture never stays on screen. The canvas is cleared before anything
 * else happens that could change what belongs on it, and what is told about the picture comes from the one
 * that was drawn.
 */
import type { Types } from "@cornerstonejs/core";
import { hasPictures } from "../../words/imaging.ts";
import { ExamArchive, type ListedSeries } from "./archive.ts";
import { number, numbers } from "./dicomJson.ts";
import { ReadFailure } from "./failures.ts";
import type { LoadQueue } from "./loadQueue.ts";
import { type Drawn, type Look, PLAIN_LOOK } from "./look.ts";
import type { Pictures } from "./pictures.ts";
import { NOTHING, type Picture, type Reading, type SeriesEntry } from "./reading.ts";
import type { Slice } from "./slices.ts";
import type { Stage } from "./stage.ts";

/** Cornerstone3D and all that stands on it: loaded beside the first searches, not before them. */
const rendering = () => import("./rendering.ts");

/** The reading of one exam, from `open` to `close`. */
export class Reader {
  readonly #archive: ExamArchive;
  readonly #getToken: () => Promise<string>;
  readonly #listeners = new Set<() => void>();
  #reading: Reading = NOTHING;
  #stage: Stage | null = null;
  #pictures: Pictures | null = null;
  #queue: LoadQueue | null = null;
  #closed = false;
  #cine: ReturnType<typeof setInterval> | null = null;

  constructor(studyInstanceUid: string, dicomwebRoot: string, getToken: () => Promise<string>) {
    this.#getToken = getToken;
    this.#archive = new ExamArchive(dicomwebRoot, studyInstanceUid, getToken);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly current = (): Reading => this.#reading;

  /** Open the exam: list its series, show the first picture in `element`. */
  async open(element: HTMLDivElement): Promise<void> {
    try {
      const [{ LoadQueue, Pictures, Stage }, listed] = await Promise.all([
        rendering(),
        this.#archive.listSeries(),
      ]);
      if (this.#closed) return;
      this.#pictures = new Pictures(this.#getToken);
      this.#stage = new Stage(element, (drawn) => this.#drawn(drawn));
      this.#queue = new LoadQueue(this.#pictures, {
        ready: (slice) => this.#ready(slice),
        broken: (slice, failure) => this.#broken(slice, failure),
      });
      this.#set({ phase: "open", series: listed.map(entryOf) });
      const first = listed.findIndex(({ modality }) => hasPictures(modality));
      await this.openSeries(Math.max(0, first));
      await this.#fetchThumbnails();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Take everything off the screen and out of memory. Nothing of the exam can be shown any more. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stage?.destroy();
    this.#stopCine();
    this.#queue?.empty();
    this.#pictures?.purge();
    this.#archive.close();
    for (const { thumbnail } of this.#reading.series) if (thumbnail) URL.revokeObjectURL(thumbnail);
    this.#reading = { ...NOTHING, phase: "closed" };
    for (const listener of this.#listeners) listener();
  }

  /** Open a series of the list at its first picture. */
  async openSeries(index: number): Promise<void> {
    if (this.#closed || !this.#reading.series[index] || index === this.#reading.seriesIndex) return;
    this.#blank();
    this.#stopCine();
    this.#queue?.empty();
    this.#pictures?.abort();
    this.#set({ seriesIndex: index, sliceIndex: 0, ready: new Set(), broken: new Set(), look: PLAIN_LOOK });
    await this.#readStack(index);
    if (this.#closed || this.#reading.seriesIndex !== index) return;
    const here = this.#slices().filter(({ imageId }) => this.#pictures?.has(imageId));
    this.#set({ ready: new Set(here.map(({ imageId }) => imageId)) });
    this.showSlice(0);
  }

  /** Show a picture of the current series, counted from 0; beyond the ends means the end. */
  showSlice(wanted: number): void {
    const slices = this.#slices();
    if (this.#closed || slices.length === 0) return;
    const index = Math.min(slices.length - 1, Math.max(0, wanted));
    const slice = slices[index] as Slice;
    this.#set({ sliceIndex: index });
    const image = this.#pictures?.get(slice.imageId);
    if (image) this.#draw(slice, image);
    else this.#blank({ kind: "loading", slice });
    this.#queue?.aim(slices, index);
  }

  /** Show pictures another way. */
  restyle(change: Partial<Look>): void {
    this.#set({ look: { ...this.#reading.look, ...change } });
    this.#stage?.restyle(this.#reading.look);
  }

  /** Show pictures as they are, fitted into the room. */
  reset(): void {
    this.restyle(PLAIN_LOOK);
  }

  /** Try the current picture again after it failed. */
  retry(): void {
    this.showSlice(this.#reading.sliceIndex);
  }

  /** Run through the series again and again, at its own rate; or stop. */
  toggleCine(): void {
    if (this.#cine !== null) {
      this.#stopCine();
      return;
    }
    const slices = this.#slices();
    if (slices.length < 2) return;
    this.#set({ playing: true });
    this.#cine = setInterval(
      () => {
        // A picture that is still on its way is waited for: skipping would hide it.
        if (this.#reading.picture.kind === "loading") return;
        this.showSlice((this.#reading.sliceIndex + 1) % slices.length);
      },
      frameTime(slices[0] as Slice),
    );
  }

  #stopCine(): void {
    if (this.#cine === null) return;
    clearInterval(this.#cine);
    this.#cine = null;
    this.#set({ playing: false });
  }

  #ready(slice: Slice): void {
    this.#mark("ready", slice);
    const image = this.#pictures?.get(slice.imageId);
    const waited = this.#reading.picture.kind !== "drawn";
    if (image && waited && this.#wants(slice)) this.#draw(slice, image);
  }

  #draw(slice: Slice, image: Types.IImage): void {
    try {
      this.#stage?.draw(slice, image, this.#reading.look);
    } catch {
      this.#broken(slice, new ReadFailure("undecodable", "The picture is of a kind that cannot be shown."));
    }
  }

  #broken(slice: Slice, failure: ReadFailure): void {
    this.#mark("broken", slice);
    if (failure.kind === "refused") this.#refused(slice, failure);
    else if (this.#wants(slice)) this.#blank({ kind: "failed", slice, failure });
  }

  /** A refusal may mean that access is over: what was loaded before it goes, too. */
  #refused(slice: Slice, failure: ReadFailure): void {
    const { picture } = this.#reading;
    this.#stopCine();
    this.#blank({ kind: "failed", slice: picture.kind === "none" ? slice : picture.slice, failure });
    this.#queue?.empty();
    this.#pictures?.purge();
    this.#pictures?.describe(this.#slices());
    this.#set({ ready: new Set() });
  }

  #drawn(drawn: Drawn): void {
    const slice = this.#slices().find(({ imageId }) => imageId === drawn.imageId);
    if (slice) this.#set({ picture: { kind: "drawn", slice, drawn } });
  }

  #blank(picture: Picture = { kind: "none" }): void {
    this.#stage?.clear();
    this.#set({ picture });
  }

  async #readStack(index: number): Promise<void> {
    const entry = this.#reading.series[index];
    if (!entry || entry.state === "read") {
      if (entry) this.#pictures?.describe(entry.slices);
      return;
    }
    this.#update(index, { state: "reading", failure: null });
    try {
      const stack = await this.#archive.readStack(entry.seriesInstanceUid);
      this.#pictures?.describe(stack.slices);
      this.#update(index, { state: "read", ...stack });
    } catch (error) {
      const failure = asReadFailure(error);
      if (failure.kind !== "aborted") this.#update(index, { state: "failed", failure });
    }
  }

  async #fetchThumbnails(): Promise<void> {
    for (const [index, { seriesInstanceUid }] of this.#reading.series.entries()) {
      await this.#readStack(index);
      if (this.#closed) return;
      const slices = this.#reading.series[index]?.slices ?? [];
      const middle = slices[Math.floor(slices.length / 2)];
      if (!middle) continue;
      try {
        const picture = await this.#archive.thumbnail(seriesInstanceUid, middle.sopInstanceUid);
        if (!this.#closed) this.#update(index, { thumbnail: URL.createObjectURL(picture) });
      } catch {
        // The list then names the series without a picture; opening it says what is wrong.
      }
    }
  }

  #slices(): readonly Slice[] {
    return this.#reading.series[this.#reading.seriesIndex]?.slices ?? [];
  }

  #wants(slice: Slice): boolean {
    return !this.#closed && this.#slices()[this.#reading.sliceIndex]?.imageId === slice.imageId;
  }

  #mark(which: "ready" | "broken", { imageId }: Slice): void {
    this.#set({ [which]: new Set(this.#reading[which]).add(imageId) });
  }

  #update(index: number, change: Partial<SeriesEntry>): void {
    const series = this.#reading.series.map((entry, at) => (at === index ? { ...entry, ...change } : entry));
    this.#set({ series });
  }

  #fail(error: unknown): void {
    const failure = asReadFailure(error);
    if (this.#closed || failure.kind === "aborted") return;
    this.#blank();
    this.#set({ phase: "failed", failure });
  }

  #set(change: Partial<Reading>): void {
    if (this.#closed) return;
    this.#reading = { ...this.#reading, ...change };
    for (const listener of this.#listeners) listener();
  }
}

function entryOf(series: ListedSeries): SeriesEntry {
  return { ...series, state: "listed", slices: [], pictureless: [], thumbnail: null, failure: null };
}

function asReadFailure(error: unknown): ReadFailure {
  if (error instanceof ReadFailure) return error;
  const reason = error instanceof Error ? error.message : "It could not be read.";
  return new ReadFailure("unavailable", reason);
}

/** Milliseconds for one picture: the instance's own rate (PS3.3 C.7.6.5), else ten a second. */
function frameTime({ instance }: Slice): number {
  const own = numbers(instance, "FrameTime")[0];
  const rate = number(instance, "RecommendedDisplayFrameRate") ?? number(instance, "CineRate");
  const time = own && own > 0 ? own : 1000 / (rate && rate > 0 ? rate : 10);
  return Math.min(1000, Math.max(16, time));
}
