/** The display window: which stored values become which greys (PS3.3 C.11.2.1.2). */

/** Centre and width in the image's output units (Hounsfield units for CT). */
export interface Window {
  center: number;
  width: number;
}

/** Lowest value shown black and highest shown white, in output units. */
export interface ValueRange {
  lower: number;
  upper: number;
}

/** The windows that radiologists expect under the keys 1 to 5. They are in Hounsfield units, so for CT only. */
export const CT_PRESETS: readonly (Window & { key: string; name: string })[] = [
  { key: "1", name: "Soft tissue", center: 40, width: 400 },
  { key: "2", name: "Lung", center: -600, width: 1500 },
  { key: "3", name: "Liver", center: 90, width: 150 },
  { key: "4", name: "Bone", center: 480, width: 2500 },
  { key: "5", name: "Brain", center: 40, width: 80 },
];

/** The linear function's end points (PS3.3 C.11.2.1.2.1), or LINEAR_EXACT's (C.11.2.1.3.2). */
export function rangeOf({ center, width }: Window, voiLutFunction = "LINEAR"): ValueRange {
  if (voiLutFunction === "LINEAR_EXACT") return { lower: center - width / 2, upper: center + width / 2 };
  return { lower: center - 0.5 - (width - 1) / 2, upper: center - 0.5 + (width - 1) / 2 };
}

/** The window whose linear function runs exactly over a range of values. */
export function windowOf({ lower, upper }: ValueRange): Window {
  return { center: (lower + upper + 1) / 2, width: upper - lower + 1 };
}

/**
 * The window to show an image with first: its own when it is one, else all its values.
 * A width below 1 is not allowed for the linear function, yet real files carry 0.
 */
export function firstWindow(
  own: { center: number | undefined; width: number | undefined },
  values: ValueRange,
): Window {
  const { center, width } = own;
  if (center !== undefined && width !== undefined && Number.isFinite(center) && width >= 1) {
    return { center, width };
  }
  return windowOf(values);
}

/**
 * The window after a drag: to the right widens it, down raises its centre.
 * @param step output units for one pixel of dragging
 */
export function dragged(from: Window, dx: number, dy: number, step: number): Window {
  return { center: from.center + dy * step, width: Math.max(1, from.width + dx * step) };
}
