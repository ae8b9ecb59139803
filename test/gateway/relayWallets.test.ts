/** Patients whose wallet is a contract: a Safe, as its makers publish it, on the chain (ERC-1271) or not yet (ERC-6492). */
import { serializeErc6492Signature } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Exam } from "../../protocol/api.ts";
import type { Hex } from "../../protocol/hash.ts";
import type { Relayed } from "../../protocol/relay.ts";
import { Safe } from "../contracts/safe.ts";
import type { Signatory } from "../contracts/signing.ts";
import { type PersonName, reasonOf, SAMPLE_PATIENTS, until, World } from "../world.ts";
import {
  goOnMining,
  grantTo,
  messageOf,
  RELAYING,
  revokeFrom,
  signed,
  stopMining,
  transactionsOf,
  untilState,
} from "./relaying.ts";

let world: World;

beforeAll(async () => {
  world = await World.open({ environment: RELAYING });
});
afterAll(() => world.close());

type Deployment = { factory: string; data: string };
const named = (...names: PersonName[]) => names.map((name) => world.people[name]);

function withDeployment({ factory, data }: Deployment, signature: string): Hex {
  return serializeErc6492Signature({
    address: factory as Hex,
    data: data as Hex,
    signature: signature as Hex,
  });
}

/** What signs acts for a Safe before it is there. */
function wrapped(safe: Safe, deployment: Deployment): Signatory {
  return {
    getAddress: () => safe.getAddress(),
    signTypedData: async (...typed) => withDeployment(deployment, await safe.signTypedData(...typed)),
  };
}

/** Enrol a patient id of the samples to a Safe, which signs in by itself or with its deployment; its exam. */
async function enrolled(safe: Safe, patientId: string, deployment?: Deployment): Promise<Exam> {
  const address = await safe.getAddress();
  await (await world.admin("/patients", { patientId, address })).text();
  const signMessage = async (text: string | Uint8Array) => {
    const signature = await safe.signMessage(text);
    return deployment ? withDeployment(deployment, signature) : signature;
  };
  const { access_token: token } = (await (await world.trySignIn({ address, signMessage })).json()) as {
    access_token: string;
  };
  const { exams } = (await (await world.get("/exams", { token })).json()) as { exams: [Exam] };
  return exams[0];
}

const handIn = async (act: "Grant" | "Revoke", by: Signatory, fields: Record<string, unknown>) =>
  world.post("/relay", await signed(world, act, await messageOf(world, act, { by, ...fields }), by));
const seenBy = async (name: PersonName, { examId }: Exam) =>
  (await world.get(`/exams/${examId}/manifest`, name)).ok;

test("on the chain signs with two of its owners, and with no fewer", async () => {
  const safe = await Safe.deploy(world.people.governor, named("patient", "otherPatient"));
  const exam = await enrolled(safe, SAMPLE_PATIENTS.brain);
  const fields = grantTo(world, "reader", exam.examId);
  safe.signers = named("patient");
  expect(await reasonOf(await handIn("Grant", safe, fields))).toBe("403 act-not-signed");
  safe.signers = named("patient", "otherPatient");
  await untilState(world, (await (await handIn("Grant", safe, fields)).json()) as Relayed, "mined");
  await until("the reader reads", () => seenBy("reader", exam));
});

test("not on the chain yet is put there first; a revoke of its own denies before either is mined", async () => {
  const { safe, deployment } = await Safe.foresee(world.people.governor, named("patient", "stranger"));
  const address = await safe.getAddress();
  const exam = await enrolled(safe, SAMPLE_PATIENTS.pet, deployment);
  const by = wrapped(safe, deployment);
  const before = await transactionsOf(world);

  await stopMining(world);
  const grant = (await (
    await handIn("Grant", by, grantTo(world, "otherReader", exam.examId))
  ).json()) as Relayed;
  const revoke = await handIn("Revoke", by, {
    ...revokeFrom(world, "otherReader", exam.examId),
    nonce: 1n,
  });
  expect(revoke.status).toBe(202);
  expect(await world.provider.getCode(address)).toBe("0x");
  await goOnMining(world);
  await untilState(world, grant, "mined");
  expect(await world.provider.getCode(address)).not.toBe("0x");
  expect(await seenBy("otherReader", exam)).toBe(false);
  await untilState(world, (await revoke.json()) as Relayed, "mined");
  // One deployment, and two acts.
  expect(await transactionsOf(world)).toBe(before + 3);

  await untilState(
    world,
    (await (await handIn("Grant", by, grantTo(world, "otherReader", exam.examId))).json()) as Relayed,
    "mined",
  );
  await until("the reader reads", () => seenBy("otherReader", exam));
});

test.each<[string, { signers?: PersonName[]; bend?: (other: Deployment) => Partial<Deployment> }, string]>([
  ["signed by one owner", { signers: ["patient"] }, "403 act-not-signed"],
  ["signed by somebody else", { signers: ["reader", "otherReader"] }, "403 act-not-signed"],
  ["with the deployment of another Safe", { bend: ({ data }) => ({ data }) }, "403 act-not-signed"],
  ["with a deployment that does nothing", { bend: () => ({ data: "0x00" }) }, "403 act-not-signed"],
  [
    "with a factory that is none",
    { bend: () => ({ factory: `0x${"11".repeat(20)}` }) },
    "403 act-not-signed",
  ],
  ["for a Safe of nobody's who is enrolled", {}, "403 not-enrolled"],
])("what is %s is not taken, and nothing is sent", async (_name, { signers, bend }, reason) => {
  const { governor } = world.people;
  const { safe, deployment } = await Safe.foresee(governor, named("patient", "custodian"));
  const { deployment: other } = await Safe.foresee(governor, named("reader", "stranger"));
  if (signers) safe.signers = named(...signers);
  const before = await transactionsOf(world);
  const by = wrapped(safe, { ...deployment, ...bend?.(other) });
  const fields = revokeFrom(world, "reader", `0x${"5a".repeat(32)}`);
  expect(await reasonOf(await handIn("Revoke", by, fields))).toBe(reason);
  expect(await transactionsOf(world)).toBe(before);
});

test("not on the chain yet denies nothing with what was signed for another state", async () => {
  const { safe, deployment } = await Safe.foresee(world.people.governor, named("patient", "operator"));
  const by = wrapped(safe, deployment);
  const fields = revokeFrom(world, "reader", `0x${"5b".repeat(32)}`);
  for (const [bent, reason] of [
    [{ nonce: 3n }, "409 act-outdated"],
    [{ epoch: 2n }, "409 act-outdated"],
    [{ deadline: 1n }, "409 act-expired"],
  ] as const)
    expect(await reasonOf(await handIn("Revoke", by, { ...fields, ...bent }))).toBe(reason);
});
