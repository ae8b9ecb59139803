/** Acts that patients sign and their gateway sends: what is taken, what is refused, and what comes of it. */
import type { Contract } from "ethers";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Exam } from "../../protocol/api.ts";
import { granteeOf } from "../../protocol/ids.ts";
import { type Relayed, relayQueueSchema } from "../../protocol/relay.ts";
import { argumentsOf } from "../contracts/signing.ts";
import { freePort } from "../freePort.ts";
import { type PersonName, reasonOf, SAMPLE_PATIENTS, until, World } from "../world.ts";
import {
  goOnMining,
  grantTo,
  messageOf,
  NOWHERE,
  RELAYER,
  RELAYING,
  relay,
  revokeFrom,
  signed,
  stopMining,
  taken,
  transactionsOf,
  untilState,
} from "./relaying.ts";

let world: World;
let brain: Exam;
let pet: Exam;

beforeAll(async () => {
  world = await World.open({ environment: RELAYING });
  ({ brain, pet } = await world.enrolTwoExams());
});
afterAll(() => world.close());

const sees = async (name: "reader" | "otherReader", exam: Exam) =>
  (await world.get(`/exams/${exam.examId}/manifest`, name)).ok;

test("a patient without ether grants, and the reader reads", async () => {
  const { patient, reader } = world.people;
  await world.provider.send("hardhat_setBalance", [patient.address, "0x0"]);
  const act = await taken(world, "Grant", "patient", grantTo(world, "reader", brain.examId));
  const mined = await untilState(world, act, "mined");
  await until("the reader reads", () => sees("reader", brain));
  const transaction = await world.provider.getTransaction(mined.transaction ?? "");
  expect(transaction).toMatchObject({ from: RELAYER.address, blockNumber: mined.block });
  expect(await world.provider.getBalance(patient.address)).toBe(0n);

  await untilState(
    world,
    await taken(world, "Revoke", "patient", revokeFrom(world, "reader", brain.examId)),
    "mined",
  );
  expect(await reasonOf(await world.get(`/exams/${brain.examId}/manifest`, "reader"))).toBe("403 revoked");
  const grant = await world.ledger
    .getFunction("grantOf")
    .staticCall(patient.address, brain.examId, granteeOf(reader.address));
  expect(grant.revoked).toBe(true);
});

test("batches, and revoking all, are sent too", async () => {
  const { resource: _one, ...rest } = grantTo(world, "otherReader", brain.examId);
  const resources = [brain.examId, pet.examId];
  await untilState(world, await taken(world, "GrantBatch", "patient", { resources, ...rest }), "mined");
  await until(
    "both are open",
    async () => (await sees("otherReader", brain)) && (await sees("otherReader", pet)),
  );
  const some = { resources: [pet.examId], grantee: rest.grantee };
  await untilState(world, await taken(world, "RevokeBatch", "patient", some), "mined");
  expect([await sees("otherReader", brain), await sees("otherReader", pet)]).toEqual([true, false]);
  await untilState(world, await taken(world, "RevokeAll", "patient", {}), "mined");
  expect(await sees("otherReader", brain)).toBe(false);
  await world.untilNextSecond();
});

test("the same act again is the same act, and one transaction", async () => {
  const by = world.people.patient;
  const fields = grantTo(world, "reader", pet.examId);
  const body = await signed(world, "Grant", await messageOf(world, "Grant", { by, ...fields }), by);
  const before = await transactionsOf(world);
  const answers = await Promise.all([1, 2, 3].map(() => world.post("/relay", body)));
  const ids = await Promise.all(answers.map(async (answer) => ((await answer.json()) as { id: string }).id));
  expect(new Set(ids).size).toBe(1);
  await untilState(world, { id: ids[0] ?? "" }, "mined");
  const again = await world.post("/relay", body);
  expect([again.status, again.headers.get("location")]).toEqual([202, `/relay/${ids[0]}`]);
  expect(await transactionsOf(world)).toBe(before + 1);
});

