import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseMediaType } from "../../gateway/archive/mediaType.ts";
import { readMultipart } from "../../gateway/archive/multipart.ts";
import { type Exam, type Manifest, manifestSchema } from "../../protocol/api.ts";
import type { Hex } from "../../protocol/hash.ts";
import { leafSalt } from "../../protocol/manifest.ts";
import { checkFrame, checkManifest } from "../../protocol/manifestCheck.ts";
import { MADE_PATIENT_ID, type MadeUids, madeSample, madeStudyUid } from "../madeSample.ts";
import { findOrthanc, startOrthanc } from "../orthanc.ts";
import { type PersonName, reasonOf, until, World } from "../world.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

let world: World;
let folder: string;
let exam: Exam;

/** Put an instance into the archive's folder, with a picture of its own. */
const put = async (uids: Required<MadeUids>, pixel = 10 * uids.series + uids.instance) => {
  const name = `${uids.study}-${uids.series}-${uids.instance}.dcm`;
  await writeFile(join(folder, name), await madeSample(uids, pixel));
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "examkey-integrity-"));
  await put({ study: 1, series: 1, instance: 1 });
  await put({ study: 1, series: 1, instance: 2 });
  await put({ study: 1, series: 2, instance: 1 });
  await put({ study: 2, series: 1, instance: 1 });
  world = await World.open({ environment: { DICOM_DIRS: folder, ARCHIVE_POLL: "0" } });
  await world.enrol(MADE_PATIENT_ID, "patient");
  exam = (await world.examsOf("patient")).find(
    ({ studyInstanceUid }) => studyInstanceUid === madeStudyUid(1),
  ) as Exam;
});

afterAll(async () => {
  await world.close();
  await rm(folder, { recursive: true });
});

/** The root as the chain has it: the gateway is not asked. */
async function rootOnLedger(of: World, examId: string): Promise<Hex> {
  const { manifestRoot } = await of.ledger.getFunction("pointerOf").staticCall(examId);
  return manifestRoot;
}

async function manifestFor(name: PersonName): Promise<Manifest> {
  const answer = await world.get(`/exams/${exam.examId}/manifest`, name);
  expect(answer.status).toBe(200);
  return manifestSchema.parse(await answer.json());
}

/** A frame's bytes as they are stored, through the gateway. */
async function delivered(
  name: PersonName,
  { seriesInstanceUid, sopInstanceUid, frame }: Manifest["frames"][number],
) {
  const path = `/dicomweb/studies/${exam.studyInstanceUid}/series/${seriesInstanceUid}/instances/${sopInstanceUid}/frames/${frame}`;
  const accept = 'multipart/related; type="application/octet-stream"; transfer-syntax=*';
  const answer = await world.get(path, name, { accept });
  const boundary = parseMediaType(answer.headers.get("content-type") ?? "")?.parameters.get("boundary") ?? "";
  if (!answer.ok || !answer.body) throw new Error(`No frame: ${answer.status}`);
  for await (const { bytes } of readMultipart(answer.body, boundary))
    return { sopInstanceUid, frame, bytes: Buffer.concat(await Array.fromAsync(bytes)) };
  throw new Error("An answer without a part.");
}

/** Run `npm run verify` against a world's gateway. */
function verify(of: World, ...args: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const script = [join(root, "scripts/verify.ts"), "--data", of.environment.DATA_DIR ?? "", ...args];
    execFile(process.execPath, script, { cwd: root }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), output: stdout + stderr }),
    );
  });
}

