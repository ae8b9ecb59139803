import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Database, openDatabase } from "../../gateway/database/database.ts";
import { exams } from "../../gateway/database/schema.ts";
import { Seal } from "../../gateway/database/seal.ts";
import { markSweepDue } from "../../gateway/erasure/sweep.ts";
import type { Exam } from "../../protocol/api.ts";
import { MADE_PATIENT_ID, madeSample, madeStudyUid } from "../madeSample.ts";
import { reasonOf, until, World } from "../world.ts";
import { filesWith, foundIn, textOfDatabase } from "./leftovers.ts";
import { type GatewayProcess, startProcess } from "./process.ts";
import { RpcWay } from "./rpcWay.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const DATA_KEY = "5e".repeat(32);

let world: World;
let rpc: RpcWay;
let folder: string;
let gateway: GatewayProcess;
let all: Exam[];
/** What the database knows of each exam, before anything is erased. */
let known: (typeof exams.$inferSelect)[];

const examOf = (study: number) =>
  all.find(({ studyInstanceUid }) => studyInstanceUid === madeStudyUid(study)) as Exam;

/** A gateway of its own process, which can be killed; it has the custodian's key, and anchors nothing. */
async function start(): Promise<void> {
  const { ACCESS_LOG: _, ...environment } = world.environment;
  const keys = { CUSTODIAN_KEY: world.people.custodian.privateKey, DATA_KEY };
  gateway = await startProcess({ ...environment, ...keys });
  world.useGateway(gateway.ready?.url ?? "");
}

/** Run the command; its output, line for line, is told as it comes. */
async function erase(args: string[], heard: (line: string) => void = () => {}) {
  const script = [join(root, "scripts/erase.ts"), "--data", world.environment.DATA_DIR ?? "", ...args];
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...script], { cwd: root });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      heard(text);
    });
  const [code] = await once(child, "close");
  return { code: Number(code), output };
}

const files = () => join(world.environment.DATA_DIR ?? "", "pglite");

async function readDatabase<T>(read: (database: Database) => Promise<T>): Promise<T> {
  const dataDir = world.environment.DATA_DIR ?? "";
  const { database, close } = await openDatabase({ databaseUrl: null, dataDir });
  try {
    return await read(database);
  } finally {
    await close();
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "examkey-killed-"));
  for (let study = 1; study <= 4; study++)
    await writeFile(join(folder, `${study}.dcm`), await madeSample({ study, series: 1, instance: 1 }, study));
  world = await World.open({
    environment: { DICOM_DIRS: folder, DATA_KEY, ARCHIVE_POLL: "1", STUDY_STABLE: "1" },
    rpcThrough: async (rpcUrl) => {
      rpc = await RpcWay.to(rpcUrl);
      return rpc.url;
    },
  });
  await world.enrol(MADE_PATIENT_ID, "patient");
  all = await world.examsOf("patient");
  await world.stopGateway();
  known = await readDatabase((database) => database.select().from(exams));
});

afterAll(async () => {
  await gateway?.kill();
  await world.close();
  await rpc.close();
  await rm(folder, { recursive: true });
});

describe("a gateway that is killed while an exam is erased, and run again", () => {
  test.each([
    ["when it was closed", 1, /^Closed:/m],
    ["when its retirement was sent, and no answer came", 2, null],
    ["when it was retired", 3, /^Retired/m],
  ])("%s, ends whole", async (_, study, line) => {
    const exam = examOf(study);
    const path = `/dicomweb/studies/${exam.studyInstanceUid}/metadata`;
    await start();
    expect((await world.get(path, "patient")).status).toBe(200);
    const row = known.find(({ examId }) => examId === exam.examId);
    const secrets = [row?.studyInstanceUid, row?.salt, row?.contents] as string[];

    const sent = line === null ? rpc.swallow("eth_sendRawTransaction").then(() => gateway.kill()) : null;
    const args = ["--exam", exam.examId, "--withhold", "--yes"];
    const killed = await erase(args, (text) => {
      if (line?.test(text)) void gateway.kill();
    });
    await sent;
    await gateway.kill();
    rpc.mend();
    expect(killed.code).toBe(1);
    expect(killed.output).toContain("run the same again");

    await start();
    expect(await reasonOf(await world.get(path, "patient"))).toBe("403 not-granted");
    const again = await erase(args);
    expect(again.output).toContain("Swept");
    expect(again.code).toBe(0);
    // The archive has it still, and is looked at each second.
    await delay(3_000);
    await gateway.kill();
    const left = await readDatabase(textOfDatabase);
    expect(foundIn(left, secrets)).toEqual([]);
    expect(filesWith(files(), secrets)).toEqual([]);
    expect((await world.ledger.getFunction("pointerOf").staticCall(exam.examId)).retired).toBe(true);
  });

  test("before the tables were rewritten, rewrites them at its next start", async () => {
    // A row that was written over leaves what it was in the file, as one that was deleted does.
    const old = await readDatabase(async (database) => {
      const [row] = await database.select().from(exams);
      await database.transaction(async (tx) => {
        await tx.update(exams).set({ contents: "f".repeat(64) });
        await markSweepDue(tx);
      });
      return row?.contents ?? "";
    });
    expect(filesWith(files(), [old])).not.toEqual([]);
    await start();
    await gateway.kill();
    expect(filesWith(files(), [old])).toEqual([]);
  });
});

test("what is withheld leads back only for who has the key too, and can be released", async () => {
  const left = await readDatabase(textOfDatabase);
  const mark = new Seal(DATA_KEY).tag(`withheld study ${madeStudyUid(1)}`);
  expect(left).toContain(mark);
  expect(left).not.toContain(DATA_KEY);
  await start();
  expect(await world.examsOf("patient")).toHaveLength(1);
  const released = await erase(["--study", madeStudyUid(1), "--release"]);
  expect(released.code).toBe(0);
  const again = await until("it is found again", async () =>
    (await world.examsOf("patient")).find(({ studyInstanceUid }) => studyInstanceUid === madeStudyUid(1)),
  );
  expect(again.examId).not.toBe(examOf(1).examId);
  expect((await erase(["--study", madeStudyUid(1), "--release"])).output).toContain("not withheld");
});
