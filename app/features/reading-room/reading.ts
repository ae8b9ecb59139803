/** What the reading room shows, as one value that is replaced with every change. */
import type { ListedSeries } from "./archive.ts";
import type { ReadFailure } from "./failures.ts";
import { type Drawn, type Look, PLAIN_LOOK } from "./look.ts";
import type { PicturelessObject, Slice } from "./slices.ts";

/** A series in the list. */
export interface SeriesEntry extends ListedSeries {
  state: "listed" | "reading" | "read" | "failed";
  slices: readonly Slice[];
  pictureless: readonly PicturelessObject[];
  /** Object URL of a small picture. */
  thumbnail: string | null;
  failure: ReadFailure | null;
}

/** What is on the canvas. */
export type Picture =
  | { kind: "none" }
  | { kind: "loading"; slice: Slice }
  | { kind: "drawn"; slice: Slice; drawn: Drawn }
  | { kind: "failed"; slice: Slice; failure: ReadFailure };

/** All that the room shows. A new object for every change. */
export interface Reading {
  phase: "opening" | "open" | "failed" | "closed";
  failure: ReadFailure | null;
  series: readonly SeriesEntry[];
  /** Index into `series`, -1 before there is one. */
  seriesIndex: number;
  sliceIndex: number;
  picture: Picture;
  /** Image ids of the current series that are ready to be shown, and those that cannot be. */
  ready: ReadonlySet<string>;
  broken: ReadonlySet<string>;
  look: Look;
  playing: boolean;
}

/** Before anything is known. */
export const NOTHING: Reading = {
  phase: "opening",
  failure: null,
  series: [],
  seriesIndex: -1,
  sliceIndex: 0,
  picture: { kind: "none" },
  ready: new Set(),
  broken: new Set(),
  look: PLAIN_LOOK,
  playing: false,
};
