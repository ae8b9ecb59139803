/** A reading room in a real browser, over a real archive. */
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { type EmbeddedArchive, startEmbeddedArchive } from "../../../gateway/archive/embedded/server.ts";
import type { Exam, Problem } from "../../../protocol/api.ts";
import { launchBrowser } from "../../browser.ts";
import { type Front, startFront } from "./front.ts";
import { buildPage } from "./page.ts";

/** The parts that all tests of a file share. */
export interface Rig {
  browser: Browser;
  front: Front;
  /** Put an archive over these files behind the front. */
  serve(files: readonly string[]): Promise<void>;
  /** A page with an empty room on it. */
  page(options?: BrowserContextOptions): Promise<Page>;
  close(): Promise<void>;
}

/** Build the page, and start the browser, the archive and the front. */
export async function startRig(files: readonly string[]): Promise<Rig> {
  const pageDir = await buildPage();
  const browser = await launchBrowser();
  let { archive, dirs } = await archiveOf(files);
  const front = await startFront(pageDir, archive);
  const dropArchive = async () => {
    await archive.close();
    await Promise.all(dirs.map((dir) => rm(dir, { recursive: true })));
  };
  return {
    browser,
    front,
    async serve(others) {
      await dropArchive();
      ({ archive, dirs } = await archiveOf(others));
      front.upstream = archive;
    },
    async page(options = { viewport: { width: 1440, height: 900 } }) {
      const context = await browser.newContext(options);
      const page = await context.newPage();
      await page.goto(front.url);
      return page;
    },
    async close() {
      await browser.close();
      await front.close();
      await dropArchive();
      await rm(pageDir, { recursive: true });
    },
  };
}

async function archiveOf(files: readonly string[]): Promise<{ archive: EmbeddedArchive; dirs: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), "exams-"));
  const store = await mkdtemp(join(tmpdir(), "store-"));
  await Promise.all(files.map((file, at) => copyFile(file, join(folder, `${at}-${basename(file)}`))));
  return { archive: await startEmbeddedArchive({ folders: [folder], store }), dirs: [folder, store] };
}

/** Open an exam in the page's room. */
export async function openExam(page: Page, studyInstanceUid: string, token = "token"): Promise<void> {
  await page.evaluate(
    ({ exam, token }) => {
      window.token = token;
      window.openExam(exam);
    },
    { exam: examOf(studyInstanceUid), token },
  );
}

/** Leave the page's room. */
export async function leaveExam(page: Page): Promise<void> {
  await page.evaluate(() => window.openExam(null));
}

/** Tell the page's room that access ended. */
export async function endAccess(page: Page, reason: string): Promise<void> {
  const problem: Problem = {
    type: `urn:examkey:problem:${reason}`,
    title: reason,
    status: 403,
    detail: "",
    reason,
  };
  await page.evaluate((ended) => window.endAccess(ended), problem);
}

/** The studies that the archive behind the front has. */
export async function studiesOf(front: Front): Promise<string[]> {
  const answer = await fetch(`${front.upstream.url}/studies`, {
    headers: front.upstream.authorization ? { authorization: front.upstream.authorization } : {},
  });
  const studies = (await answer.json()) as Record<string, { Value?: string[] }>[];
  return studies.map((study) => study["0020000D"]?.Value?.[0] ?? "");
}

function examOf(studyInstanceUid: string): Exam {
  const address = `0x${"1".repeat(40)}`;
  const word = `0x${Buffer.from(studyInstanceUid).toString("hex").padEnd(64, "0").slice(-64)}`;
  return {
    examId: word,
    relation: "grantee",
    custodian: { address, name: "City Hospital" },
    patient: { address, name: "A patient", birthDate: null },
    commitment: word,
    studyInstanceUid,
    modalities: [],
    bodyPart: null,
    studyDate: null,
    description: null,
    numberOfImages: 0,
    series: [],
    picture: null,
    access: null,
  };
}
