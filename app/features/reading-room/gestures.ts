/** Mouse, trackpad and touch on the stage. */
import { useEffect } from "react";
import type { Reader } from "./reader.ts";
import { dragged, type Window } from "./windowing.ts";

/** What a drag with the main button, or with one finger, does. */
export type Tool = "window" | "scroll" | "pan" | "zoom";

/** Wheel distance for one picture, in CSS pixels: a notch of most mice is 100 or 120. */
const WHEEL_STEP = 60;
/** Drag distance for one picture, in CSS pixels. */
const SCROLL_STEP = 8;

interface Point {
  x: number;
  y: number;
}

/** Let the pointer work on the stage in `element`. */
export function useGestures(element: HTMLElement | null, reader: Reader | null, tool: Tool): void {
  useEffect(() => {
    if (!element || !reader) return;
    const hands = new Hands(element, reader, tool);
    return () => hands.letGo();
  }, [element, reader, tool]);
}

class Hands {
  readonly #element: HTMLElement;
  readonly #reader: Reader;
  readonly #tool: Tool;
  readonly #listening = new AbortController();
  readonly #pointers = new Map<number, Point>();
  #drag: Tool = "window";
  /** Distance that was not yet enough for a step. */
  #rest = 0;

  constructor(element: HTMLElement, reader: Reader, tool: Tool) {
    this.#element = element;
    this.#reader = reader;
    this.#tool = tool;
    const { signal } = this.#listening;
    element.addEventListener("wheel", this.#wheel, { passive: false, signal });
    element.addEventListener("pointerdown", this.#down, { signal });
    element.addEventListener("pointermove", this.#move, { signal });
    element.addEventListener("pointerup", this.#up, { signal });
    element.addEventListener("pointercancel", this.#up, { signal });
    element.addEventListener("dblclick", () => this.#reader.reset(), { signal });
    element.addEventListener("contextmenu", (event) => event.preventDefault(), { signal });
  }

  letGo(): void {
    this.#listening.abort();
  }

  readonly #wheel = (event: WheelEvent): void => {
    event.preventDefault();
    // Browsers report a trackpad's pinch as a wheel with the control key.
    if (event.ctrlKey) {
      this.#zoomBy(Math.exp(-event.deltaY / 200));
      return;
    }
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1;
    this.#scrollBy(event.deltaY * lines, WHEEL_STEP);
  };

  readonly #down = (event: PointerEvent): void => {
    this.#element.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.#rest = 0;
    this.#drag = dragFor(event, this.#tool);
  };

  readonly #move = (event: PointerEvent): void => {
    const from = this.#pointers.get(event.pointerId);
    if (!from) return;
    const to = { x: event.clientX, y: event.clientY };
    if (this.#pointers.size === 1) this.#dragBy(to.x - from.x, to.y - from.y);
    else this.#pinch(event.pointerId, from, to);
    this.#pointers.set(event.pointerId, to);
  };

  readonly #up = (event: PointerEvent): void => {
    this.#pointers.delete(event.pointerId);
  };

  #dragBy(dx: number, dy: number): void {
    if (this.#drag === "window") this.#windowBy(dx, dy);
    else if (this.#drag === "pan") this.#panBy(dx, dy);
    else if (this.#drag === "zoom") this.#zoomBy(Math.exp(-dy / 200));
    else this.#scrollBy(dy, SCROLL_STEP);
  }

  /** Two fingers move and zoom the picture together. */
  #pinch(id: number, from: Point, to: Point): void {
    const other = [...this.#pointers].find(([pointer]) => pointer !== id)?.[1];
    if (!other) return;
    this.#panBy((to.x - from.x) / 2, (to.y - from.y) / 2);
    const before = Math.hypot(from.x - other.x, from.y - other.y);
    const after = Math.hypot(to.x - other.x, to.y - other.y);
    if (before > 0) this.#zoomBy(after / before);
  }

  #windowBy(dx: number, dy: number): void {
    const { picture } = this.#reader.current();
    if (picture.kind !== "drawn" || !picture.drawn.window) return;
    const now: Window = this.#reader.current().look.window ?? picture.drawn.window;
    this.#reader.restyle({ window: dragged(now, dx, dy, picture.drawn.windowStep) });
  }

  #panBy(dx: number, dy: number): void {
    const { pan, zoom } = this.#reader.current().look;
    this.#reader.restyle({ pan: [pan[0] + dx / zoom, pan[1] + dy / zoom], actualSize: false });
  }

  #zoomBy(factor: number): void {
    const { zoom } = this.#reader.current().look;
    this.#reader.restyle({ zoom: Math.min(32, Math.max(0.2, zoom * factor)), actualSize: false });
  }

  #scrollBy(distance: number, step: number): void {
    this.#rest += distance;
    const steps = Math.trunc(this.#rest / step);
    if (steps === 0) return;
    this.#rest -= steps * step;
    this.#reader.showSlice(this.#reader.current().sliceIndex + steps);
  }
}

/** The middle button pans and the right one zooms, whatever the tool is. */
function dragFor(event: PointerEvent, tool: Tool): Tool {
  if (event.button === 1 || event.shiftKey) return "pan";
  if (event.button === 2 || event.ctrlKey) return "zoom";
  return tool;
}
