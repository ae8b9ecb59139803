/**
 * The one canvas on which pictures are shown. What is on it is always what was last drawn through `draw`, and
 * `clear` takes the drawing's whole machinery away with it, so that nothing can repaint a picture that is over.
 */
import { Enums, RenderingEngine, type StackViewport, type Types } from "@cornerstonejs/core";
import { deviceScale, shift, showActualSize } from "./camera.ts";
import type { Drawn, Look } from "./look.ts";
import { ownWindow } from "./ownWindow.ts";
import type { Slice } from "./slices.ts";
import { rangeOf, type Window } from "./windowing.ts";

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
    if (changed) {
      // Should drawing fail, or the graphics context be lost, the canvas stays empty.
      this.#wipe();
      viewport.renderImageObject(image);
    }
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
    this.#wipe();
  }

  /** Clear, and give back what the stage holds. It cannot be used any more. */
  destroy(): void {
    this.clear();
    this.#resizes.disconnect();
    this.#element.removeEventListener(Enums.Events.IMAGE_RENDERED, this.#rendered);
    this.#engine.destroy();
    this.#element.replaceChildren();
  }

  #wipe(): void {
    const canvas = this.#canvas();
    if (!canvas) return;
    canvas.getContext("2d")?.clearRect(0, 0, canvas.width, canvas.height);
    for (const name of Object.keys(canvas.dataset)) delete canvas.dataset[name];
    canvas.dataset.drawn = "false";
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
    const { image, slice, look } = this.#shown;
    const window = windowFor(image, slice, look);
    const range = window ? rangeOf(window, image.voiLUTFunction) : { lower: 0, upper: 255 };
    viewport.setProperties({
      voiRange: { lower: range.lower, upper: Math.max(range.upper, range.lower + 1e-3) },
      // MONOCHROME1 shows its lowest value white (PS3.3 C.7.6.3.1.2).
      invert: look.invert !== image.invert,
      interpolationType: look.actualSize ? Enums.InterpolationType.NEAREST : Enums.InterpolationType.LINEAR,
    });
    viewport.resetCamera();
    viewport.setZoom(viewport.getZoom() * look.zoom);
    shift(viewport, look.pan[0] * look.zoom, look.pan[1] * look.zoom);
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
    const window = windowFor(image, slice, look);
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

function windowFor(image: Types.IImage, slice: Slice, look: Look): Window | null {
  return image.color ? null : (look.window ?? ownWindow(image, slice.instance));
}

/** A drag over a thousand pixels crosses all values of the picture. */
function stepFor(image: Types.IImage): number {
  return (image.maxPixelValue - image.minPixelValue || 1) / 1024;
}
