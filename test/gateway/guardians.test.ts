/** Guardians: what they are shown so that they can act for a patient, what they are not, and what their acts do. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openDatabase } from "../../gateway/database/database.ts";
import type { Exam, Grant } from "../../protocol/api.ts";
import { ALL_EXAMS_RESOURCE, granteeOf } from "../../protocol/ids.ts";
import { packTerms } from "../../protocol/terms.ts";
import { type PersonName, reasonOf, SAMPLE_PATIENTS, until, World } from "../world.ts";
import { readLog } from "./readLog.ts";

let world: World;
let brain: Exam;
let pet: Exam;

beforeAll(async () => {
  world = await World.open();
  ({ brain, pet } = await world.enrolTwoExams());
  await world.enrol(SAMPLE_PATIENTS.mr, "otherPatient");
  await world.admin("/practitioners", {
    address: addressOf("reader"),
    name: "Dr. Imani Vale",
    role: "Reader",
  });
});

afterAll(() => world.close());

const addressOf = (name: PersonName) => world.people[name].address;
const tomorrow = () => Math.floor(Date.now() / 1000) + 86_400;
const terms = () => packTerms(world.terms());

/** What a guardian asks for in a patient's place. */
const ask = (path: string, as: PersonName, patient: PersonName = "patient") =>
  world.get(`${path}?for=${addressOf(patient)}`, as);
const examsInCare = async (as: PersonName) =>
  ((await (await ask("/exams", as)).json()) as { exams: Exam[] }).exams;
const mayAct = async (as: PersonName) => {
  const answers = await Promise.all(
    ["/exams", "/grants", "/people", "/emergencies"].map((path) => ask(path, as)),
  );
  const told = await Promise.all(answers.map((answer) => (answer.ok ? "told" : reasonOf(answer))));
  expect(new Set(told).size).toBe(1);
  return told[0];
};
const untilAct = (as: PersonName, wanted: string) =>
  until(`${as} is ${wanted}`, async () => (await ask("/exams", as)).ok === (wanted === "told"));
const read = async (exam: Exam, as: PersonName) => {
  const answer = await world.get(`/dicomweb/studies/${exam.studyInstanceUid}/metadata`, as);
  return answer.ok ? "open" : reasonOf(answer);
};
const untilRead = (exam: Exam, as: PersonName, wanted: string) =>
  until(`${wanted} for ${as}`, async () => (await read(exam, as)) === wanted);
const shown = async (as: PersonName) => (await world.examsOf(as)).map(({ examId }) => examId).sort();
const watch = async (exam: Exam, as: PersonName) => {
  const answer = await world.get(`/exams/${exam.examId}/watch`, as);
  expect(answer.status).toBe(200);
  return { ended: answer.text().then((text) => /"reason":"([^"]+)"/.exec(text)?.[1]) };
};

describe("a guardian", () => {
  beforeEach(async () => {
    await world.untilNextSecond();
    await world.act("patient", "nameGuardian", [addressOf("stranger"), tomorrow()]);
    await untilAct("stranger", "told");
  });

  test("is told what there is, and who can see it, and opens none of it", async () => {
    await world.grant("patient", brain.examId, "reader");
    expect(await mayAct("stranger")).toBe("told");
    const exams = await examsInCare("stranger");
    expect(exams.map(({ examId }) => examId).sort()).toEqual([brain.examId, pet.examId].sort());
    const told = exams.find(({ examId }) => examId === brain.examId);
    expect(told).toMatchObject({
      relation: "guardian",
      description: "BRAIN",
      commitment: brain.commitment,
      series: brain.series,
      access: null,
      picture: null,
    });
    expect(told?.patient).toEqual({ ...brain.patient, birthDate: null });
    const { grants } = (await (await ask("/grants", "stranger")).json()) as { grants: Grant[] };
    expect(grants).toEqual(await world.grantsOf("patient"));

    expect(await read(brain, "stranger")).toBe("403 not-granted");
    expect(await reasonOf(await world.get(`/exams/${brain.examId}/watch`, "stranger"))).toBe(
      "403 not-granted",
    );
    expect(await reasonOf(await world.get("/dicomweb/studies", "stranger"))).toBe("403 not-granted");
    expect(await shown("stranger")).toEqual([]);
    await world.revoke("patient", brain.examId, "reader");
  });

  test("is recorded, with the exams that they were told of, and so is who only says that they are one", async () => {
    await ask("/grants", "stranger");
    await ask("/exams", "operator");
    await world.stopGateway();
    const { database, close } = await openDatabase({
      databaseUrl: null,
      dataDir: world.environment.DATA_DIR ?? "",
    });
    const [told, refused] = (await readLog(database)).slice(-2);
    await close();
    await world.startGateway();
    expect(told).toMatchObject({
      caller: addressOf("stranger").toLowerCase(),
      route: "list grants for a patient",
      reason: "permitted",
    });
    expect(told?.exams.sort()).toEqual([brain.examId, pet.examId].sort());
    expect(refused).toMatchObject({ reason: "not-granted", exams: [] });
  });

  test("is one of one patient's, and of nobody else's", async () => {
    const refused = await ask("/exams", "stranger", "otherPatient");
    expect(await reasonOf(refused)).toBe("403 not-granted");
    expect(await mayAct("operator")).toBe("403 not-granted");
    expect(await reasonOf(await world.get("/exams?for=0x12", "stranger"))).toBe("400 malformed-request");
  });

  test("grants and revokes as the patient does, for the reader's lists, the patient's, and what is open", async () => {
    const slots = (resource: string) => [
      addressOf("patient"),
      [resource],
      granteeOf(addressOf("otherReader")),
    ];
    await world.act("stranger", "grantBatch", [...slots(ALL_EXAMS_RESOURCE), terms()]);
    await untilRead(brain, "otherReader", "open");
    expect(await shown("otherReader")).toEqual([brain.examId, pet.examId].sort());
    const granted = await world.grantsOf("patient");
    expect(granted).toContainEqual(
      expect.objectContaining({ resource: ALL_EXAMS_RESOURCE, covers: "all", state: "active" }),
    );

    const first = await watch(pet, "otherReader");
    await world.act("stranger", "revokeBatch", slots(pet.examId));
    expect(await first.ended).toBe("revoked");
    expect(await shown("otherReader")).toEqual([brain.examId]);

    const second = await watch(brain, "otherReader");
    await world.act("stranger", "revokeAll", [addressOf("patient")]);
    expect(await second.ended).toBe("revoked");
    expect(await shown("otherReader")).toEqual([]);
    // It ends guardians, its sender too.
    expect(await mayAct("stranger")).toBe("403 not-granted");
  });

  test("is none any more once the patient says so, nor when their time is over, with no transaction sent", async () => {
    await world.act("patient", "nameGuardian", [addressOf("stranger"), 1]);
    await untilAct("stranger", "refused");
    const until = Math.floor(Date.now() / 1000) + 4;
    await world.act("patient", "nameGuardian", [addressOf("stranger"), until]);
    await untilAct("stranger", "told");
    await untilAct("stranger", "refused");
    expect(Date.now() / 1000).toBeGreaterThanOrEqual(until);
    expect(await mayAct("stranger")).toBe("403 not-granted");
  });
});
