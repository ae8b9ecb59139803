/** The picture in place of one that cannot be drawn: it says so, so that nobody takes it for an image. */
import sharp from "sharp";
import { encode } from "./draw.ts";
import type { RenderOptions } from "./options.ts";

/** Why there is no picture, in the words that stand in it. */
export type NoPicture =
  | "This object has no picture"
  | "This image cannot be drawn"
  | "This image names its patient";

const SIDE = 512;

/** A named placeholder, in the type and box asked for. */
export function placeholder(text: NoPicture, options: RenderOptions): Promise<Uint8Array> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${SIDE}" height="${SIDE}">
    <rect width="${SIDE}" height="${SIDE}" fill="#1c1f24"/>
    <g fill="none" stroke="#8b93a1" stroke-width="6" stroke-linecap="round">
      <rect x="196" y="150" width="120" height="96" rx="10"/><path d="M206 256 306 140"/>
    </g>
    <text x="50%" y="320" fill="#c9cfd9" font-family="sans-serif" font-size="30" text-anchor="middle">${text}</text>
  </svg>`;
  return encode(sharp(Buffer.from(svg)), options);
}
