import { existsSync, readdirSync } from "node:fs";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ALL_EXAMS_RESOURCE, granteeOf } from "../../protocol/ids.ts";
import { packTerms } from "../../protocol/terms.ts";
import { linesOf, reasonOf, SAMPLE_FOLDERS, until, World } from "../world.ts";

const sample = join(SAMPLE_FOLDERS[1] as string, "sample2.dcm");
const PATIENT_ID = "VLUT_nn";
const malformed = fileURLToPath(new URL("../../../shared/dicom/malformed", import.meta.url));

let world: World;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "examkey-folder-"));
  await copyFile(sample, join(folder, "exam.dcm"));
  world = await World.open({ environment: { DICOM_DIRS: folder } });
});

afterAll(async () => {
  await world.close();
  await rm(folder, { recursive: true });
});

/** Give the file's patient another id of the same length, as a merge in the archive would. */
async function moveTo(patientId: string): Promise<void> {
  const file = (await readFile(sample)).toString("latin1").replaceAll(PATIENT_ID, patientId);
  await writeFile(join(folder, "exam.dcm"), file, "latin1");
}

/** Store the file again as one of another series of its study, whose UID begins so. */
async function storeLater(uid: string): Promise<void> {
  const file = (await readFile(sample)).toString("latin1").replaceAll("1.2.276.0.7230010.3.200.2.1", uid);
  const stored = await world.store(Buffer.from(file, "latin1"));
  expect(await stored.json()).toMatchObject({ failed: [] });
}

test("a study that was moved to another patient is closed until it is back", async () => {
  await world.enrol(PATIENT_ID, "patient");
  const [exam] = await world.examsOf("patient");
  const path = `/dicomweb/studies/${exam?.studyInstanceUid}/metadata`;
  await world.grant("patient", exam?.examId ?? "", "reader");
  expect((await world.get(path, "reader")).status).toBe(200);

  await world.stopGateway();
  await moveTo("SOMEONE");
  await world.startGateway();
  for (const name of ["patient", "reader"] as const) {
    expect(await reasonOf(await world.get(path, name))).toBe("403 patient-changed");
    expect(await world.examsOf(name)).toEqual([]);
  }
  expect(await reasonOf(await world.get(path, "stranger"))).toBe("403 not-granted");

  await world.stopGateway();
  await moveTo(PATIENT_ID);
  await world.startGateway();
  expect((await world.get(path, "reader")).status).toBe(200);
});

test("what is stored later amends the same exam, once, be it by itself or by the import that stored it", async () => {
  await storeLater("1.2.276.0.7230010.3.200.2.9");
  const [before] = await world.examsOf("patient");
  expect(before).toMatchObject({ numberOfImages: 2, series: [{ numberOfImages: 1 }, { numberOfImages: 1 }] });
  const lines = linesOf(await (await world.admin("/exams/refresh", {})).text());
  expect(lines.at(-1)).toMatchObject({ event: "done", registered: 0, failed: 0 });
  expect(await world.ledger.queryFilter(world.ledger.filters.ExamAmended?.() ?? [])).toHaveLength(1);
  const [exam] = await world.examsOf("patient");
  expect(exam?.series).toHaveLength(2);
  expect(exam?.numberOfImages).toBe(2);
  // The reader's grant is on the exam: what was added to it is covered.
  expect((await world.examsOf("reader"))[0]?.series).toHaveLength(2);
});

test("what arrives later can be revoked before the next import, and is left out of what is open", async () => {
  const { patient, reader, otherReader } = world.people;
  const [before] = await world.examsOf("patient");
  const known = before?.series.map(({ seriesInstanceUid }) => seriesInstanceUid) ?? [];
  await storeLater("1.2.276.0.7230010.3.200.2.8");
  // What the archive has of a series is kept for some seconds, and not over a restart.
  await world.stopGateway();
  await world.startGateway();
  const [exam] = await world.examsOf("patient");
  const late = exam?.series.find(({ seriesInstanceUid }) => !known.includes(seriesInstanceUid));
  if (!exam || !late) throw new Error("The patient is not shown what arrived.");
  const study = `/dicomweb/studies/${exam.studyInstanceUid}`;
  const ofStudy = [`${study}/metadata`, study, `${study}/series`, "/exams"];
  // The one reads the whole exam, the other whatever the patient has.
  const wide = [ALL_EXAMS_RESOURCE, granteeOf(otherReader.address), packTerms(world.terms())];
  await world.act("patient", "grant", wide);
  const readers = ["reader", "otherReader"] as const;
  const textOf = async (path: string, as: (typeof readers)[number]) => {
    const answer = await world.get(path, as);
    expect(answer.status, `${path} for ${as}`).toBe(200);
    return Buffer.from(await answer.arrayBuffer()).toString("latin1");
  };
  await until("the wide grant is seen", async () => (await world.get(study, "otherReader")).ok);
  for (const as of readers) {
    for (const path of ofStudy) expect(await textOf(path, as), path).toContain(late.seriesInstanceUid);
  }

  for (const { address } of [reader, otherReader]) {
    const slot = [patient.address, [late.seriesResource], granteeOf(address)];
    await world.act("patient", "revokeBatch", slot);
  }
  const ofSeries = `${study}/series/${late.seriesInstanceUid}/metadata`;
  for (const as of readers) {
    await until(`the series is closed to ${as}`, async () => (await world.get(ofSeries, as)).status === 403);
    for (const path of ofStudy) {
      const text = await textOf(path, as);
      expect(text, path).not.toContain(late.seriesInstanceUid);
      expect(text, path).toContain(exam.studyInstanceUid);
    }
  }
});

describe.skipIf(!existsSync(malformed))("malformed files (needs ../shared/dicom)", () => {
  test("are taken or refused one by one, and what was there stays", async () => {
    for (const name of readdirSync(malformed)) {
      const answer = await world.store(await readFile(join(malformed, name)));
      expect(answer.status, name).toBe(200);
      const { stored, failed } = (await answer.json()) as { stored: unknown[]; failed: { reason: string }[] };
      expect(stored.length + failed.length, name).toBe(1);
    }
    const lines = linesOf(await (await world.admin("/exams/refresh", {})).text());
    expect(lines.at(-1)).toMatchObject({ event: "done", failed: 0 });
    expect(await world.examsOf("patient")).toHaveLength(1);
  });
});
