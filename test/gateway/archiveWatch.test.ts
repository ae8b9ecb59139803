import { execFile, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { readConfig } from "../../gateway/config.ts";
import { type RunningGateway, startGateway } from "../../gateway/server.ts";
import { outboxSchema } from "../../protocol/adminApi.ts";
import type { Exam } from "../../protocol/api.ts";
import type { Hex } from "../../protocol/hash.ts";
import { MADE_PATIENT_ID, type MadeUids, madeSample, madeStudyUid } from "../madeSample.ts";
import { findOrthanc, type Orthanc, startOrthanc } from "../orthanc.ts";
import { findPostgres, startPostgres } from "../postgres.ts";
import { linesOf, until, World } from "../world.ts";
import { RpcWay } from "./rpcWay.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** Seconds for what comes in parts: longer than a busy machine takes from one file to the next. */
const STABLE = 6;

let orthanc: Orthanc;
let rpc: RpcWay;
let world: World;
let folder: string;

/** What a world beside Orthanc has to be configured with. */
const besideOrthanc = () => ({
  DICOMWEB_URL: orthanc.url,
  DICOMWEB_USERNAME: orthanc.username,
  DICOMWEB_PASSWORD: orthanc.password,
  ARCHIVE_POLL: "1",
  STUDY_STABLE: String(STABLE),
  RESEND_AFTER: "1",
  HEAD_MAX_AGE: "3600",
});

/** A file comes into the archive as from a modality: the gateway is not told. */
async function arrive(uids: MadeUids): Promise<void> {
  const path = join(folder, "arriving.dcm");
  await writeFile(path, await madeSample(uids));
  await orthanc.add([path]);
}

/** The patient's exam of a study; undefined while they are not shown one. */
async function examOf(study: number, of: World = world): Promise<Exam | undefined> {
  const exams = await of.examsOf("patient");
  return exams.find(({ studyInstanceUid }) => studyInstanceUid === madeStudyUid(study));
}

const untilShown = (study: number, of?: World) => until(`study ${study} is shown`, () => examOf(study, of));

/** How often the ledger logged something about any exam, or about one. */
async function logged(event: "ExamRegistered" | "ExamAmended", examId: Hex | null = null, of: World = world) {
  const filter = of.ledger.filters[event]?.(examId);
  return (await of.ledger.queryFilter(filter ?? [])).length;
}

const versionOf = async (examId: string) => {
  const { version } = await world.ledger.getFunction("pointerOf").staticCall(examId);
  return Number(version);
};

async function outboxOf({ adminUrl, adminToken }: RunningGateway = world.gateway) {
  const headers = { authorization: `Bearer ${adminToken}` };
  return outboxSchema.parse(await (await fetch(`${adminUrl}/outbox`, { headers })).json());
}

/** Transactions wait, and no block comes by itself. */
async function stopMining(): Promise<void> {
  await world.provider.send("evm_setAutomine", [false]);
  await world.provider.send("evm_setIntervalMining", [0]);
}

async function goOnMining(): Promise<void> {
  await world.provider.send("evm_setAutomine", [true]);
  await world.provider.send("evm_setIntervalMining", [1_000]);
  await world.provider.send("evm_mine", []);
}

type Pending = { hash: string; nonce: Hex; maxFeePerGas: Hex };
const pendingTransactions = async (): Promise<Pending[]> =>
  (await world.provider.send("eth_getBlockByNumber", ["pending", true])).transactions;

describe.skipIf(!findOrthanc())("beside Orthanc (needs Debian's orthanc)", () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "examkey-arrivals-"));
    orthanc = await startOrthanc();
    await arrive({ study: 1 });
    world = await World.open({
      environment: besideOrthanc(),
      rpcThrough: async (rpcUrl) => {
        rpc = await RpcWay.to(rpcUrl);
        return rpc.url;
      },
    });
    await world.enrol(MADE_PATIENT_ID, "patient");
  });

  afterAll(async () => {
    await world.close();
    await rpc.close();
    await orthanc.close();
    await rm(folder, { recursive: true });
  });

  afterEach(async () => {
    rpc.mend();
    await goOnMining();
  });

  test("a new study is registered by itself, once it is complete: not in parts", async () => {
    for (let instance = 1; instance <= 8; instance++) {
      await arrive({ study: 2, instance });
      await delay(1_000);
      expect(await examOf(2), `after ${instance} instances`).toBeUndefined();
    }
    const exam = await untilShown(2);
    expect(exam.numberOfImages).toBe(8);
    expect(await versionOf(exam.examId)).toBe(1);
    // What follows comes whole.
    await world.stopGateway();
    world.environment.STUDY_STABLE = "1";
    await world.startGateway();
  });

  test("what comes late amends the exam, once", async () => {
    const exam = await untilShown(2);
    await arrive({ study: 2, series: 2 });
    await until("the exam is amended", async () => (await versionOf(exam.examId)) > 1);
    await until("the outbox is empty", async () => (await outboxOf()).waiting.length === 0);
    expect(await logged("ExamAmended", exam.examId as Hex)).toBe(1);
    expect((await examOf(2))?.series).toHaveLength(2);
  });

  test("while the chain is away, it waits and says why; it is registered when the chain is back", async () => {
    const before = await logged("ExamRegistered");
    rpc.break();
    await arrive({ study: 3 });
    const { fault, waiting } = await until("it waits", async () => {
      const outbox = await outboxOf();
      return outbox.fault !== null && outbox.waiting.length === 1 && outbox;
    });
    expect(fault).toBe("The chain cannot be reached, so nothing can be decided.");
    expect(waiting).toMatchObject([{ act: "register", sentAt: null }]);
    const args = [join(root, "scripts/enrol.ts"), "--data", world.environment.DATA_DIR ?? "", "--list"];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
    expect(stdout).toContain("1 exam waiting for the ledger");
    expect(stdout).toContain("The chain cannot be reached");
    rpc.mend();
    await until("the chain is followed", async () => (await world.get("/exams", "patient")).ok);
    await untilShown(3);
    expect(await logged("ExamRegistered")).toBe(before + 1);
    expect((await outboxOf()).waiting).toEqual([]);
  });

  test("what the ledger refuses says what to do, and goes on once that is done", async () => {
    const { custodian, operator } = world.people;
    await world.act("custodian", "setOperator", [operator.address, false]);
    await arrive({ study: 4 });
    const [waiting] = await until("it was refused", async () => {
      const { waiting } = await outboxOf();
      return waiting[0]?.why ? waiting : undefined;
    });
    expect(waiting?.why).toContain(`${custodian.address.toLowerCase()} must send ConsentLedger.setOperator`);
    await world.act("custodian", "setOperator", [operator.address, true]);
    await untilShown(4);
  });

  test("a transaction that is not mined is offered a higher fee, in its own place", async () => {
    const before = await logged("ExamRegistered");
    await stopMining();
    await arrive({ study: 5 });
    const [first] = await until("it is sent", async () => {
      const pending = await pendingTransactions();
      return pending.length > 0 && pending;
    });
    const raised = await until("it is sent again", async () => {
      const pending = await pendingTransactions();
      return pending.some(({ hash }) => hash !== first?.hash) && pending;
    });
    expect(raised).toHaveLength(1);
    expect(raised[0]?.nonce).toBe(first?.nonce);
    expect(BigInt(raised[0]?.maxFeePerGas ?? 0)).toBeGreaterThan(BigInt(first?.maxFeePerGas ?? 0));
    await goOnMining();
    await untilShown(5);
    expect(await logged("ExamRegistered")).toBe(before + 1);
  });

  test("a gateway that is killed between sending and writing that down sends nothing twice", async () => {
    const exam = await untilShown(5);
    await world.stopGateway();
    await stopMining();
    // Without anchors, which are sent by the same key, and would be what is swallowed.
    const { ACCESS_LOG: _accessLog, ...environment } = world.environment;
    const child = fork("gateway/main.ts", [], { env: environment, stdio: "ignore" });
    const ended = once(child, "close");
    const swallowed = rpc.swallow("eth_sendRawTransaction");
    await arrive({ study: 5, series: 2 });
    await swallowed;
    child.kill("SIGKILL");
    await ended;
    rpc.mend();
    expect(await pendingTransactions()).toHaveLength(1);

    const next = await startGateway(readConfig(environment));
    const sent = () => outboxOf(next).then(({ waiting }) => waiting[0]?.sentAt ?? undefined);
    await until("the next gateway knows that it is sent", sent);
    expect(await pendingTransactions()).toHaveLength(1);
    await goOnMining();
    await until("the outbox is empty", async () => (await outboxOf(next)).waiting.length === 0);
    await next.close();
    await world.startGateway();
    expect(await versionOf(exam.examId)).toBe(2);
  });

  test("what is stored through the gateway is registered at once, and shown at once", async () => {
    await world.stopGateway();
    await world.startGateway({ ARCHIVE_POLL: "0" });
    const store = async (uids: MadeUids) => expect((await world.store(await madeSample(uids))).ok).toBe(true);
    await store({ study: 6 });
    const exam = await untilShown(6);
    await store({ study: 6, series: 2 });
    expect((await examOf(6))?.series).toHaveLength(2);
    await until("the exam is amended", async () => (await versionOf(exam.examId)) > 1);
  });
});

