/** Grey pictures and how far two of them agree. */

/** 8-bit grey values, row by row. */
export interface Gray {
  width: number;
  height: number;
  values: Uint8Array;
}

/** Read a binary PGM file (P5, at most 8 bits). */
export function readPgm(file: Uint8Array): Gray {
  const [magic, width, height, max] = headerOf(file);
  if (magic !== "P5" || Number(max) > 255) throw new Error(`not an 8-bit binary PGM: ${magic} ${max}`);
  const size = Number(width) * Number(height);
  return { width: Number(width), height: Number(height), values: file.slice(file.length - size) };
}

function headerOf(file: Uint8Array): string[] {
  const head = new TextDecoder("latin1").decode(file.subarray(0, 256)).replace(/#.*\n/g, "");
  return head.split(/\s+/, 4);
}

/**
 * The share of pixels, from 0 to 1, whose values differ by no more than `tolerance`.
 * Pictures of different sizes cannot be compared, and throw.
 */
export function agreement(a: Gray, b: Gray, tolerance = 2): number {
  if (a.width !== b.width || a.height !== b.height) {
    throw new Error(`sizes differ: ${a.width}×${a.height} and ${b.width}×${b.height}`);
  }
  let equal = 0;
  for (let at = 0; at < a.values.length; at += 1) {
    if (Math.abs((a.values[at] ?? 0) - (b.values[at] ?? 0)) <= tolerance) equal += 1;
  }
  return equal / a.values.length;
}