describe("a reader checks what was delivered", () => {
  test("against the root on the ledger: every frame of the exam, and nothing was left out", async () => {
    await world.grant("patient", exam.examId, "reader");
    for (const name of ["patient", "reader"] as const) {
      const manifest = await manifestFor(name);
      expect(manifest).toMatchObject({ covers: "exam", isPending: false });
      expect(manifest.frames).toHaveLength(3);
      const manifested = checkManifest(manifest, await rootOnLedger(world, exam.examId));
      for (const listed of manifest.frames) {
        const frame = await delivered(name, listed);
        expect(checkFrame(manifested, frame)).toBe("intact");
        frame.bytes.writeUInt8(frame.bytes.readUInt8(0) ^ 1, 0);
        expect(checkFrame(manifested, frame)).toBe("changed");
      }
    }
  });

  test("of one series alone, where only that is open: with proofs, and without its siblings' salts or UIDs", async () => {
    const [open, closed] = exam.series;
    if (!open || !closed) throw new Error("The exam has not two series.");
    await world.grant("patient", open.seriesResource, "otherReader");
    const manifest = await manifestFor("otherReader");
    expect(manifest.covers).toBe("series");
    expect(new Set(manifest.frames.map(({ seriesInstanceUid }) => seriesInstanceUid))).toEqual(
      new Set([open.seriesInstanceUid]),
    );
    const manifested = checkManifest(manifest, await rootOnLedger(world, exam.examId));
    for (const listed of manifest.frames)
      expect(checkFrame(manifested, await delivered("otherReader", listed))).toBe("intact");
    const text = JSON.stringify(manifest);
    for (const hidden of (await manifestFor("patient")).frames) {
      if (hidden.seriesInstanceUid !== closed.seriesInstanceUid) continue;
      for (const secret of [hidden.sopInstanceUid, hidden.salt, hidden.digest])
        expect(text).not.toContain(secret);
    }
    // None of the salts that are given leads to another's: only the exam's does.
    const [first, second] = (await manifestFor("patient")).frames;
    expect(leafSalt((first?.salt ?? "0x") as Hex, second?.sopInstanceUid ?? "", 1)).not.toBe(second?.salt);
  });

  test("and nobody else learns of it", async () => {
    const path = `/exams/${exam.examId}/manifest`;
    expect(await reasonOf(await world.get(path, "stranger"))).toBe("403 not-granted");
    expect(await reasonOf(await world.get(`/exams/0x${"00".repeat(32)}/manifest`, "stranger"))).toBe(
      "403 not-granted",
    );
    expect(await reasonOf(await world.get("/exams/nonsense/manifest", "stranger"))).toBe(
      "400 malformed-request",
    );
    expect(await reasonOf(await world.get(path))).toBe("401 token-missing");
    await world.revoke("patient", exam.examId, "reader");
    expect(await reasonOf(await world.get(path, "reader"))).toBe("403 revoked");
  });
});

