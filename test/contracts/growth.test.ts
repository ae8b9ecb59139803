/**
 * What each act adds to the chain for good: the bytes of its calldata and of its logs, and the storage slots that it fills.
 * docs/why-a-chain.md reckons with these figures.
 */
import {
  type BaseContract,
  type ContractTransactionReceipt,
  dataLength,
  type Signer,
  ZeroAddress,
} from "ethers";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Hex } from "../../protocol/hash.ts";
import { blindedGrantee, examId, pointerLeaf } from "../../protocol/ids.ts";
import { merkleProof, merkleRoot } from "../../protocol/merkle.ts";
import { packTerms } from "../../protocol/terms.ts";
import { type Act, EMERGENCY_TYPES, emergencyDomain, typedDataDomain } from "../../protocol/typedData.ts";
import { signAct } from "./signing.ts";
import { type OpenLedger, openLedger } from "./world.ts";

let world: OpenLedger;
beforeAll(async () => {
  world = await openLedger();
});
afterAll(() => world.close());

const word = (byte: string): Hex => `0x${byte.repeat(32)}`;
const wordOf = (n: number): Hex => `0x${n.toString(16).padStart(64, "0")}`;
const TEN = Array.from({ length: 10 }, (_, n) => wordOf(n + 1));
const PERIOD = { notBefore: 1_800_000_000, notAfter: 1_802_592_000 };
const TERMS = packTerms({ ...PERIOD, purposes: ["TREAT"], actions: ["VIEW"] });
/** Long after the end of any test. */
const DEADLINE = 2n ** 40n;

/** Sends an act, and tells what it added. */
async function added(contract: BaseContract, who: Signer, act: string, args: readonly unknown[]) {
  const sent = await contract
    .connect(who)
    .getFunction(act)
    .send(...args);
  const receipt = (await sent.wait()) as ContractTransactionReceipt;
  const logs = receipt.logs.reduce(
    (sum, { topics, data }) => sum + 20 + 32 * topics.length + dataLength(data),
    0,
  );
  const slots = await slotsFilled(contract, receipt);
  return `${dataLength(sent.data)} + ${logs} bytes, ${slots} ${slots === 1 ? "slot" : "slots"}`;
}

/** How many of the contract's slots were zero before a transaction and are not after it. */
async function slotsFilled(contract: BaseContract, { hash, blockNumber }: ContractTransactionReceipt) {
  const { provider } = world.ethers;
  const trace: { structLogs: { op: string; stack: string[] }[] } = await provider.send(
    "debug_traceTransaction",
    [hash, { disableMemory: true, disableStorage: true }],
  );
  const written = new Set(
    trace.structLogs.flatMap(({ op, stack }) => (op === "SSTORE" ? [BigInt(stack.at(-1) ?? 0)] : [])),
  );
  let filled = 0;
  for (const slot of written) {
    const before = BigInt(await provider.getStorage(contract, slot, blockNumber - 1));
    const after = BigInt(await provider.getStorage(contract, slot, blockNumber));
    if (before === 0n && after !== 0n) filled += 1;
  }
  return filled;
}

/** A batch of 1,024 pointers, and what proves one of them. */
function batchWith(exam: Hex) {
  const manifestRoot = word("aa");
  const leaf = pointerLeaf(exam, manifestRoot);
  const others = Array.from({ length: 1_023 }, (_, n) => pointerLeaf(wordOf(n), manifestRoot));
  const leaves = [leaf, ...others];
  return { batchRoot: merkleRoot(leaves), manifestRoot, proof: merkleProof(leaves, leaf) };
}

/** A patient's signature over an act, and how long it may be used. */
async function signed(patient: Signer, act: Act, value: Record<string, unknown>) {
  const { chainId } = await world.ethers.provider.getNetwork();
  const domain = typedDataDomain(Number(chainId), await world.ledger.getAddress());
  const by = { patient: await patient.getAddress(), deadline: DEADLINE };
  const signature = await signAct(patient, domain, act, { ...by, ...value });
  return { ...by, signature };
}

