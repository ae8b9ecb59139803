/**
 * The main job, as a patient and a radiologist do it, in a real browser, over each archive: grant, open, read,
 * revoke, shut out.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readDicomFile } from "../../gateway/archive/embedded/dicomFile.ts";
import { buildApp } from "../../scripts/demo/build.ts";
import { personas } from "../../scripts/demo/personas.ts";
import { findChromium, launchBrowser } from "../browser.ts";
import { agreementWithDcmtk, drawnSlice, inkOnCanvas, waitForSlice } from "../canvas/canvas.ts";
import { findDcmtk } from "../canvas/dcmtk.ts";
import { findOrthanc, type Orthanc, startOrthanc } from "../orthanc.ts";
import { reasonOf, World } from "../world.ts";
import {
  approve,
  askToRevoke,
  enrolPersonas,
  openShared,
  PERSONAS,
  share,
  signInAs,
  type Visitor,
  visit,
} from "./people.ts";

const CT_HEAD = fileURLToPath(new URL("../../../shared/dicom/ct-head", import.meta.url));
const PATIENT_ID = "QMNx85rKkkg";
/** The share of pixels within ±2 of 255 from which on two pictures are the same. */
const SAME = 0.995;

const missing = [
  !existsSync(CT_HEAD) && "../shared/dicom/ct-head",
  !findChromium() && "Chromium",
  !findDcmtk() && "dcmtk",
].filter((what) => what !== false);

/** The slices of the exam, by their UID. */
interface Slice {
  file: string;
  seriesInstanceUid: string;
  studyInstanceUid: string;
}

async function slicesOf(folder: string): Promise<Map<string, Slice>> {
  const slices = new Map<string, Slice>();
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    const { dataSet } = await readDicomFile(file);
    slices.set(dataSet.string("x00080018") ?? "", {
      file,
      studyInstanceUid: dataSet.string("x0020000d") ?? "",
      seriesInstanceUid: dataSet.string("x0020000e") ?? "",
    });
  }
  return slices;
}

/** Every DICOMweb route, for one slice. */
function routesOf(slice: Slice, sopInstanceUid: string): string[] {
  const study = `/dicomweb/studies/${slice.studyInstanceUid}`;
  const series = `${study}/series/${slice.seriesInstanceUid}`;
  const instance = `${series}/instances/${sopInstanceUid}`;
  return [
    "/dicomweb/studies",
    "/dicomweb/series",
    "/dicomweb/instances",
    `/dicomweb/studies?StudyInstanceUID=${slice.studyInstanceUid}`,
    `${study}/series`,
    `${study}/instances`,
    `${series}/instances`,
    study,
    series,
    instance,
    `${study}/metadata`,
    `${series}/metadata`,
    `${instance}/metadata`,
    `${instance}/frames/1`,
    `${instance}/bulkdata/7FE00010`,
    `${study}/rendered`,
    `${series}/rendered`,
    `${instance}/rendered`,
    `${instance}/frames/1/rendered`,
  ];
}