test("what somebody else sent already is told to be mined, and not sent again", async () => {
  const by = world.people.patient;
  const fields = grantTo(world, "stranger", pet.examId);
  const message = await messageOf(world, "Grant", { by, ...fields });
  const body = await signed(world, "Grant", message, by);
  const ledger = world.ledger.connect(world.people.governor) as Contract;
  const parameters = argumentsOf(world.ledger.interface, "grantBySig", message, body.signature);
  await (await ledger.getFunction("grantBySig")(...parameters)).wait();
  const before = await transactionsOf(world);
  const answer = await world.post("/relay", body);
  const mined = await untilState(world, (await answer.json()) as Relayed, "mined");
  expect(mined.transaction).toBeNull();
  expect(await transactionsOf(world)).toBe(before);
});

describe("is refused before anything is sent", () => {
  const refusal = async (body: unknown) => reasonOf(await world.post("/relay", body));
  const good = async (fields: Record<string, unknown> = {}) => {
    const by = world.people.patient;
    const all = { ...revokeFrom(world, "reader", NOWHERE), ...fields };
    return { by, message: await messageOf(world, "Revoke", { by, ...all }) };
  };
  let before = 0;
  beforeAll(async () => {
    before = await transactionsOf(world);
  });
  afterAll(async () => expect(await transactionsOf(world)).toBe(before));

  test("what somebody else signed", async () => {
    const { message } = await good();
    const body = await signed(world, "Revoke", message, world.people.stranger);
    expect(await refusal(body)).toBe("403 act-not-signed");
  });

  test("what was changed after it was signed", async () => {
    const { by, message } = await good();
    const body = await signed(world, "Revoke", message, by);
    const bent = { ...body, message: { ...body.message, grantee: granteeOf(by.address) } };
    expect(await refusal(bent)).toBe("403 act-not-signed");
  });

  test.each([
    ["a deadline that has passed", { deadline: 1n }, "409 act-expired"],
    ["a nonce that was never due", { nonce: 7n }, "409 act-outdated"],
    ["an epoch that has passed", { epoch: 0n }, "409 act-outdated"],
    ["a deadline in a year", { deadline: 2_000_000_000n }, "400 malformed-request"],
  ])("%s", async (_name, bent, reason) => {
    const { by, message } = await good(bent);
    expect(await refusal(await signed(world, "Revoke", message, by))).toBe(reason);
  });

  test("a nonce that was used up, and was not the last", async () => {
    const { by } = await good();
    const fields = revokeFrom(world, "reader", `0x${"78".repeat(32)}`);
    for (const _time of [1, 2]) await world.act("otherPatient", "revoke", [fields.resource, fields.grantee]);
    const other = world.people.otherPatient;
    const message = await messageOf(world, "Revoke", { by: other, ...fields, nonce: 0n });
    expect(by.address).not.toBe(other.address);
    expect(await refusal(await signed(world, "Revoke", message, other))).toBe("409 act-outdated");
  });

  test("terms that the ledger does not take, with its own error's name", async () => {
    const by = world.people.patient;
    const fields = { ...grantTo(world, "reader", pet.examId), purposes: 0 };
    const body = await signed(world, "Grant", await messageOf(world, "Grant", { by, ...fields }), by);
    const answer = await world.post("/relay", body);
    expect(await answer.json()).toMatchObject({
      reason: "act-malformed",
      detail: "The ledger refuses it: ConsentLedgerZeroPurposes.",
    });
  });

  test("what a patient of somebody else's signed", async () => {
    const fields = revokeFrom(world, "reader", NOWHERE);
    expect(await reasonOf(await relay(world, "Revoke", "stranger", fields))).toBe("403 not-enrolled");
  });

  test.each<[string, unknown]>([
    ["nothing", {}],
    ["an act that there is not", { act: "Register", message: {}, signature: "0x" }],
    [
      "a field too many",
      {
        act: "RevokeAll",
        message: { patient: `0x${"11".repeat(20)}`, nonce: "0", deadline: "1", epoch: "0" },
        signature: "0x",
      },
    ],
    [
      "a number that is none",
      {
        act: "RevokeAll",
        message: { patient: `0x${"11".repeat(20)}`, nonce: -1, deadline: "1" },
        signature: "0x",
      },
    ],
    [
      "a signature without end",
      {
        act: "RevokeAll",
        message: { patient: `0x${"11".repeat(20)}`, nonce: "0", deadline: "1" },
        signature: `0x${"00".repeat(20_001)}`,
      },
    ],
  ])("%s", async (_name, body) => {
    expect(await refusal(body)).toBe("400 malformed-request");
  });
});

