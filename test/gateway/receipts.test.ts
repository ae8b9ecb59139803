import { Contract, verifyTypedData } from "ethers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accessLogAbi } from "../../protocol/abi/accessLog.ts";
import type { Exam } from "../../protocol/api.ts";
import type { Hex } from "../../protocol/hash.ts";
import {
  decodeReceipt,
  holds,
  type OwnReceipt,
  ownReceiptsSchema,
  RECEIPT_HEADER,
  type Receipt,
  receiptDigest,
  signedPartOf,
} from "../../protocol/receipt.ts";
import { RECEIPTS_TYPES, typedDataDomain } from "../../protocol/typedData.ts";
import { type PersonName, reasonOf, SAMPLE_PATIENTS, until, World } from "../world.ts";

const ORIGIN = "https://app.example.org";

let world: World;
let accessLog: Contract;
let brain: Exam;
let pet: Exam;

beforeAll(async () => {
  world = await World.open({ environment: { ANCHOR_INTERVAL: "1", ALLOWED_ORIGINS: ORIGIN } });
  accessLog = new Contract(world.environment.ACCESS_LOG ?? "", accessLogAbi, world.provider);
  ({ brain, pet } = await world.enrolTwoExams());
  await world.grant("patient", brain.examId, "reader");
});
afterAll(() => world.close());

const instanceOf = (exam: Exam) => new URL(exam.picture ?? "").pathname.replace(/\/rendered$/, "");
const frameOf = (exam: Exam) => `${instanceOf(exam)}/frames/1`;
const receiptOf = (answer: Response): Receipt => decodeReceipt(answer.headers.get(RECEIPT_HEADER) ?? "");
const addressOf = (name: PersonName) => world.people[name].address.toLowerCase() as Hex;

/** Whose signature a receipt carries. */
function signerOf(receipt: Receipt): string {
  const part = signedPartOf(receipt);
  if (!part) throw new Error("The receipt does not fit together.");
  const domain = typedDataDomain(31337, world.environment.CONSENT_LEDGER ?? "");
  return verifyTypedData(domain, { Receipts: [...RECEIPTS_TYPES.Receipts] }, part, receipt.signed.signature);
}

async function listed(exam: Exam, as: PersonName = "patient", query = "") {
  const answer = await world.get(`/exams/${exam.examId}/receipts${query}`, as);
  expect(answer.status).toBe(200);
  return ownReceiptsSchema.parse(await answer.json());
}

/** What the chain says of a receipt's place in an anchor. */
const isAnchored = ({ custodian, sequence, anchored, ...receipt }: OwnReceipt): Promise<boolean> =>
  accessLog
    .getFunction("verify")
    .staticCall(custodian, anchored?.index ?? 0, sequence, receiptDigest(receipt), anchored?.siblings ?? []);

describe("an answer carries its receipt", () => {
  test("with a permit, in front of a streamed body too", async () => {
    const retrieve = `${instanceOf(brain)}/frames/1`;
    const file = instanceOf(brain);
    for (const [path, action] of [
      [retrieve, "VIEW"],
      [file, "DOWNLOAD"],
    ] as const) {
      const answer = await world.get(path, "reader");
      expect(answer.status).toBe(200);
      const receipt = receiptOf(answer);
      expect(receipt).toMatchObject({
        reason: "permitted",
        purpose: "TREAT",
        action,
        custodian: addressOf("custodian"),
      });
      expect(receipt.opened).toMatchObject({ caller: addressOf("reader"), examId: brain.examId });
      expect(receipt.opened && (await holds(receipt.envelopes, receipt.opened))).toBe(true);
      expect(signerOf(receipt)).toBe(world.people.operator.address);
      expect((await answer.bytes()).length).toBeGreaterThan(1_000);
    }
  });

  test("with a denial, which says no more than the answer does", async () => {
    const answer = await world.get(frameOf(pet), "reader");
    const receipt = receiptOf(answer);
    expect(await reasonOf(answer)).toBe("403 not-granted");
    expect(receipt).toMatchObject({ reason: "not-granted", opened: null });
    expect(signerOf(receipt)).toBe(world.people.operator.address);
  });

  test("with a search, for all that it shows", async () => {
    const receipt = receiptOf(await world.get("/dicomweb/studies", "patient"));
    expect(receipt).toMatchObject({ reason: "permitted", route: "QIDO-RS studies", opened: null });
    expect(signerOf(receipt)).toBe(world.people.operator.address);
  });

  test("and an app elsewhere may read it", async () => {
    const answer = await world.get(frameOf(brain), "reader", { origin: ORIGIN });
    expect(answer.headers.get("access-control-expose-headers")).toContain(RECEIPT_HEADER);
  });

  test("but one that rests on no decision carries none", async () => {
    for (const answer of [await world.get("/me", "reader"), await world.get(frameOf(brain))]) {
      expect(answer.headers.get(RECEIPT_HEADER)).toBeNull();
    }
  });
});

