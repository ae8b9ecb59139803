/**
 * The one canvas on which pictures are shown. What is on it is always what was last drawn through `draw`, and
 * `clear` takes the drawing's whole machinery away with it, so that nothing can repaint a picture that is over.
 */
import {
  Enums,
  getShouldUseCPURendering,
  metaData,
  RenderingEngine,
  type StackViewport,
  type Types,
} from "@cornerstonejs/core";
import type { Slice } from "./slices.ts";
import { firstWindow, rangeOf, type Window } from "./windowing.ts";

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

const VIEWPORT = "reading-room";
const BLACK: Types.Point3 = [0, 0, 0];

/** One stage lives in one element, from `new` to `destroy`. */
export class Stage {
  readonly #element: HTMLDivElement;
  readonly #onDrawn: (drawn: Drawn) => void;
  readonly #engine: RenderingEngine;
  readonly #resizes: ResizeObserver;
  #shown: { image: Types.IImage; slice: Slice; look: Look } | null = null;

  /** @param onDrawn called each time that pixels have reached the canvas */
  constructor(element: HTMLDivElement, onDrawn: (drawn: Drawn) => void) {
    this.#element = element;
    this.#onDrawn = onDrawn;
    this.#engine = new RenderingEngine(`${VIEWPORT}-${crypto.randomUUID()}`);
    element.addEventListener(Enums.Events.IMAGE_RENDERED, this.#rendered);
    this.#resizes = new ResizeObserver(() => this.#resize());
    this.#resizes.observe(element);
  }

  /** Show a picture. The canvas changes within a frame; `onDrawn` says when it has. */
  draw(slice: Slice, image: Types.IImage, look: Look): void {
    const changed = this.#shown?.image !== image;
    this.#shown = { image, slice, look };
    const viewport = this.#viewport();
    if (changed) viewport.renderImageObject(image);
    this.#apply(viewport);
    viewport.render();
  }

  /** Show the same picture another way. */
  restyle(look: Look): void {
    if (!this.#shown) return;
    this.draw(this.#shown.slice, this.#shown.image, look);
  }

  /** Leave nothing on the canvas, now, and nothing that could paint it again. */
  clear(): void {
    this.#shown = null;
    if (this.#engine.getViewport(VIEWPORT)) this.#engine.disableElement(VIEWPORT);
    const canvas = this.#canvas();
    if (!canvas) return;
    canvas.getContext("2d")?.clearRect(0, 0, canvas.width, canvas.height);
    for (const name of Object.keys(canvas.dataset)) delete canvas.dataset[name];
    canvas.dataset.drawn = "false";
  }

  /** Clear, and give back what the stage holds. It cannot be used any more. */
  destroy(): void {
    this.clear();
    this.#resizes.disconnect();
    this.#element.removeEventListener(Enums.Events.IMAGE_RENDERED, this.#rendered);
    this.#engine.destroy();
    this.#element.replaceChildren();
  }

  #viewport(): StackViewport {
    if (!this.#engine.getViewport(VIEWPORT)) {
      this.#engine.enableElement({
        viewportId: VIEWPORT,
        element: this.#element,
        type: Enums.ViewportType.STACK,
        defaultOptions: { background: BLACK },
      });
    }
    return this.#engine.getViewport(VIEWPORT) as StackViewport;
  }

  #apply(viewport: StackViewport): void {
    if (!this.#shown) return;
    const { image, look } = this.#shown;
    const window = windowFor(image, look);
    const range = window ? rangeOf(window, voiFunction(image)) : { lower: 0, upper: 255 };
    viewport.setProperties({
      voiRange: { lower: range.lower, upper: Math.max(range.upper, range.lower + 1e-3) },
      // MONOCHROME1 shows its lowest value white (PS3.3 C.7.6.3.1.2).
      invert: look.invert !== image.invert,
      interpolationType: look.actualSize ? Enums.InterpolationType.NEAREST : Enums.InterpolationType.LINEAR,
    });
    viewport.resetCamera();
    viewport.setZoom(viewport.getZoom() * look.zoom);
    viewport.setPan([look.pan[0] * look.zoom, look.pan[1] * look.zoom]);
    viewport.setViewPresentation({
      flipHorizontal: look.flipHorizontal,
      flipVertical: look.flipVertical,
      rotation: look.rotation,
    });
    if (look.actualSize) showActualSize(viewport, image, look.rotation);
  }

  #resize(): void {
    const viewport = this.#engine.getViewport(VIEWPORT);
    if (!viewport || !this.#shown) return;
    this.#engine.resize(true, false);
    this.#apply(viewport as StackViewport);
    viewport.render();
  }

  readonly #rendered = (): void => {
    const viewport = this.#engine.getViewport(VIEWPORT) as StackViewport | undefined;
    const canvas = this.#canvas();
    const image = viewport?.getCornerstoneImage();
    if (!viewport || !canvas || !image || !this.#shown || image !== this.#shown.image) return;
    const { slice, look } = this.#shown;
    const window = windowFor(image, look);
    const scale = deviceScale(viewport, image);
    Object.assign(canvas.dataset, {
      drawn: "true",
      sopInstanceUid: slice.sopInstanceUid,
      frame: String(slice.frame),
      scale: scale.toFixed(3),
      windowCenter: window ? String(window.center) : "",
      windowWidth: window ? String(window.width) : "",
    });
    this.#onDrawn({ imageId: image.imageId, window, scale, windowStep: stepFor(image) });
  };

  #canvas(): HTMLCanvasElement | null {
    return this.#element.querySelector("canvas");
  }
}