describe.skipIf(!findOrthanc() || !findPostgres())(
  "two gateways over one PostgreSQL, beside Orthanc (need Debian's orthanc and postgresql)",
  () => {
    test("register what arrives once, also when both are told to at the same moment", async () => {
      folder = await mkdtemp(join(tmpdir(), "examkey-arrivals-"));
      orthanc = await startOrthanc();
      const postgres = await startPostgres();
      const environment = { ...besideOrthanc(), STUDY_STABLE: "1", DATABASE_URL: postgres.url };
      const pair = await World.open({ environment });
      const second = await startGateway(
        readConfig({ ...pair.environment, DATA_DIR: join(folder, "second"), PORT: "0" }),
      );
      try {
        await arrive({ study: 1 });
        await pair.enrol(MADE_PATIENT_ID, "patient");
        const studies = [2, 3, 4, 5, 6, 7];
        for (const study of studies) await arrive({ study });
        const headers = { authorization: `Bearer ${second.adminToken}` };
        await Promise.all([
          pair
            .admin("/exams/refresh", {})
            .then((answer) => answer.text())
            .then(linesOf),
          fetch(`${second.adminUrl}/exams/refresh`, { method: "POST", headers }).then((answer) =>
            answer.text(),
          ),
        ]);
        for (const study of studies) await untilShown(study, pair);
        await arrive({ study: 7, series: 2 });
        const last = await untilShown(7, pair);
        await until("the exam is amended", async () => (await logged("ExamAmended", null, pair)) > 0);
        await until("the outbox is empty", async () => (await outboxOf(pair.gateway)).waiting.length === 0);
        expect(await logged("ExamRegistered", null, pair)).toBe(studies.length + 1);
        expect(await logged("ExamAmended", last.examId as Hex, pair)).toBe(1);
      } finally {
        await second.close();
        await pair.close();
        await postgres.close();
        await orthanc.close();
        await rm(folder, { recursive: true });
      }
    });
  },
);
