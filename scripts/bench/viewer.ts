import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../../test/browser.ts";
import { PERSONAS, share, signInAs, visit } from "../../test/e2e/people.ts";
import { ROOT } from "../checks/program.ts";
import { type Closers, startWorld } from "../demo/world.ts";
import { CALLED_FROM, readArguments, UsageError } from "../usage.ts";

export const HELP = `npm run bench -- viewer [options]     from the click on Open to the first picture on the canvas

  --dicom DIR     folder with one patient's exam (../shared/dicom/ct-head)
  --runs N        how often, each in a new browser profile (5)`;

const DRAWN = '.rr-stage canvas[data-drawn="true"]';

/** Milliseconds from the click on *Open* to the frame in which the canvas is drawn, on the page's own clock. */
async function clickToPicture(page: Page): Promise<number> {
  await page.getByRole("link", { name: "Shared with me" }).click();
  const open = page.getByRole("button", { name: "Open", exact: true });
  await open.waitFor();
  const measured = page.evaluate(
    (drawn) =>
      new Promise<number>((measure) => {
        const clicked = () => {
          const began = performance.now();
          const look = () => {
            if (document.querySelector(drawn)) measure(performance.now() - began);
            else requestAnimationFrame(look);
          };
          look();
        };
        addEventListener("click", clicked, { capture: true, once: true });
      }),
    DRAWN,
  );
  await open.click();
  return measured;
}

async function measure(browser: Browser, url: string, runs: number): Promise<number[]> {
  const patient = await visit(browser, url);
  await signInAs(patient.page, PERSONAS.patient);
  await share(patient.page, { with: PERSONAS.reader });
  await patient.context.close();
  const times: number[] = [];
  for (let run = 1; run <= runs; run += 1) {
    const reader = await visit(browser, url);
    await signInAs(reader.page, PERSONAS.reader);
    const time = await clickToPicture(reader.page);
    console.log(`  run ${run}: ${time.toFixed(0)} ms`);
    times.push(time);
    await reader.context.close();
  }
  return times;
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = 0, high = 0] =
    sorted.length % 2 === 1 ? [sorted[middle], sorted[middle]] : sorted.slice(middle - 1);
  return (low + high) / 2;
}

async function benchViewer(dicom: string, runs: number): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), "examkey-bench-"));
  const closers: Closers = [async () => rmSync(dataDir, { recursive: true, force: true, maxRetries: 3 })];
  const options = { dicom, patient: null, radiologist: null, port: 0, chainPort: 0, dataDir };
  try {
    const world = await startWorld(options, closers, new AbortController().signal);
    const browser = await launchBrowser();
    closers.push(() => browser.close());
    console.log(
      `\nClick to first picture, ${runs} times in a new browser profile, on ${cpus().length} cores:`,
    );
    const times = await measure(browser, world.url, runs);
    console.log(
      `median ${median(times).toFixed(0)} ms (fastest ${Math.min(...times).toFixed(0)}, slowest ${Math.max(...times).toFixed(0)})`,
    );
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

/** Measures in a demo of its own, and prints each run. @throws {UsageError} */
export async function bench(args: string[]): Promise<void> {
  const { values } = readArguments({
    args,
    options: { dicom: { type: "string" }, runs: { type: "string", default: "5" } },
  });
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1)
    throw new UsageError(`--runs: "${values.runs}" is not a number of runs.`);
  const dicom = values.dicom
    ? resolve(CALLED_FROM, values.dicom)
    : join(ROOT, "..", "shared", "dicom", "ct-head");
  if (!existsSync(dicom)) throw new UsageError(`There is no folder ${dicom}. Name one with --dicom DIR.`);
  await benchViewer(dicom, runs);
}
