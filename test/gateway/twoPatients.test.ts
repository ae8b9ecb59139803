/** Another patient's images under an exam's StudyInstanceUID, as a modality makes them that was told the wrong name. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { MADE_PATIENT_ID, madeSample } from "../madeSample.ts";
import { findOrthanc, startOrthanc } from "../orthanc.ts";
import { reasonOf, until, World } from "../world.ts";

/** An instance of somebody else, in a series of its own. Their id is as long, so that no length changes. */
async function othersImage(): Promise<Buffer<ArrayBuffer>> {
  const file = (await madeSample({ series: 7 })).toString("latin1");
  return Buffer.from(file.replaceAll(MADE_PATIENT_ID, "SOMEONE"), "latin1");
}

/** Enrol the patient, and grant the exam. */
async function share(world: World) {
  await world.enrol(MADE_PATIENT_ID, "patient");
  const [exam] = await world.examsOf("patient");
  if (!exam) throw new Error("The exam was not enrolled.");
  await world.grant("patient", exam.examId, "reader");
  return `/dicomweb/studies/${exam.studyInstanceUid}/metadata`;
}

test("are not taken into the embedded archive", async () => {
  const folder = await mkdtemp(join(tmpdir(), "examkey-two-"));
  await writeFile(join(folder, "exam.dcm"), await madeSample({}));
  const world = await World.open({ environment: { DICOM_DIRS: folder } });
  try {
    const metadata = await share(world);
    const stored = await world.store(await othersImage());
    expect(await stored.json()).toMatchObject({
      stored: [],
      failed: [{ reason: expect.stringContaining("another patient's study") }],
    });

    await world.stopGateway();
    await writeFile(join(folder, "other.dcm"), await othersImage());
    await world.startGateway();
    const left = await (await world.get(metadata, "reader")).text();
    expect(JSON.parse(left)).toHaveLength(1);
    expect(left).toContain(MADE_PATIENT_ID);
  } finally {
    await world.close();
    await rm(folder, { recursive: true });
  }
});

describe.skipIf(!findOrthanc())("in Orthanc (needs Debian's packages)", () => {
  test("close the exam, until they are gone", async () => {
    const archive = await startOrthanc();
    await archive.take(await madeSample({}));
    const { url, username, password } = archive;
    const world = await World.open({
      environment: { DICOMWEB_URL: url, DICOMWEB_USERNAME: username, DICOMWEB_PASSWORD: password },
    });
    try {
      const metadata = await share(world);
      expect((await world.get(metadata, "reader")).status).toBe(200);

      await archive.take(await othersImage());
      await until("it is closed", async () => !(await world.get(metadata, "reader")).ok);
      expect(await reasonOf(await world.get(metadata, "reader"))).toBe("403 patient-changed");
      for (const name of ["patient", "reader"] as const) expect(await world.examsOf(name)).toEqual([]);

      await archive.remove("1.2.276.0.7230010.3.200.2.7.1");
      await until("it is open again", async () => (await world.get(metadata, "reader")).ok);
    } finally {
      await world.close();
      await archive.close();
    }
  });
});
