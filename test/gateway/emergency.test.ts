/** Breaking the glass: through the gateway, on a real chain. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type EventLog, type HDNodeWallet, toQuantity, Wallet } from "ethers";
import type { AuditEvent } from "fhir/r4.js";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Emergency, type Exam, emergenciesSchema, emergencySchema } from "../../protocol/api.ts";
import { decodeReceipt, RECEIPT_HEADER, receiptDigest, signedPartOf } from "../../protocol/receipt.ts";
import type { Purpose } from "../../protocol/terms.ts";
import { type PersonName, reasonOf, until, World } from "../world.ts";
import { type Bent, emergencyContract, giveBadge, nameBadge, signedEmergency } from "./breakGlass.ts";
import { faultsOf } from "./r4.ts";
import { undoSince } from "./reorganisation.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

let world: World;
let brain: Exam;
let pet: Exam;
/** Of `reader` and `otherReader`. */
let badge: HDNodeWallet;
let colleague: HDNodeWallet;
/** The chain before any emergency, as far as a test opens some. */
let before: string;

beforeAll(async () => {
  world = await World.open();
  ({ brain, pet } = await world.enrolTwoExams());
  badge = await giveBadge(world, "reader", "Dr. Imani Vale");
  colleague = await giveBadge(world, "otherReader", "Dr. Tomas Reyes");
});
afterAll(() => world.close());

const now = () => Math.floor(Date.now() / 1000);
const frameOf = (exam: Exam) => new URL(exam.picture ?? "").pathname.replace(/rendered$/, "frames/1");

/** Another chain from a snapshot on, which the gateway has followed when this resolves. */
async function goBackTo(snapshot: string): Promise<void> {
  const height = await world.provider.getBlockNumber();
  await undoSince(world.provider, snapshot);
  await world.provider.send("evm_mine", []);
  const lacking = height + 1 - (await world.provider.getBlockNumber());
  if (lacking > 0) await world.provider.send("hardhat_mine", [toQuantity(lacking), "0x0"]);
  await listed("patient");
}

async function as(name: PersonName, path: string, purpose: Purpose = "ETREAT"): Promise<Response> {
  return world.get(path, { token: await world.signIn(name, purpose) });
}

/** What somebody is told who asks for a frame of an exam. */
async function answerTo(name: PersonName, exam: Exam, purpose?: Purpose): Promise<string> {
  const answer = await as(name, frameOf(exam), purpose);
  if (!answer.ok) return reasonOf(answer);
  await answer.arrayBuffer();
  return "open";
}

async function send(name: PersonName, body: unknown, purpose: Purpose = "ETREAT"): Promise<Response> {
  const authorization = `Bearer ${await world.signIn(name, purpose)}`;
  return world.post("/emergencies", body, { authorization });
}

/** Break the glass as somebody, with these badges' signatures. */
async function open(
  name: PersonName,
  exam: Exam,
  badges: HDNodeWallet[],
  bent: Bent = {},
): Promise<Emergency> {
  const answer = await send(name, await signedEmergency(world, exam, [name, ...badges], bent));
  expect([answer.status, answer.status === 201 ? "" : await answer.clone().text()]).toEqual([201, ""]);
  return emergencySchema.parse(await answer.json());
}

async function refused(
  name: PersonName,
  exam: Pick<Exam, "examId">,
  badges: HDNodeWallet[],
  bent: Bent = {},
) {
  return reasonOf(await send(name, await signedEmergency(world, exam, [name, ...badges], bent)));
}

async function listed(name: PersonName): Promise<Emergency[]> {
  // While the chain is shorter than it was, the gateway says nothing.
  const answer = await until(`${name} is told of emergencies`, async () => {
    const told = await as(name, "/emergencies", "TREAT");
    return told.ok && told;
  });
  return emergenciesSchema.parse(await answer.json()).emergencies;
}