describe.skipIf(missing.length > 0)(
  `the whole story${missing.length ? ` (needs ${missing.join(", ")})` : ""}`,
  () => {
    let browser: Browser;
    let appDir: string;
    let slices: Map<string, Slice>;

    beforeAll(async () => {
      [browser, appDir, slices] = await Promise.all([launchBrowser(), buildApp("demo"), slicesOf(CT_HEAD)]);
    });
    afterAll(() => browser?.close());

    const archives = [
      { name: "the embedded archive", orthanc: false },
      { name: "Orthanc", orthanc: true },
    ];
    for (const archive of archives) {
      const absent = archive.orthanc && !findOrthanc();
      describe.skipIf(absent)(
        `over ${archive.name}${absent ? " (needs orthanc and orthanc-dicomweb)" : ""}`,
        () => {
          let world: World;
          let orthanc: Orthanc | null = null;
          let patient: Visitor;
          let reader: Visitor;

          beforeAll(async () => {
            orthanc = archive.orthanc ? await startOrthanc() : null;
            await orthanc?.add([...slices.values()].map(({ file }) => file));
            world = await World.open({
              environment: {
                APP_DIR: appDir,
                DEMO_PERSONAS: JSON.stringify(personas()),
                ...(orthanc
                  ? {
                      DICOMWEB_URL: orthanc.url,
                      DICOMWEB_USERNAME: orthanc.username,
                      DICOMWEB_PASSWORD: orthanc.password,
                    }
                  : { DICOM_DIRS: CT_HEAD }),
              },
            });
            await enrolPersonas(world, PATIENT_ID);
          });
          afterAll(async () => {
            await Promise.all([patient?.context.close(), reader?.context.close()]);
            await world?.close();
            await orthanc?.close();
          });

          it("grants, opens, draws the right picture, revokes, and shuts out", async () => {
            const { url } = world.gateway;
            [patient, reader] = await Promise.all([visit(browser, url), visit(browser, url)]);
            let token = "";
            reader.page.on("request", (request) => {
              const bearer = request.headers().authorization?.replace("Bearer ", "");
              if (bearer) token = bearer;
            });

            await signInAs(reader.page, PERSONAS.reader);
            await reader.page.getByText("Nothing is shared with you").waitFor();
            await signInAs(patient.page, PERSONAS.patient);
            await share(patient.page, { with: PERSONAS.reader, download: true });
            await openShared(reader.page);

            await drawsWhatDcmtkDraws(reader.page, slices);

            const slice = await drawnSlice(reader.page);
            const sopInstanceUid = slice?.sopInstanceUid ?? "";
            const routes = routesOf(slices.get(sopInstanceUid) as Slice, sopInstanceUid);
            for (const route of routes) {
              expect(`${route} ${(await world.get(route, { token })).status}`).toBe(`${route} 200`);
            }

            await askToRevoke(patient.page, PERSONAS.reader);
            await approve(patient.page);
            await reader.page.locator('[data-reason="revoked"]').waitFor();
            expect(await inkOnCanvas(reader.page)).toBe(0);
            for (const route of routes) {
              const answer = await world.get(route, { token });
              expect(`${route} ${(await reasonOf(answer)).slice(0, 3)}`).toBe(`${route} 403`);
            }

            await reader.page.goBack();
            await reader.page.getByText("Nothing is shared with you").waitFor();
            expect(await inkOnCanvas(reader.page)).toBe(0);
            expect([...patient.complaints, ...reader.complaints]).toEqual([]);
          });
        },
      );
    }
  },
);

/** The picture is that of its slice and window, and neither of the next slice nor of another window. */
async function drawsWhatDcmtkDraws(page: Visitor["page"], slices: Map<string, Slice>): Promise<void> {
  const first = await drawnSlice(page);
  if (!first) throw new Error("Nothing is drawn.");
  const own = { center: first.center, width: first.width };
  const file = slices.get(first.sopInstanceUid)?.file ?? "";
  expect(await agreementWithDcmtk(page, file, own)).toBeGreaterThanOrEqual(SAME);
  expect(await agreementWithDcmtk(page, file, { ...own, center: own.center + 10 })).toBeLessThan(SAME);

  await page.keyboard.press("ArrowDown");
  await page.waitForFunction((before) => {
    const data = document.querySelector<HTMLCanvasElement>(".rr-stage canvas")?.dataset;
    return data?.drawn === "true" && data.sopInstanceUid !== before;
  }, first.sopInstanceUid);
  expect(await agreementWithDcmtk(page, file, own)).toBeLessThan(SAME);
  const next = await drawnSlice(page);
  const nextFile = slices.get(next?.sopInstanceUid ?? "")?.file ?? "";
  expect(await agreementWithDcmtk(page, nextFile, own)).toBeGreaterThanOrEqual(SAME);
  await page.keyboard.press("ArrowUp");
  await waitForSlice(page, first.sopInstanceUid);
}
