/** A gateway that waits for confirmations, on a chain that is reorganised at will. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "../../gateway/database/database.ts";
import { decisions } from "../../gateway/database/schema.ts";
import type { Exam } from "../../protocol/api.ts";
import type { Hex } from "../../protocol/hash.ts";
import { MADE_PATIENT_ID, madeSample } from "../madeSample.ts";
import { type PersonName, reasonOf, SAMPLE_PATIENTS, until, World } from "../world.ts";
import { undoSince } from "./reorganisation.ts";

const CONFIRMATIONS = 3;

let world: World;
let exam: Exam;
let frame: string;
let file: string;
/** From which block on each was first granted something. */
const grantedAt = new Map<PersonName, number>();

beforeAll(async () => {
  world = await World.open({
    environment: { GRANT_CONFIRMATIONS: String(CONFIRMATIONS), HEAD_MAX_AGE: "600" },
  });
  await world.enrol(SAMPLE_PATIENTS.brain, "patient");
  await world.provider.send("evm_setIntervalMining", [0]);
  await mine(CONFIRMATIONS);
  exam = await until("the exam is confirmed", async () => (await world.examsOf("patient"))[0]);
  frame = new URL(exam.picture ?? "").pathname.replace(/rendered$/, "frames/1");
  file = frame.replace(/\/frames\/1$/, "");
});

afterAll(() => world.close());

const mine = (blocks: number) => world.provider.send("hardhat_mine", [`0x${blocks.toString(16)}`]);
const mark = (): Promise<string> => world.provider.send("evm_snapshot", []);
const goBackTo = (snapshot: string) => undoSince(world.provider, snapshot);

/** What somebody is told who asks for a frame, or for something else of the exam. */
async function answerTo(name: PersonName, path = frame): Promise<string> {
  const answer = await world.get(path, name);
  if (!answer.ok) return reasonOf(answer);
  await answer.arrayBuffer();
  return "open";
}
const untilAnswer = (name: PersonName, wanted: string, path = frame) =>
  until(`${name} is told: ${wanted}`, async () => (await answerTo(name, path)) === wanted);

/** Grant in one block, which the gateway has followed when this resolves, and which is the head then. */
async function grant(name: PersonName, bent: Parameters<World["grant"]>[3] = {}): Promise<void> {
  await world.grant("patient", exam.examId, name, bent);
  if (!grantedAt.has(name)) grantedAt.set(name, await world.provider.getBlockNumber());
}
/** Grant, and mine until that is confirmed. */
async function grantConfirmed(name: PersonName): Promise<void> {
  await grant(name);
  await mine(CONFIRMATIONS);
  await untilAnswer(name, "open");
}

test("a grant permits from its third confirmation on", async () => {
  await grant("reader");
  for (let confirmation = 0; confirmation < CONFIRMATIONS; confirmation += 1) {
    expect(await answerTo("reader")).toBe("403 not-granted");
    await mine(1);
  }
  await untilAnswer("reader", "open");
});

test("a revoke waits for none, and a grant after it waits anew", async () => {
  await world.revoke("patient", exam.examId, "reader");
  expect(await answerTo("reader")).toBe("403 revoked");
  await grant("reader", { actions: ["VIEW"] });
  expect(await answerTo("reader")).toBe("403 revoked");
  await mine(CONFIRMATIONS);
  await untilAnswer("reader", "open");
});

test("what a grant is widened by waits, what it gave before stays, and what it is narrowed by ends at once", async () => {
  await grant("reader", { actions: ["VIEW", "DOWNLOAD"] });
  expect(await answerTo("reader")).toBe("open");
  expect(await answerTo("reader", file)).toBe("403 action-not-granted");
  await mine(CONFIRMATIONS);
  await untilAnswer("reader", "open", file);
  await grant("reader", { actions: ["VIEW"] });
  expect(await answerTo("reader", file)).toBe("403 action-not-granted");
  expect(await answerTo("reader")).toBe("open");
});