describe("an emergency", () => {
  beforeEach(async () => {
    before = await world.provider.send("evm_snapshot", []);
    return () => goBackTo(before);
  });

  test("opens the exam to the practitioner who signed, for emergency treatment, and to nobody else", async () => {
    expect(await answerTo("reader", brain)).toBe("403 not-granted");
    const opened = await open("reader", brain, [badge]);
    expect(opened).toMatchObject({ examId: brain.examId, reason: "life-threatening", state: "open" });
    expect(await answerTo("reader", brain)).toBe("open");
    expect(await answerTo("reader", brain, "TREAT")).toBe("403 not-granted");
    expect(await answerTo("reader", pet)).toBe("403 not-granted");
    expect(await answerTo("otherReader", brain)).toBe("403 not-granted");
    expect(await answerTo("stranger", brain)).toBe("403 not-granted");
  });

  test("reaches the reader's list and searches, and says what it is", async () => {
    const { until: end } = await open("reader", brain, [badge]);
    const { exams } = (await (await as("reader", "/exams")).json()) as { exams: Exam[] };
    expect(exams).toMatchObject([
      { examId: brain.examId, relation: "grantee", access: { notAfter: end, emergency: true } },
    ]);
    const studies = (await (await as("reader", "/dicomweb/studies")).json()) as object[];
    expect(JSON.stringify(studies)).toContain(brain.studyInstanceUid);
    expect(studies).toHaveLength(1);
  });

  test("is flagged in the receipt, which commits to it, and in the patient's AuditEvent", async () => {
    await open("reader", brain, [badge]);
    const answer = await as("reader", frameOf(brain));
    const receipt = decodeReceipt(answer.headers.get(RECEIPT_HEADER) ?? "");
    expect(receipt).toMatchObject({ reason: "permitted", purpose: "ETREAT", emergency: true });
    expect(signedPartOf(receipt)).not.toBeNull();
    const digest = receiptDigest(receipt);
    expect(receiptDigest({ ...receipt, emergency: false })).not.toBe(digest);

    const found = await world.get(`/fhir/AuditEvent/${receipt.sequence}`, "patient");
    const event = (await found.json()) as AuditEvent;
    expect(faultsOf(event)).toEqual([]);
    const purposes = event.purposeOfEvent?.flatMap(({ coding }) => coding?.map(({ code }) => code));
    expect(purposes).toEqual(["ETREAT", "BTG"]);
    const own = await world.get(`/exams/${brain.examId}/receipts`, "patient");
    const { receipts } = (await own.json()) as { receipts: { sequence: number; route: string }[] };
    expect(receipts.find(({ sequence }) => sequence === receipt.sequence)).toMatchObject({ emergency: true });
    expect(receipts.find(({ route }) => route === "emergency")).toMatchObject({
      reason: "permitted",
      emergency: true,
    });
    const logged = await world.admin(`/audit/receipts?after=${receipt.sequence - 1}`);
    expect(await logged.json()).toMatchObject({ receipts: [{ digest, emergency: true }] });
  });

  test("of what the patient granted is none, and is not flagged as one", async () => {
    await world.grant("patient", brain.examId, "reader", { purposes: ["ETREAT"] });
    await open("reader", brain, [badge]);
    const answer = await as("reader", frameOf(brain));
    expect(decodeReceipt(answer.headers.get(RECEIPT_HEADER) ?? "")).toMatchObject({ emergency: false });
  });

  test("is shown to the patient while it lasts and after: who, why, since and until when", async () => {
    const { until: end, openedAt } = await open("reader", brain, [badge], { reason: "patient-unresponsive" });
    const [shown] = await listed("patient");
    expect(shown).toEqual({
      examId: brain.examId,
      reader: { address: world.people.reader.address, name: "Dr. Imani Vale", role: "Radiologist" },
      second: null,
      reason: "patient-unresponsive",
      openedAt,
      until: end,
      state: "open",
    });
    expect(end - openedAt).toBeLessThanOrEqual(3_601);
    expect(await listed("reader")).toEqual([shown]);
    expect(await listed("otherReader")).toEqual([]);
    expect(await listed("otherPatient")).toEqual([]);
    await close();
    expect(await listed("patient")).toMatchObject([{ state: "over" }]);
  });

  test("ends at its end: what is open is cut, and whoever had it hears that it is over", async () => {
    await open("reader", brain, [badge], { until: now() + 5 });
    const watch = await as("reader", `/exams/${brain.examId}/watch`);
    expect(await watch.text()).toMatch(/event: ended\ndata: .*"reason":"expired"/);
    expect(await answerTo("reader", brain)).toBe("403 expired");
    expect(await answerTo("stranger", brain)).toBe("403 not-granted");
  });

  test("ends when the custodian closes it, also where that was reorganised away", async () => {
    await open("reader", brain, [badge]);
    const fork = await world.provider.send("evm_snapshot", []);
    await close();
    expect(await answerTo("reader", brain)).toBe("403 expired");
    await goBackTo(fork);
    expect(await answerTo("reader", brain)).toBe("403 expired");
  });

  test("that is reorganised away closes, and cuts what it had opened", async () => {
    const fork = await world.provider.send("evm_snapshot", []);
    await open("reader", brain, [badge]);
    const watch = await as("reader", `/exams/${brain.examId}/watch`);
    await goBackTo(fork);
    expect(await watch.text()).toMatch(/event: ended\ndata: .*"reason":"(not-granted|chain-stale)"/);
    await until("the exam is closed", async () => (await answerTo("reader", brain)) === "403 not-granted");
    expect(await listed("patient")).toEqual([]);
  });

  test("ends when the exam is handed over, and opens none that was", async () => {
    await open("reader", brain, [badge]);
    await world.act("patient", "handOver", [brain.examId, world.people.otherPatient.address]);
    await world.act("otherPatient", "accept", [brain.examId]);
    await until("the exam is closed", async () => (await answerTo("reader", brain)) === "403 not-granted");
    expect(await refused("reader", brain, [badge, colleague])).toBe("404 not-found");
  });

  test("within a day of another needs a second practitioner's signature", async () => {
    await open("reader", brain, [badge]);
    expect(await refused("reader", brain, [badge])).toBe("409 second-badge-needed");
    expect(await refused("otherReader", brain, [colleague])).toBe("409 second-badge-needed");
    expect(await refused("reader", brain, [badge, badge])).toBe("409 second-badge-needed");
    const again = await open("reader", brain, [badge, colleague]);
    expect(again.second).toEqual({ name: "Dr. Tomas Reyes", role: "Radiologist" });
  });

  test("does not go on what the patient had granted and then revoked: that ends, and begins anew as an emergency", async () => {
    await world.grant("patient", brain.examId, "reader", { purposes: ["ETREAT"] });
    await open("reader", brain, [badge]);
    const watched = await as("reader", `/exams/${brain.examId}/watch`);
    expect(watched.status).toBe(200);
    const ended = watched.text();
    await world.revoke("patient", brain.examId, "reader");
    expect(await ended).toContain('"reason":"revoked"');
    const answer = await as("reader", frameOf(brain));
    await answer.arrayBuffer();
    expect(decodeReceipt(answer.headers.get(RECEIPT_HEADER) ?? "")).toMatchObject({ emergency: true });
  });

  test("is followed also by a gateway that was not told of the contract before", async () => {
    await open("reader", brain, [badge]);
    await world.stopGateway();
    await world.startGateway({ EMERGENCY_ACCESS: "" });
    const answer = await send("reader", await signedEmergency(world, pet, ["reader", badge]));
    expect(await reasonOf(answer)).toBe("404 not-found");
    expect(await answerTo("reader", brain)).toBe("403 not-granted");
    await world.stopGateway();
    await world.startGateway();
    expect(await answerTo("reader", brain)).toBe("open");
  });

  test("waits for its confirmations as a grant does", async () => {
    await world.stopGateway();
    await world.startGateway({ GRANT_CONFIRMATIONS: "2" });
    await world.provider.send("evm_setIntervalMining", [0]);
    await open("reader", brain, [badge]);
    for (let confirmation = 0; confirmation < 2; confirmation += 1) {
      expect(await answerTo("reader", brain)).toBe("403 not-granted");
      await world.provider.send("evm_mine", []);
    }
    await until("the emergency is confirmed", async () => (await answerTo("reader", brain)) === "open");
    await world.provider.send("evm_setIntervalMining", [1_000]);
    await world.stopGateway();
    await world.startGateway();
  });

  /** The custodian ends the last emergency, and the gateway has seen it. */
  async function close(): Promise<void> {
    const contract = emergencyContract(world);
    const opened = (await contract.queryFilter("EmergencyOpened")).at(-1) as EventLog;
    const { patient, custodian } = world.people;
    const parts = [custodian.address, patient.address, brain.commitment, opened.args.reader];
    await (await contract.getFunction("close")(...parts)).wait();
    await until("the gateway sees the close", async () => (await listed("patient"))[0]?.state === "over");
  }
});