describe("a patient", () => {
  test("is given every receipt about an exam of theirs, in clear, and proofs that the chain accepts", async () => {
    const given = [
      receiptOf(await world.get(frameOf(brain), "reader")),
      receiptOf(await world.get(frameOf(brain), "stranger")),
      receiptOf(await world.get("/dicomweb/studies", "patient")),
    ];
    const newest = Math.max(...given.map(({ sequence }) => sequence));
    const { receipts } = await until("all is anchored", async () => {
      const list = await listed(brain);
      return list.receipts.every(({ anchored }) => anchored) && list;
    });
    const mine = receipts.filter(({ sequence }) => given.some((one) => one.sequence === sequence));
    expect(mine.map(({ opened, reason }) => [opened.caller, reason]).toReversed()).toEqual([
      [addressOf("reader"), "permitted"],
      [addressOf("stranger"), "not-granted"],
      [addressOf("patient"), "permitted"],
    ]);
    expect(receipts[0]?.sequence).toBe(newest);
    for (const receipt of receipts) {
      expect(receipt.opened.examId).toBe(brain.examId);
      expect(await holds(receipt.envelopes, receipt.opened)).toBe(true);
      expect(receipt.signed && signerOf({ ...receipt, signed: receipt.signed })).toBe(
        world.people.operator.address,
      );
      expect(await isAnchored(receipt)).toBe(true);
      expect(await isAnchored({ ...receipt, reason: "expired" })).toBe(false);
    }
    for (const one of given) {
      expect(receipts.find(({ sequence }) => sequence === one.sequence)?.signed).toEqual(one.signed);
    }
  });

  test("pages through them", async () => {
    for (let i = 0; i < 60; i++) await world.get(frameOf(brain), "reader");
    const sequences: number[] = [];
    for (let before = ""; ; ) {
      const { receipts, next } = await listed(brain, "patient", before);
      sequences.push(...receipts.map(({ sequence }) => sequence));
      if (next === null) break;
      before = `?before=${next}`;
    }
    expect(sequences.length).toBeGreaterThan(60);
    expect(sequences).toEqual([...new Set(sequences)].sort((a, b) => b - a));
  });

  test("is given none of another's exam, and nobody else is given theirs", async () => {
    await world.enrol(SAMPLE_PATIENTS.mr, "otherPatient");
    const [others] = (await world.examsOf("otherPatient")) as [Exam];
    for (const [as, examId] of [
      ["patient", others.examId],
      ["reader", brain.examId],
      ["stranger", brain.examId],
      ["custodian", brain.examId],
      ["patient", "nothing"],
    ] as const) {
      const answer = await world.get(`/exams/${examId}/receipts`, as);
      expect(await reasonOf(answer), `${as} ${examId}`).toBe("403 not-granted");
    }
    const answer = await world.get(`/exams/${brain.examId}/receipts?before=now`, "patient");
    expect(await reasonOf(answer)).toBe("400 malformed-request");
  });
});

test("a viewer's token, which may stand in an address, opens no receipts", async () => {
  const headers = { authorization: `Bearer ${await world.signIn("patient")}` };
  const answer = await world.post("/auth/viewer-token", { examId: brain.examId }, headers);
  const { access_token: token } = (await answer.json()) as { access_token: string };
  expect((await world.get(`${frameOf(brain)}?token=${token}`)).status).toBe(200);
  for (const path of [`/exams/${brain.examId}/receipts`, "/fhir/AuditEvent"]) {
    expect((await world.get(`${path}?token=${token}`)).status, path).toBe(401);
    expect((await world.get(path, { token })).status, path).toBe(401);
  }
});

test("discovery says where receipts are anchored", async () => {
  const discovery = (await (await world.get("/.well-known/examkey")).json()) as { contracts: object };
  expect(discovery.contracts).toMatchObject({ accessLog: world.environment.ACCESS_LOG });
});