test("a grant that is reorganised away before it is confirmed never opens", async () => {
  const fork = await mark();
  await world.grant("patient", exam.examId, "governor");
  await mine(CONFIRMATIONS - 1);
  expect(await answerTo("governor")).toBe("403 not-granted");
  await goBackTo(fork);
  await mine(2 * CONFIRMATIONS);
  // Followed, once this is: the blocks above are below it.
  await grant("operator");
  expect(await answerTo("governor")).toBe("403 not-granted");
});

test("one that is reorganised away later closes, and cuts what it had opened", async () => {
  const fork = await mark();
  await world.grant("patient", exam.examId, "stranger");
  const block = await world.provider.getBlockNumber();
  grantedAt.set("stranger", block);
  await mine(CONFIRMATIONS);
  await untilAnswer("stranger", "open");
  const stream = await world.get(`/exams/${exam.examId}/watch`, "stranger");
  await goBackTo(fork);
  await mine(2 * CONFIRMATIONS);
  // The gateway may look while the chain is shorter.
  expect(await stream.text()).toMatch(/event: ended\ndata: .*"reason":"(not-granted|chain-stale)"/);
  await untilAnswer("stranger", "403 not-granted");
});

test("a revoke that is reorganised away stays a denial until finalised blocks have passed it", async () => {
  await grantConfirmed("otherReader");
  const fork = await mark();
  await mine(5);
  await world.revoke("patient", exam.examId, "otherReader");
  await goBackTo(fork);
  // The fifth block is another than the gateway knows: followed, once its grant is.
  await mine(4);
  await grant("operator", { notAfter: 2 ** 32 });
  expect(await answerTo("otherReader")).toBe("403 revoked");
  // Hardhat calls its head final.
  await mine(2 * CONFIRMATIONS);
  await untilAnswer("otherReader", "open");
});

test("no permit was recorded at a block without enough of them on top of its grant", async () => {
  await world.stopGateway();
  const dataDir = world.environment.DATA_DIR ?? "";
  const { database, close } = await openDatabase({ databaseUrl: null, dataDir });
  const permits = await database.select().from(decisions).where(eq(decisions.permitted, true));
  await close();
  for (const name of ["reader", "stranger", "otherReader"] as const) {
    const address = world.people[name].address.toLowerCase() as Hex;
    const blocks = permits
      .filter(({ caller }) => caller === address)
      .map(({ blockNumber }) => blockNumber ?? 0);
    expect(Math.min(...blocks)).toBeGreaterThanOrEqual((grantedAt.get(name) ?? Infinity) + CONFIRMATIONS);
  }
  const governor = world.people.governor.address.toLowerCase();
  expect(permits.filter(({ caller }) => caller === governor)).toEqual([]);
});

test("a series that is granted beside another comes with its confirmations, though no event does", async () => {
  const folder = await mkdtemp(join(tmpdir(), "examkey-confirmations-"));
  for (const series of [1, 2])
    await writeFile(join(folder, `${series}.dcm`), await madeSample({ study: 1, series }));
  const environment = { DICOM_DIRS: folder, GRANT_CONFIRMATIONS: "3", HEAD_MAX_AGE: "600" };
  const apart = await World.open({ environment });
  await apart.enrol(MADE_PATIENT_ID, "patient");
  await apart.provider.send("evm_setIntervalMining", [0]);
  const mineThree = () => apart.provider.send("hardhat_mine", ["0x3"]);
  await mineThree();
  const { studyInstanceUid, series } = await until(
    "it is confirmed",
    async () => (await apart.examsOf("patient"))[0],
  );
  const seen = async () => {
    const answer = await apart.get(`/dicomweb/studies/${studyInstanceUid}/series`, "reader");
    return answer.ok ? ((await answer.json()) as unknown[]).length : 0;
  };
  for (const [nth, { seriesResource }] of series.entries()) {
    await apart.grant("patient", seriesResource, "reader");
    expect(await seen()).toBe(nth);
    await mineThree();
    await until("it is seen", async () => (await seen()) === nth + 1);
  }
  await apart.close();
  await rm(folder, { recursive: true });
});