describe("npm run verify", () => {
  test("finds nothing where nothing changed", async () => {
    const { code, output } = await verify(world);
    expect(output).toContain("2 exams, 4 frames read: all as registered.");
    expect(code).toBe(0);
  });

  test("names the frame of a file that was changed; the reader who is given it sees it too", async () => {
    await put({ study: 1, series: 1, instance: 2 }, 7);
    const { code, output } = await verify(world);
    expect(output).toContain(`study ${exam.studyInstanceUid}, exam ${exam.examId}`);
    expect(output).toContain(
      `frame 1 of instance ${madeStudyUid(1)}.1.2 (series ${madeStudyUid(1)}.1) has changed since it was registered`,
    );
    expect(output).toContain("2 exams, 4 frames read: 1 finding.");
    expect(code).toBe(1);
    const manifest = await manifestFor("patient");
    const manifested = checkManifest(manifest, await rootOnLedger(world, exam.examId));
    const changed = manifest.frames.find(({ sopInstanceUid }) => sopInstanceUid.endsWith(".1.2"));
    if (!changed) throw new Error("The instance is not in the manifest.");
    expect(checkFrame(manifested, await delivered("patient", changed))).toBe("changed");
  });

  test("names what is missing and what is new, of one exam alone where one is named", async () => {
    await world.stopGateway();
    await rm(join(folder, "1-2-1.dcm"));
    await put({ study: 1, series: 3, instance: 1 });
    await world.startGateway();
    const { code, output } = await verify(world, "--exam", exam.examId);
    expect(output).toContain(`instance ${madeStudyUid(1)}.2.1 (series ${madeStudyUid(1)}.2) is missing`);
    expect(output).toContain(`instance ${madeStudyUid(1)}.3.1 (series ${madeStudyUid(1)}.3) is new`);
    expect(output).toContain("1 exam, 2 frames read: 3 findings.");
    expect(code).toBe(1);
  });

  test("still finds it after the exam has grown: only what is new is taken over", async () => {
    const before = await rootOnLedger(world, exam.examId);
    await (await world.admin("/exams/refresh", {})).text();
    expect(await rootOnLedger(world, exam.examId)).not.toBe(before);
    const { code, output } = await verify(world, "--exam", exam.examId);
    expect(output).toContain("has changed since it was registered");
    expect(output).toContain("is missing from the archive");
    expect(output).not.toContain("is new");
    expect(code).toBe(1);
  });

  test("--accept takes the archive for right, on the ledger too", async () => {
    const accepted = await verify(world, "--exam", exam.examId, "--accept", "--yes");
    expect(accepted.output).toContain("amended:");
    expect(accepted.code).toBe(0);
    expect(await verify(world)).toMatchObject({ code: 0 });
    const manifest = await manifestFor("patient");
    expect(checkManifest(manifest, await rootOnLedger(world, exam.examId)).size).toBe(3);
  });

  test("says in one line what it cannot do", async () => {
    for (const [args, message] of [
      [["--exam", "12"], "is not an exam's id"],
      [["--accept"], "name it with --exam"],
      [["--exam", `0x${"00".repeat(32)}`], "No exam here has the id"],
    ] as const) {
      const { code, output } = await verify(world, ...args);
      expect(output.trim().split("\n")).toHaveLength(1);
      expect(output).toContain(message);
      expect(code).not.toBe(0);
    }
  });
});

describe.skipIf(!findOrthanc())("beside Orthanc (needs Debian's orthanc)", () => {
  test("a picture that was replaced under its own UID is found, and no watcher takes it over", async () => {
    const orthanc = await startOrthanc();
    const path = join(folder, "arriving");
    const arrive = async (uids: MadeUids, pixel?: number) => {
      await writeFile(path, await madeSample(uids, pixel));
      await orthanc.add([path]);
    };
    await arrive({ study: 3, instance: 1 });
    await arrive({ study: 3, instance: 2 });
    const { url, username, password } = orthanc;
    const environment = { DICOMWEB_URL: url, DICOMWEB_USERNAME: username, DICOMWEB_PASSWORD: password };
    const beside = await World.open({
      environment: { ...environment, ARCHIVE_POLL: "1", STUDY_STABLE: "1" },
    });
    try {
      await beside.enrol(MADE_PATIENT_ID, "patient");
      expect(await verify(beside)).toMatchObject({ code: 0 });
      await orthanc.remove(`${madeStudyUid(3)}.1.1`);
      await arrive({ study: 3, instance: 1 }, 7);
      await arrive({ study: 3, series: 2, instance: 1 });
      const [registered] = await beside.examsOf("patient");
      const before = await rootOnLedger(beside, registered?.examId ?? "");
      await until(
        "the watcher amends",
        async () => (await rootOnLedger(beside, registered?.examId ?? "")) !== before,
      );
      const { code, output } = await verify(beside);
      expect(output).toContain(
        `frame 1 of instance ${madeStudyUid(3)}.1.1 (series ${madeStudyUid(3)}.1) has changed`,
      );
      expect(output).toContain("1 exam, 3 frames read: 1 finding.");
      expect(code).toBe(1);
    } finally {
      await beside.close();
      await orthanc.close();
    }
  });
});