/**
 * Lay picture elements exactly on device pixels. The picture's middle falls on the canvas's middle, or half a
 * pixel beside it where one of them has an odd size and the other has not.
 */
function showActualSize(viewport: StackViewport, image: Types.IImage, rotation: number): void {
  if (getShouldUseCPURendering()) {
    viewport.setZoom(1);
    return;
  }
  const { sWidth: width, sHeight: height } = viewport;
  const onItsSide = Math.round(rotation / 90) % 2 !== 0;
  const aside = halfPixel(width, onItsSide ? image.rows : image.columns);
  const below = halfPixel(height, onItsSide ? image.columns : image.rows);
  const spacing = image.rowPixelSpacing || 1;
  const { viewUp = [0, -1, 0], viewPlaneNormal = [0, 0, -1], focalPoint, position } = viewport.getCamera();
  const right = cross(viewUp, viewPlaneNormal);
  const center: Types.Point3 = [(image.columns - 1) / 2, (image.rows - 1) / 2, 0];
  const middle = viewport.getImageData()?.imageData.indexToWorld?.(center) ?? focalPoint ?? center;
  const focal = [0, 1, 2].map(
    (axis) => (middle[axis] ?? 0) + spacing * (aside * (right[axis] ?? 0) - below * (viewUp[axis] ?? 0)),
  ) as Types.Point3;
  const eye = focal.map((value, axis) => value + (position?.[axis] ?? 0) - (focalPoint?.[axis] ?? 0));
  viewport.setCamera({
    parallelScale: (height * spacing) / 2,
    focalPoint: focal,
    position: eye as Types.Point3,
  });
}

function halfPixel(canvas: number, picture: number): number {
  return (canvas - picture) % 2 === 0 ? 0 : 0.5;
}

function cross([a, b, c]: Types.Point3, [d, e, f]: Types.Point3): Types.Point3 {
  return [b * f - c * e, c * d - a * f, a * e - b * d];
}

function windowFor(image: Types.IImage, look: Look): Window | null {
  if (image.color) return null;
  if (look.window) return look.window;
  const own = metaData.get("voiLutModule", image.imageId) ?? {};
  return firstWindow(
    { center: first(own.windowCenter), width: first(own.windowWidth) },
    { lower: image.minPixelValue, upper: image.maxPixelValue },
  );
}

function first(values: unknown): number | undefined {
  const value = Array.isArray(values) ? values[0] : values;
  return value === undefined || value === null ? undefined : Number(value);
}

function voiFunction(image: Types.IImage): string {
  return image.voiLUTFunction ?? "LINEAR";
}

/** A drag over a thousand pixels crosses all values of the picture. */
function stepFor(image: Types.IImage): number {
  return (image.maxPixelValue - image.minPixelValue || 1) / 1024;
}

function deviceScale(viewport: StackViewport, image: Types.IImage): number {
  const { parallelScale } = viewport.getCamera();
  if (getShouldUseCPURendering() || !parallelScale) return viewport.getZoom();
  return (viewport.sHeight * (image.rowPixelSpacing || 1)) / (2 * parallelScale);
}
