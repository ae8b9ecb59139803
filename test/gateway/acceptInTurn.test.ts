import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MADE_PATIENT_ID, madeSample, madeStudyUid } from "../madeSample.ts";
import { linesOf, World } from "../world.ts";
import { HospitalArchive } from "./hospitalArchive.ts";

let archive: HospitalArchive;
let world: World;

beforeAll(async () => {
  archive = await HospitalArchive.open();
  world = await World.open({ environment: { DICOMWEB_URL: archive.url, ARCHIVE_POLL: "0" } });
  await world.enrol(MADE_PATIENT_ID, "patient");
});
afterAll(async () => {
  await world.close();
  await archive.close();
});

test("what arrives while an exam is accepted is added to what was accepted, and not lost", async () => {
  const [exam] = (await world.examsOf("patient")).filter(
    ({ studyInstanceUid }) => studyInstanceUid === madeStudyUid(2),
  );
  const examId = exam?.examId ?? "";
  // Only the acceptance reads the instance that was there: it stands still in the middle of it.
  const isReading = archive.stall(`/instances/${madeStudyUid(2)}.1.1/frames/`);
  const accepting = world.admin("/exams/accept", { examId }).then((answer) => answer.text());
  await isReading;
  const arriving = await world.store(await madeSample({ study: 2, series: 1, instance: 2 }, 7));
  expect(await arriving.json()).toMatchObject({ failed: [] });
  const refreshing = world.admin("/exams/refresh", {}).then((answer) => answer.text());
  // Where nothing held it up, it would be done by then.
  await Promise.race([refreshing, delay(5_000)]);
  archive.resume();
  expect(linesOf(await accepting)).toMatchObject([{ event: "exam", examId }]);
  expect(linesOf(await refreshing).at(-1)).toMatchObject({ event: "done", failed: 0 });
  const verified = linesOf(await (await world.admin("/exams/verify", { examId })).text());
  expect(verified.at(-1)).toEqual({ event: "done", exams: 1, frames: 2, findings: 0 });
});
