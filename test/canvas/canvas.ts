/** What is on the reading room's canvas. */
import type { Page } from "playwright-core";
import { renderWithDcmtk } from "./dcmtk.ts";
import { agreement, type Picture } from "./pixels.ts";

const CANVAS = ".rr-stage canvas";

/** What the reading room says that it drew. */
export interface DrawnSlice {
  sopInstanceUid: string;
  frame: number;
  center: number;
  width: number;
  /** Device pixels for one picture element. */
  scale: number;
}

/** What is drawn now, or null while nothing is. */
export async function drawnSlice(page: Page): Promise<DrawnSlice | null> {
  return page.evaluate((selector) => {
    const data = document.querySelector<HTMLCanvasElement>(selector)?.dataset;
    if (data?.drawn !== "true") return null;
    return {
      sopInstanceUid: data.sopInstanceUid ?? "",
      frame: Number(data.frame),
      center: Number(data.windowCenter),
      width: Number(data.windowWidth),
      scale: Number(data.scale),
    };
  }, CANVAS);
}

/** Wait until the slice with this UID is drawn. */
export async function waitForSlice(page: Page, sopInstanceUid: string, timeout = 30_000): Promise<void> {
  await page.waitForSelector(`${CANVAS}[data-drawn="true"][data-sop-instance-uid="${sopInstanceUid}"]`, {
    timeout,
  });
}

/** Turn on actual size: one picture element on one device pixel. */
export async function showActualSize(page: Page): Promise<void> {
  if ((await drawnSlice(page))?.scale !== 1) await page.keyboard.press("0");
  await page.waitForSelector(`${CANVAS}[data-drawn="true"][data-scale="1.000"]`);
}

/** How many pixels on the canvas are not black. */
export async function inkOnCanvas(page: Page): Promise<number> {
  return page.evaluate((selector) => {
    const canvas = document.querySelector<HTMLCanvasElement>(selector);
    const context = canvas?.getContext("2d");
    if (!canvas || !context || canvas.width === 0) return 0;
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    let ink = 0;
    for (let at = 0; at < data.length; at += 4) {
      if ((data[at] ?? 0) + (data[at + 1] ?? 0) + (data[at + 2] ?? 0) > 0) ink += 1;
    }
    return ink;
  }, CANVAS);
}

/** The picture in the middle of the canvas, shown in actual size. */
export async function canvasPicture(
  page: Page,
  { width, height, channels }: Omit<Picture, "values">,
): Promise<Picture> {
  const values = await page.evaluate(
    ({ selector, width, height, channels }) => {
      const canvas = document.querySelector<HTMLCanvasElement>(selector);
      const context = canvas?.getContext("2d");
      if (!canvas || !context || canvas.width < width || canvas.height < height) return null;
      const left = Math.floor((canvas.width - width) / 2);
      const top = Math.floor((canvas.height - height) / 2);
      const { data } = context.getImageData(left, top, width, height);
      let bytes = "";
      for (let pixel = 0; pixel < width * height; pixel += 1) {
        for (let channel = 0; channel < channels; channel += 1) {
          bytes += String.fromCharCode(data[4 * pixel + channel] ?? 0);
        }
      }
      return btoa(bytes);
    },
    { selector: CANVAS, width, height, channels },
  );
  if (!values) throw new Error("the canvas is smaller than the picture; use a larger page");
  return { width, height, channels, values: Buffer.from(values, "base64") };
}

/**
 * How far the canvas, in actual size, agrees with DCMTK's picture of `file` at `window` (null for colours): the
 * share of values within ±2 of 255.
 */
export async function agreementWithDcmtk(
  page: Page,
  file: string,
  window: { center: number; width: number } | null,
  frame = 1,
): Promise<number> {
  await showActualSize(page);
  const expected = await renderWithDcmtk(file, window, frame);
  return agreement(await canvasPicture(page, expected), expected);
}
