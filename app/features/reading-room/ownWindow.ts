/** The window that a picture brings along. */
import { metaData, type Types } from "@cornerstonejs/core";
import { type Instance, number } from "./dicomJson.ts";
import { firstWindow, type ValueRange, type Window } from "./windowing.ts";

/** Looking through all values of a picture is work, and the answer never changes. */
const known = new WeakMap<Types.IImage, Window>();

/** The window to show a picture with first. */
export function ownWindow(image: Types.IImage, instance: Instance): Window {
  const found = known.get(image);
  if (found) return found;
  const own = metaData.get("voiLutModule", image.imageId) ?? {};
  const window = firstWindow(
    { center: first(own.windowCenter), width: first(own.windowWidth) },
    valuesOf(image, instance),
  );
  known.set(image, window);
  return window;
}

function first(values: unknown): number | undefined {
  const value = Array.isArray(values) ? values[0] : values;
  return value === undefined || value === null ? undefined : Number(value);
}

/**
 * Lowest and highest value of a picture, in output units, without its padding: what lies around a CT's circle
 * is no measurement, and must not count for contrast (PS3.3 C.7.5.1.1.2).
 */
function valuesOf(image: Types.IImage, instance: Instance): ValueRange {
  const all = { lower: image.minPixelValue, upper: image.maxPixelValue };
  const padding = paddingOf(image, instance);
  const values = image.voxelManager?.getScalarData() as ArrayLike<number> | undefined;
  if (!padding || !values) return all;
  let lower = Number.POSITIVE_INFINITY;
  let upper = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at] as number;
    if (value >= padding.lower && value <= padding.upper) continue;
    if (value < lower) lower = value;
    if (value > upper) upper = value;
  }
  return lower <= upper ? { lower, upper } : all;
}

function paddingOf(image: Types.IImage, instance: Instance): ValueRange | null {
  const value = number(instance, "PixelPaddingValue");
  if (value === undefined) return null;
  const limit = number(instance, "PixelPaddingRangeLimit") ?? value;
  const { rescaleSlope = 1, rescaleIntercept = 0 } = image.preScale?.scalingParameters ?? {};
  const ends = [value, limit].map((stored) => stored * rescaleSlope + rescaleIntercept);
  return { lower: Math.min(...ends), upper: Math.max(...ends) };
}