describe("what opens nothing", () => {
  test("is a badge that is not the caller's own, or that the custodian has not named", async () => {
    expect(await refused("stranger", brain, [badge])).toBe("403 badge-unknown");
    expect(await refused("otherReader", brain, [badge])).toBe("403 badge-signature-invalid");
    await nameBadge(world, badge.address, false);
    expect(await refused("reader", brain, [badge])).toBe("403 badge-unknown");
    await nameBadge(world, badge.address, true);
  });

  test("is what somebody else signed for, or another than was signed", async () => {
    const body = await signedEmergency(world, brain, ["reader", badge]);
    expect(await reasonOf(await send("otherReader", body))).toBe("403 badge-signature-invalid");
    for (const bent of [{ until: body.until - 1 }, { reason: "patient-incapable" }])
      expect(await reasonOf(await send("reader", { ...body, ...bent }))).toBe("403 badge-signature-invalid");
  });

  test("is what was signed for another exam, and a salt that was used for one", async () => {
    const body = await signedEmergency(world, brain, ["reader", badge]);
    const moved = { ...body, examId: pet.examId };
    expect(await reasonOf(await send("reader", moved))).toBe("403 badge-signature-invalid");
    expect(await reasonOf(await send("reader", body))).toBe("409 emergency-outdated");
  });

  test("is an emergency without the purpose, too long, over, outdated, or on no exam", async () => {
    const body = await signedEmergency(world, brain, ["reader", badge]);
    expect(await reasonOf(await send("reader", body, "TREAT"))).toBe("403 purpose-not-emergency");
    expect(await refused("reader", brain, [badge], { until: now() + 5 * 3_600 })).toBe(
      "400 emergency-period",
    );
    expect(await refused("reader", brain, [badge], { until: now() - 1 })).toBe("400 emergency-period");
    expect(await refused("reader", brain, [badge], { count: 7 })).toBe("409 emergency-outdated");
    const nowhere = { examId: `0x${"0".repeat(64)}` };
    expect(await refused("reader", nowhere, [badge])).toBe("404 not-found");
    for (const bent of [{ reason: "none" }, { salt: "0x" }, { signature: "x" }, { until: "soon" }])
      expect(await reasonOf(await send("reader", { ...body, ...bent }))).toBe("400 malformed-request");
    expect(await reasonOf(await world.post("/emergencies", body))).toBe("401 token-missing");
    expect(await answerTo("reader", pet)).toBe("403 not-granted");
  });

  test("is recorded too, for the patient to see", async () => {
    await refused("stranger", brain, [badge]);
    const own = await world.get(`/exams/${brain.examId}/receipts`, "patient");
    const { receipts } = (await own.json()) as { receipts: object[] };
    expect(receipts[0]).toMatchObject({ route: "emergency", reason: "badge-unknown", emergency: false });
  });
});

