/** How a picture is shown. */
import type { Window } from "./windowing.ts";

/** How the reader wants pictures to be shown. */
export interface Look {
  /** null shows each picture with its own window. */
  window: Window | null;
  invert: boolean;
  /** 1 fits the picture into the room. */
  zoom: number;
  /** Shift from the middle, in CSS pixels at zoom 1. */
  pan: readonly [x: number, y: number];
  /** Clockwise, in degrees. */
  rotation: number;
  flipHorizontal: boolean;
  flipVertical: boolean;
  /** One picture element on exactly one device pixel, without interpolation; zoom and pan are ignored. */
  actualSize: boolean;
}

/** As the picture is, fitted into the room. */
export const PLAIN_LOOK: Look = {
  window: null,
  invert: false,
  zoom: 1,
  pan: [0, 0],
  rotation: 0,
  flipHorizontal: false,
  flipVertical: false,
  actualSize: false,
};

/** What is on the canvas, told by the picture that was drawn. */
export interface Drawn {
  imageId: string;
  /** null for pictures in colour, which have no window. */
  window: Window | null;
  /** Device pixels for one picture element. */
  scale: number;
  /** Output units for one pixel of dragging the window. */
  windowStep: number;
}
