/** What a caller may ask of a rendered picture (PS3.18 section 8.3.5.1), and of a thumbnail (section 8.3.5.1.3 alone). */
import { Problem } from "../../problem.ts";
import { parseMediaTypes } from "../mediaType.ts";
import { repeated } from "../repeated.ts";

export type PictureType = "image/jpeg" | "image/png" | "image/webp";

/** Window centre and width, in the units of the image after rescaling (PS3.3 section C.11.2.1.2). */
export interface Window {
  center: number;
  width: number;
}

/** The box, in pixels, that the picture is scaled to fit in. */
export interface Viewport {
  width: number;
  height: number;
}

export interface RenderOptions {
  type: PictureType;
  /** 1 to 100, for types that lose some of it. */
  quality: number;
  window: Window | null;
  viewport: Viewport | null;
}

/** The first is what `*` gets (PS3.18 table 8.7.4-1). */
const TYPES: readonly PictureType[] = ["image/jpeg", "image/png", "image/webp"];
const MAX_SIDE = 4096;

/** The box of a thumbnail that is asked for without one, in pixels. */
const THUMBNAIL = 128;

/** Read the query and `Accept`. @throws {Problem} `malformed-request` or `not-acceptable` */
export function readRenderOptions(query: URLSearchParams, acceptHeader: string | undefined): RenderOptions {
  requireKeys(query, KEYS);
  return {
    type: readType(query.get("accept") ?? acceptHeader ?? "*/*"),
    quality: readQuality(query.get("quality")),
    window: readWindow(query.get("window")),
    viewport: readViewport(query.get("viewport")),
  };
}

/** The same for a thumbnail, which takes a type and a box. @throws {Problem} `malformed-request` or `not-acceptable` */
export function readThumbnailOptions(
  query: URLSearchParams,
  acceptHeader: string | undefined,
): RenderOptions {
  requireKeys(query, THUMBNAIL_KEYS);
  const options = readRenderOptions(query, acceptHeader);
  return { ...options, viewport: options.viewport ?? { width: THUMBNAIL, height: THUMBNAIL } };
}

const KEYS = new Set(["accept", "quality", "window", "viewport"]);
const THUMBNAIL_KEYS = new Set(["accept", "viewport"]);

function requireKeys(query: URLSearchParams, known: ReadonlySet<string>): void {
  for (const name of query.keys()) {
    if (!known.has(name)) refuse(`A picture has no parameter ${repeated(name)}.`);
    if (query.getAll(name).length > 1) refuse(`${name} is given twice.`);
  }
}

function refuse(detail: string): never {
  throw new Problem("malformed-request", detail);
}

function readType(accept: string): PictureType {
  for (const { name } of parseMediaTypes(accept) ?? []) {
    if (name === "*/*" || name === "image/*") return "image/jpeg";
    const type = TYPES.find((each) => each === name);
    if (type) return type;
  }
  throw new Problem("not-acceptable", `Pictures come as ${TYPES.join(", ")}.`);
}

function readQuality(text: string | null): number {
  if (text === null) return 90;
  const quality = Number(text);
  if (!Number.isInteger(quality) || quality < 1 || quality > 100) refuse("quality is 1 to 100.");
  return quality;
}

/** `center,width,function`; of the functions only the linear one is drawn. */
function readWindow(text: string | null): Window | null {
  if (text === null) return null;
  const [center, width, shape = "linear", ...rest] = text.split(",");
  const window = { center: Number(center), width: Number(width) };
  const valid = center?.trim() && width?.trim() && Number.isFinite(window.center) && window.width >= 1;
  if (!valid || !Number.isFinite(window.width) || shape.toLowerCase() !== "linear" || rest.length > 0) {
    refuse("window is center,width,linear with a width of 1 or more.");
  }
  return window;
}

/** `width,height`; the cropping form of four more numbers is not drawn. */
function readViewport(text: string | null): Viewport | null {
  if (text === null) return null;
  const [width = 0, height = 0, ...rest] = text.split(",").map(Number);
  const valid = [width, height].every((side) => Number.isInteger(side) && side >= 1 && side <= MAX_SIDE);
  if (!valid || rest.length > 0) refuse(`viewport is width,height, each 1 to ${MAX_SIDE}.`);
  return { width, height };
}
