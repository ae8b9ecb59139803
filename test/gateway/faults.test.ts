import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startEmbeddedArchive } from "../../gateway/archive/embedded/server.ts";
import type { Exam } from "../../protocol/api.ts";
import { ALL_EXAMS_RESOURCE, examsAtResource, granteeOf } from "../../protocol/ids.ts";
import { packTerms } from "../../protocol/terms.ts";
import { type PersonName, reasonOf, SAMPLE_FOLDERS, SAMPLE_PATIENTS, until, World } from "../world.ts";
import { BreakableProxy } from "./breakableProxy.ts";
import { expectAllRecorded } from "./recorded.ts";
import { undoSince } from "./reorganisation.ts";

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
// Hooks of the end run in opposite order, each whatever came of the one before.
afterAll(() => expectAllRecorded(world));

const read = (as: PersonName = "reader") => world.get(frame, as);
const untilReason = (reason: string, as?: PersonName) =>
  until(reason, async () => {
    const answer = await read(as);
    return !answer.ok && (await reasonOf(answer)) === reason;
  });
const goBackTo = (snapshot: string) => undoSince(world.provider, snapshot);
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

  test("that takes questions and never answers denies everything, and cuts what is open", async () => {
    const stream = await world.get(`/exams/${exam.examId}/watch`, "reader");
    rpc.hang();
    await untilReason("503 chain-unavailable");
    expect(await stream.text()).toMatch(/"reason":"chain-(unavailable|stale)"/);
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
    await goBackTo(snapshot);
    await untilReason("503 chain-stale");
  });

  test("that is reorganised takes grants back with it", async () => {
    await world.provider.send("evm_setIntervalMining", [0]);
    const snapshot = await world.provider.send("evm_snapshot", []);
    await world.grant("patient", exam.examId, "stranger");
    expect((await world.get(frame, "stranger")).status).toBe(200);
    await goBackTo(snapshot);
    await world.provider.send("hardhat_mine", ["0x5"]);
    await untilServed();
    expect(await reasonOf(await world.get(frame, "stranger"))).toBe("403 not-granted");
  });

  let undone = 0;
  /** Do something, and undo it: the gateway then follows another chain, which is not as long as the one that had it. */
  const undo = async (act: () => Promise<void>) => {
    await world.provider.send("evm_setIntervalMining", [0]);
    const snapshot = await world.provider.send("evm_snapshot", []);
    await world.provider.send("hardhat_mine", ["0x5"]);
    await act();
    await goBackTo(snapshot);
    await world.provider.send("hardhat_mine", ["0x4"]);
    // The fifth block is another than the gateway knows, and what it holds is seen once that is followed.
    // It is decided on a moment later: until then, the head is a block that the node no longer has, and all is denied.
    undone += 1;
    await world.grant("patient", exam.examId, "operator", { notAfter: 2 ** 32 + undone });
  };
  /** Hardhat calls its head final. */
  const finalise = () => world.provider.send("hardhat_mine", ["0x5"]);

  test("that is reorganised keeps a revoke until finalised blocks have passed it", async () => {
    await undo(async () => {
      await world.revoke("patient", exam.examId, "reader");
      expect(await reasonOf(await read())).toBe("403 revoked");
    });
    await untilReason("403 revoked");
    await finalise();
    await untilServed();
  });

  test("that is reorganised keeps each revoke of a batch, also of what is wider than the exam", async () => {
    const { patient, custodian, governor } = world.people;
    const grantee = granteeOf(governor.address);
    const wide = [examsAtResource(custodian.address), ALL_EXAMS_RESOURCE];
    await world.act("patient", "grantBatch", [patient.address, wide, grantee, packTerms(world.terms())]);
    await until("it opens", async () => (await read("governor")).ok);
    await undo(async () => {
      await world.act("patient", "revokeBatch", [patient.address, wide, grantee]);
      await untilReason("403 revoked", "governor");
    });
    await untilServed();
    await untilReason("403 revoked", "governor");
    await finalise();
    await until("it opens again", async () => (await read("governor")).ok);
  });

  test("from the future denies everything", async () => {
    const snapshot = await world.provider.send("evm_snapshot", []);
    await world.provider.send("evm_setIntervalMining", [0]);
    await world.provider.send("evm_increaseTime", [3_600]);
    await world.provider.send("evm_mine", []);
    await untilReason("503 chain-stale");
    await goBackTo(snapshot);
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