test("a badge is named, and taken, from a shell", async () => {
  const { address } = Wallet.createRandom();
  const { reader, custodian } = world.people;
  const isNamed = () =>
    emergencyContract(world).getFunction("isPractitioner").staticCall(custodian.address, address);
  expect(await script("custodian", ["badge", address])).toBe(`${address} may sign emergencies.`);
  expect(await isNamed()).toBe(true);
  const person = ["--practitioner", reader.address, "--name", "Dr. Imani Vale", "--role", "Radiologist"];
  const enrolled = await script("enrol", [...person, "--badge", address]);
  expect(enrolled).toContain(`is enrolled as ${reader.address}, with the badge ${address}.`);
  expect(await (await world.get("/me", "reader")).json()).toMatchObject({ badge: address });
  expect(await script("custodian", ["badge", address, "--remove"])).toContain(
    "signs no emergencies any more",
  );
  expect(await isNamed()).toBe(false);
  await script("enrol", [...person, "--badge", badge.address]);
});

/** What a command says, as the custodian runs it beside the gateway. */
async function script(name: "custodian" | "enrol", args: string[]): Promise<string> {
  const { DATA_DIR: folder = "", EMERGENCY_ACCESS } = world.environment;
  const where = name === "enrol" ? ["--data", folder] : [];
  const { stdout } = await promisify(execFile)(process.execPath, [`scripts/${name}.ts`, ...args, ...where], {
    cwd: root,
    env: { ...process.env, RPC_URL: world.rpcUrl, KEY: world.people.custodian.privateKey, EMERGENCY_ACCESS },
  });
  return stdout.trim();
}

test("a badge is one person's, and no wallet that somebody signs in with", async () => {
  const person = { address: world.people.stranger.address, name: "Dr. Nobody", role: "Radiologist" };
  for (const taken of [badge.address, person.address, world.people.reader.address]) {
    const answer = await world.admin("/practitioners", { ...person, badge: taken });
    expect(await reasonOf(answer)).toBe("400 malformed-request");
  }
  const { people } = (await (await world.get("/people", "patient")).json()) as { people: object[] };
  expect(JSON.stringify(people).toLowerCase()).not.toContain(badge.address.toLowerCase());
  const me = await world.get("/me", "reader");
  expect(await me.json()).toMatchObject({ badge: badge.address });
});
