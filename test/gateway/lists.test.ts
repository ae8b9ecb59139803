/** Lists take as long as the archive does: what is open no more when one is made is not in it. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Exam } from "../../protocol/api.ts";
import { reasonOf, until, World } from "../world.ts";
import { HospitalArchive } from "./hospitalArchive.ts";

let archive: HospitalArchive;
let world: World;
let brain: Exam;
let pet: Exam;

beforeAll(async () => {
  archive = await HospitalArchive.open();
  world = await World.open({ environment: { DICOMWEB_URL: archive.url } });
  ({ brain, pet } = await world.enrolTwoExams());
});

afterAll(async () => {
  await world.close();
  await archive.close();
});

const frame = ({ picture }: Exam) => new URL(picture ?? "").pathname.replace(/rendered$/, "frames/1");

/** Ask, and do something when the archive is being asked about an exam's series; its answer goes on after that. */
async function askedWhile(path: string, as: "reader" | "stranger", act: () => Promise<void>) {
  const isAsking = archive.stall("/series?");
  const asked = world.get(path, as);
  await isAsking;
  await act();
  archive.resume();
  const answer = await asked;
  return answer.ok ? answer.text() : reasonOf(answer);
}

// A gateway that has asked the archive nothing yet: it keeps for seconds what it was told.
const startAnew = async () => {
  await world.stopGateway();
  await world.startGateway();
};

test.each([
  ["/exams", ({ examId }: Exam) => examId],
  ["/fhir/ImagingStudy", ({ examId }: Exam) => examId],
  ["/dicomweb/series", ({ studyInstanceUid }: Exam) => studyInstanceUid],
])("%s names nothing that was revoked while it was made", async (path, nameOf) => {
  for (const { examId } of [brain, pet]) await world.grant("patient", examId, "reader");
  await startAnew();
  const list = await askedWhile(path, "reader", async () => {
    await world.revoke("patient", brain.examId, "reader");
    await until("it is closed", async () => (await world.get(frame(brain), "reader")).status === 403);
  });
  expect(list).toContain(nameOf(pet));
  expect(list).not.toContain(nameOf(brain));
});

test("a patient's exams are not told to who is their guardian no more", async () => {
  const guardian = world.people.stranger.address;
  await world.act("patient", "nameGuardian", [guardian, Math.floor(Date.now() / 1000) + 86_400]);
  await startAnew();
  const patient = world.people.patient.address;
  const list = await askedWhile(`/exams?for=${patient}`, "stranger", async () => {
    await world.act("patient", "nameGuardian", [guardian, 1]);
    await until("they may not act", async () => !(await world.get(`/people?for=${patient}`, "stranger")).ok);
  });
  expect(list).toBe("403 not-granted");
});
