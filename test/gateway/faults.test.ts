import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startEmbeddedArchive } from "../../gateway/archive/embedded/server.ts";
import type { Exam } from "../../protocol/api.ts";
import { reasonOf, SAMPLE_FOLDERS, SAMPLE_PATIENTS, until, World } from "../world.ts";
import { BreakableProxy } from "./breakableProxy.ts";

/** Seconds: long enough for a busy machine, short enough to wait for. */
const HEAD_MAX_AGE = 8;

let world: World;
let rpc: BreakableProxy;
let exam: Exam;
let frame: string;

beforeAll(async () => {
  world = await World.open({
    environment: { HEAD_MAX_AGE: String(HEAD_MAX_AGE) },
    rpcThrough: async (rpcUrl) => {
      rpc = await BreakableProxy.to(rpcUrl);
      return rpc.url;
    },
  });
  await world.enrol(SAMPLE_PATIENTS.brain, "patient");
  // A busy machine may mine too late at first.
  await until("the chain is followed", async () => (await world.get("/exams", "patient")).ok);
  [exam] = (await world.examsOf("patient")) as [Exam];
  frame = new URL(exam.picture ?? "").pathname.replace(/rendered$/, "frames/1");
  await world.grant("patient", exam.examId, "reader");
});

afterAll(async () => {
  await world.close();
  await rpc.close();
});

const read = () => world.get(frame, "reader");
const untilReason = (reason: string) =>
  until(reason, async () => {
    const answer = await read();
    return !answer.ok && (await reasonOf(answer)) === reason;
  });
const untilServed = () => until("the exam is served", async () => (await read()).ok);

describe("a chain", () => {
  afterEach(async () => {
    rpc.mend();
    await world.provider.send("evm_setIntervalMining", [1_000]);
    await untilServed();
  });

  test("that is down denies everything, and serves again without a restart", async () => {
    await world.signIn("reader");
    rpc.break();
    await untilReason("503 chain-unavailable");
    expect(await reasonOf(await world.get("/exams", "reader"))).toBe("503 chain-unavailable");
    expect(await reasonOf(await world.get("/dicomweb/studies", "reader"))).toBe("503 chain-unavailable");
    expect((await world.get("/.well-known/examkey")).status).toBe(200);
  });

  test("that takes questions and never answers denies everything", async () => {
    await world.signIn("reader");
    rpc.hang();
    await untilReason("503 chain-unavailable");
  });

  test("whose head no longer moves denies everything, and cuts what is open", async () => {
    const stream = await world.get(`/exams/${exam.examId}/watch`, "reader");
    await world.provider.send("evm_setIntervalMining", [0]);
    await untilReason("503 chain-stale");
    expect(await stream.text()).toContain('"reason":"chain-stale"');
  });

  test("that goes back without a reorganisation denies everything until it is ahead again", async () => {
    await world.provider.send("evm_setIntervalMining", [0]);
    const snapshot = await world.provider.send("evm_snapshot", []);
    await world.provider.send("hardhat_mine", ["0x3"]);
    await until("the head is followed", async () => (await read()).ok);
    await world.grant("patient", exam.examId, "otherReader");
    await world.provider.send("evm_revert", [snapshot]);
    await untilReason("503 chain-stale");
  });

  test("that is reorganised takes grants back with it", async () => {
    await world.provider.send("evm_setIntervalMining", [0]);
    const snapshot = await world.provider.send("evm_snapshot", []);
    await world.grant("patient", exam.examId, "stranger");
    expect((await world.get(frame, "stranger")).status).toBe(200);
    await world.provider.send("evm_revert", [snapshot]);
    await world.provider.send("hardhat_mine", ["0x5"]);
    await untilServed();
    expect(await reasonOf(await world.get(frame, "stranger"))).toBe("403 not-granted");
  });

  test("that is reorganised keeps a revoke until finalised blocks have passed it", async () => {
    await world.provider.send("evm_setIntervalMining", [0]);
    const snapshot = await world.provider.send("evm_snapshot", []);
    await world.provider.send("hardhat_mine", ["0x5"]);
    await world.revoke("patient", exam.examId, "reader");
    expect(await reasonOf(await read())).toBe("403 revoked");
    await world.provider.send("evm_revert", [snapshot]);
    // The new chain does not have the revoke, and is not as long yet as the one that had.
    await world.provider.send("evm_mine", []);
    await untilReason("403 revoked");
    // Hardhat calls its head final.
    await world.provider.send("hardhat_mine", ["0xa"]);
    await untilServed();
  });

  test("from the future denies everything", async () => {
    const snapshot = await world.provider.send("evm_snapshot", []);
    await world.provider.send("evm_setIntervalMining", [0]);
    await world.provider.send("evm_increaseTime", [3_600]);
    await world.provider.send("evm_mine", []);
    await untilReason("503 chain-stale");
    await world.provider.send("evm_revert", [snapshot]);
  });
});

describe("an archive that is down", () => {
  test("is named, and opens nothing; a stranger learns nothing from it", async () => {
    const store = await mkdtemp(join(tmpdir(), "examkey-archive-"));
    const archive = await startEmbeddedArchive({ folders: SAMPLE_FOLDERS, store });
    // The embedded archive stands for one in a hospital: reached over HTTP, by way of something that breaks.
    const way = await BreakableProxy.to(archive.url);
    await world.stopGateway();
    await archive.close();
    way.break();
    await world.startGateway({ DICOM_DIRS: "", DICOMWEB_URL: way.url });
    expect(await reasonOf(await read())).toBe("503 archive-unavailable");
    expect(await reasonOf(await world.get("/exams", "reader"))).toBe("503 archive-unavailable");
    expect(await reasonOf(await world.get("/dicomweb/studies", "reader"))).toBe("503 archive-unavailable");
    expect(await reasonOf(await world.get(frame, "otherReader"))).toBe("403 not-granted");
    await way.close();
    await rm(store, { recursive: true, force: true });
  });
});
