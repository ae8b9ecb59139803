/** Pictures as plain numbers, and how far two of them agree. */

/** 8-bit values, row by row: one for each pixel of a grey picture, three (red, green, blue) of a coloured one. */
export interface Picture {
  width: number;
  height: number;
  channels: 1 | 3;
  values: Uint8Array;
}

/** Read a binary PGM or PPM file (P5 or P6, at most 8 bits). */
export function readPnm(file: Uint8Array): Picture {
  const [magic, width, height, max] = headerOf(file);
  if ((magic !== "P5" && magic !== "P6") || Number(max) > 255) {
    throw new Error(`not an 8-bit binary PGM or PPM: ${magic} ${max}`);
  }
  const channels = magic === "P5" ? 1 : 3;
  const size = Number(width) * Number(height) * channels;
  return { width: Number(width), height: Number(height), channels, values: file.slice(file.length - size) };
}

function headerOf(file: Uint8Array): string[] {
  const head = new TextDecoder("latin1").decode(file.subarray(0, 256)).replace(/#.*\n/g, "");
  return head.split(/\s+/, 4);
}

/**
 * The share of values, from 0 to 1, that differ by no more than `tolerance`.
 * Pictures of different sizes cannot be compared, and throw.
 */
export function agreement(a: Picture, b: Picture, tolerance = 2): number {
  if (a.width !== b.width || a.height !== b.height || a.channels !== b.channels) {
    throw new Error(`sizes differ: ${a.width}×${a.height} and ${b.width}×${b.height}`);
  }
  let equal = 0;
  for (let at = 0; at < a.values.length; at += 1) {
    if (Math.abs((a.values[at] ?? 0) - (b.values[at] ?? 0)) <= tolerance) equal += 1;
  }
  return equal / a.values.length;
}