it("adds to the ledger what the documentation says", async () => {
  const { ledger, people } = world;
  const custodian = await people.custodian.getAddress();
  const patient = await people.patient.getAddress();
  const other = await people.otherPatient.getAddress();
  const stranger = await people.stranger.getAddress();
  const grantee = blindedGrantee(await people.reader.getAddress(), word("5a"));
  const exam = examId({ custodian, patient, commitment: word("11") });
  const batch = batchWith(examId({ custodian, patient, commitment: word("13") }));
  const slot = { resource: word("66"), grantee };
  const terms = { ...PERIOD, purposes: 1, actions: 1 };
  const grant = await signed(people.patient, "Grant", { ...slot, ...terms, nonce: 0, epoch: 0 });
  const revoke = await signed(people.patient, "Revoke", { ...slot, nonce: 1, epoch: 0 });
  const revokeAll = await signed(people.stranger, "RevokeAll", { nonce: 1 });
  const by = (who: Signer, act: string, ...args: unknown[]) => added(ledger, who, act, args);

  expect({
    setOperator: await by(people.custodian, "setOperator", await people.operator.getAddress(), true),
    register: await by(people.operator, "register", custodian, patient, word("11"), word("aa")),
    "registerBatch of 1,024": await by(people.operator, "registerBatch", custodian, batch.batchRoot, 1_024),
    "claim from a batch of 1,024": await by(people.stranger, "claim", custodian, patient, word("13"), batch),
    amend: await by(people.operator, "amend", custodian, patient, word("11"), word("bb")),
    grant: await by(people.patient, "grant", exam, grantee, TERMS),
    "grant again": await by(people.patient, "grant", exam, grantee, TERMS),
    revoke: await by(people.patient, "revoke", exam, grantee),
    "revoke what was never granted": await by(people.patient, "revoke", word("44"), grantee),
    "grantBatch of ten": await by(people.patient, "grantBatch", patient, TEN, grantee, TERMS),
    "revokeBatch of ten": await by(people.patient, "revokeBatch", patient, TEN, grantee),
    "grant by signature": await by(people.stranger, "grantBySig", slot.resource, grantee, TERMS, 0, 0, grant),
    "revoke by signature": await by(people.stranger, "revokeBySig", slot.resource, grantee, 1, 0, revoke),
    nameGuardian: await by(people.patient, "nameGuardian", other, 2_000_000_000),
    "revokeAll, first": await by(people.stranger, "revokeAll", stranger),
    "revokeAll by signature, later": await by(people.patient, "revokeAllBySig", 1, revokeAll),
    handOver: await by(people.patient, "handOver", exam, other),
    accept: await by(people.otherPatient, "accept", exam),
    retire: await by(people.custodian, "retire", patient, word("11")),
  }).toMatchInlineSnapshot(`
    {
      "accept": "36 + 148 bytes, 1 slot",
      "amend": "132 + 180 bytes, 0 slots",
      "claim from a batch of 1,024": "580 + 212 bytes, 2 slots",
      "grant": "100 + 180 bytes, 1 slot",
      "grant again": "100 + 180 bytes, 0 slots",
      "grant by signature": "420 + 180 bytes, 1 slot",
      "grantBatch of ten": "484 + 532 bytes, 10 slots",
      "handOver": "68 + 148 bytes, 1 slot",
      "nameGuardian": "68 + 148 bytes, 1 slot",
      "register": "132 + 212 bytes, 2 slots",
      "registerBatch of 1,024": "100 + 148 bytes, 1 slot",
      "retire": "68 + 116 bytes, 0 slots",
      "revoke": "68 + 148 bytes, 0 slots",
      "revoke by signature": "388 + 148 bytes, 0 slots",
      "revoke what was never granted": "68 + 148 bytes, 1 slot",
      "revokeAll by signature, later": "292 + 84 bytes, 0 slots",
      "revokeAll, first": "36 + 84 bytes, 1 slot",
      "revokeBatch of ten": "452 + 500 bytes, 0 slots",
      "setOperator": "68 + 148 bytes, 1 slot",
    }
  `);
});

it("adds to the periphery what the documentation says", async () => {
  const { ethers, ledger, people } = world;
  const [accessLog, emergencyAccess] = await Promise.all([
    ethers.deployContract("AccessLog", [ledger]),
    ethers.deployContract("EmergencyAccess", [ledger]),
  ]);
  const custodian = await people.custodian.getAddress();
  const patient = await people.patient.getAddress();
  const badge = await people.stranger.getAddress();
  const parts = { custodian, patient, commitment: word("12") };
  await ledger
    .connect(people.custodian)
    .getFunction("register")
    .send(custodian, patient, parts.commitment, word("aa"));
  const until = (await world.now()) + 3_600;
  const emergency = { reader: word("77"), reason: 1, until, count: 0 };
  const { chainId } = await ethers.provider.getNetwork();
  const signature = await people.stranger.signTypedData(
    emergencyDomain(Number(chainId), await emergencyAccess.getAddress()),
    { Emergency: [...EMERGENCY_TYPES.Emergency] },
    { ...emergency, badge, examId: examId(parts) },
  );
  const by = (contract: BaseContract, act: string, ...args: unknown[]) =>
    added(contract, people.custodian, act, args);

  expect({
    "anchor, first": await by(accessLog, "anchor", custodian, word("cc"), 1, 1_000),
    "anchor, later": await by(accessLog, "anchor", custodian, word("cc"), 1_001, 2_000),
    setPractitioner: await by(emergencyAccess, "setPractitioner", badge, true),
    open: await by(emergencyAccess, "open", { ...parts, ...emergency }, badge, signature, ZeroAddress, "0x"),
    close: await by(emergencyAccess, "close", custodian, patient, parts.commitment, emergency.reader),
  }).toMatchInlineSnapshot(`
    {
      "anchor, first": "132 + 212 bytes, 3 slots",
      "anchor, later": "132 + 212 bytes, 2 slots",
      "close": "132 + 148 bytes, 0 slots",
      "open": "516 + 276 bytes, 2 slots",
      "setPractitioner": "68 + 148 bytes, 1 slot",
    }
  `);
});