test("what a patient signed is listed for them, and for nobody else", async () => {
  const act = await taken(world, "Revoke", "patient", revokeFrom(world, "stranger", NOWHERE));
  await untilState(world, act, "mined");
  const queue = async (name: "patient" | "reader") =>
    relayQueueSchema.parse(await (await world.get("/relay", name)).json());
  expect((await queue("reader")).acts).toEqual([]);
  expect((await world.get("/relay")).status).toBe(401);
  await until("finalised blocks have it", async () => (await queue("patient")).acts.length === 0);
});

/** The same gateway with other settings, until the test is over. */
async function restartedWith(environment: Record<string, string>): Promise<void> {
  await world.stopGateway();
  await world.startGateway(environment);
  onTestFinished(async () => {
    await world.stopGateway();
    await world.startGateway();
  });
}

describe("what a patient has sent for them is counted", () => {
  const opens = (name: PersonName, on: string) => relay(world, "Grant", name, grantTo(world, "reader", on));
  const closes = (name: PersonName, on: string) =>
    relay(world, "Revoke", name, revokeFrom(world, "reader", on));

  test("by the gas of a day, apart for what closes: whoever spent it on granting can still revoke", async () => {
    await restartedWith({ RELAY_GAS_PER_DAY: "110000" });
    await world.enrol(SAMPLE_PATIENTS.ct, "otherPatient");
    expect((await opens("otherPatient", NOWHERE)).status).toBe(202);
    const refused = await opens("otherPatient", brain.examId);
    expect(refused.headers.get("retry-after")).toBe("3600");
    expect(await reasonOf(refused)).toBe("429 gas-budget-spent");
    expect((await closes("otherPatient", pet.examId)).status).toBe(202);
    // Another patient's is another.
    await world.enrol(SAMPLE_PATIENTS.mr, "otherReader");
    expect((await opens("otherReader", NOWHERE)).status).toBe(202);
  });

  test("by the minute, apart as well", async () => {
    await restartedWith({ RELAY_ACTS_PER_MINUTE: "1" });
    await world.enrol(SAMPLE_PATIENTS.angiogram, "stranger");
    expect((await opens("stranger", NOWHERE)).status).toBe(202);
    expect((await closes("stranger", brain.examId)).status).toBe(202);
    expect(await reasonOf(await opens("stranger", pet.examId))).toBe("429 too-many-requests");
    expect(await reasonOf(await closes("stranger", pet.examId))).toBe("429 too-many-requests");
  });
});

test("metrics say how much waits, was sent, and came of it", async () => {
  const METRICS_PORT = String(await freePort());
  await restartedWith({ METRICS_PORT });
  const metric = async (line: string) => {
    const text = await (await fetch(`http://127.0.0.1:${METRICS_PORT}/metrics`)).text();
    return Number(
      text
        .split("\n")
        .find((one) => one.startsWith(`${line} `))
        ?.slice(line.length),
    );
  };
  await stopMining(world);
  onTestFinished(() => goOnMining(world));
  const act = await taken(world, "Revoke", "patient", revokeFrom(world, "otherReader", NOWHERE));
  await untilState(world, act, "sent");
  await until("it is counted", async () => (await metric("examkey_relay_queue")) === 1);
  expect(await metric("examkey_relay_sendings_total")).toBe(1);
  await goOnMining(world);
  await untilState(world, act, "mined");
  await until("it is gone", async () => (await metric("examkey_relay_queue")) === 0);
  expect(await metric('examkey_relayed_acts_total{outcome="mined"}')).toBe(1);
});

test("without a key, it says that it is off", async () => {
  await restartedWith({ RELAY_KEY: "" });
  const fields = grantTo(world, "reader", NOWHERE);
  expect(await reasonOf(await relay(world, "Grant", "patient", fields))).toBe("404 relay-off");
  expect(await reasonOf(await world.get("/relay", "patient"))).toBe("404 relay-off");
  expect(await (await world.get("/.well-known/examkey")).json()).toMatchObject({ relay: false });
});
