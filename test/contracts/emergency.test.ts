/** Break-glass, told with real signatures: by a practitioner alone, by two, and by one whose badge is a Safe. */
import {
  type Contract,
  dataLength,
  type HDNodeWallet,
  id,
  type TypedDataDomain,
  Wallet,
  ZeroAddress,
} from "ethers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { blindedGrantee, type ExamParts, examId, newSalt } from "../../protocol/ids.ts";
import { EMERGENCY_REASONS } from "../../protocol/reasons.ts";
import { EMERGENCY_TYPES, emergencyDomain } from "../../protocol/typedData.ts";
import { Safe } from "./safe.ts";
import { Scene } from "./scene.ts";
import type { Signatory } from "./signing.ts";

const HOUR = 3600;
const DAY = 24 * HOUR;

/** What is opened, and what is signed for that: the exam's id takes the place of its parts. */
type Emergency = ExamParts & { reader: string; reason: number; until: number; count: bigint };

const badge = Wallet.createRandom();
const colleague = Wallet.createRandom();

let scene: Scene;
let emergencies: Contract;
let domain: TypedDataDomain;
let before: string;

beforeAll(async () => {
  scene = await Scene.open();
  const { ethers, ledger, people } = scene.world;
  emergencies = await ethers.deployContract("EmergencyAccess", [ledger], people.operator);
  domain = emergencyDomain(31337, await emergencies.getAddress());
  await scene.call("custodian", "setOperator", scene.of.operator, true);
  for (const { address } of [badge, colleague]) await name(address);
});
afterAll(() => scene.close());

beforeEach(async () => {
  before = await scene.snapshot();
});
afterEach(() => scene.restore(before));

/** The custodian names a practitioner, or takes the name away. */
async function name(practitioner: string, named = true): Promise<void> {
  const asCustodian = emergencies.connect(scene.world.people.custodian);
  await (await asCustodian.getFunction("setPractitioner").send(practitioner, named)).wait();
}

/** An emergency on the patient's first exam, as it would be signed now; fields in `bent` go over it. */
async function emergency(bent: Partial<Emergency> = {}): Promise<Emergency> {
  const exam = scene.exams[0];
  const { count } = await emergencies.getFunction("historyOf").staticCall(examId(exam));
  const reader = blindedGrantee(scene.of.reader, newSalt());
  const until = (await scene.world.now()) + HOUR;
  return { ...exam, reader, reason: EMERGENCY_REASONS.indexOf("life-threatening"), until, count, ...bent };
}

async function sign(signed: Emergency, by: Signatory, bent: Record<string, unknown> = {}, of = domain) {
  const types = { Emergency: [...EMERGENCY_TYPES.Emergency] };
  const message = { examId: examId(signed), badge: await by.getAddress(), ...signed, ...bent };
  return by.signTypedData(of, types, message);
}

/** The operator sends what practitioners signed; the fields of the event that comes of it. */
async function send(opened: Emergency, ...signed: [badge: string, signature: string][]) {
  const [[first, signature] = [ZeroAddress, "0x"], [second, secondSignature] = [ZeroAddress, "0x"]] = signed;
  const sent = await emergencies.getFunction("open").send(opened, first, signature, second, secondSignature);
  const [log] = (await sent.wait())?.logs ?? [];
  return log && emergencies.interface.parseLog(log)?.args.toObject();
}

/** Practitioners sign, and the operator sends it. */
async function open(opened: Emergency, ...by: Signatory[]) {
  const signed = by.map(async (one): Promise<[string, string]> => {
    return [await one.getAddress(), await sign(opened, one)];
  });
  return send(opened, ...(await Promise.all(signed)));
}

/** The same at a time, which is then taken back. */
const openAt = (time: number, opened: Emergency, ...by: Signatory[]) =>
  scene.rewinding(async () => {
    await scene.at(time);
    return open(opened, ...by);
  });

const isOpen = (opened: Emergency, time: number): Promise<boolean> =>
  emergencies.getFunction("isOpen").staticCall(examId(opened), opened.reader, time);

describe("an emergency", () => {
  it("is opened by one practitioner, for the reader and until the second that were signed", async () => {
    const opened = await emergency();
    expect(await open(opened, badge)).toEqual({
      examId: examId(opened),
      custodian: scene.of.custodian,
      reader: opened.reader,
      badge: badge.address,
      second: ZeroAddress,
      reason: BigInt(opened.reason),
      until: BigInt(opened.until),
    });
    const now = await scene.world.now();
    expect(await isOpen(opened, now)).toBe(true);
    expect(await isOpen(opened, now - 1)).toBe(false);
    expect(await isOpen(opened, opened.until - 1)).toBe(true);
    expect(await isOpen(opened, opened.until)).toBe(false);
    expect(await isOpen({ ...opened, reader: blindedGrantee(scene.of.reader, newSalt()) }, now)).toBe(false);
    expect(await isOpen({ ...opened, ...scene.exams[1] }, now)).toBe(false);
  });

  it("is nothing to the ledger, whose grants stay the patient's alone", async () => {
    await open(await emergency(), badge);
    expect(await scene.decide()).toBe("not-granted");
  });

  it("needs a second practitioner within a day of the last, and none from then on", async () => {
    await open(await emergency(), badge);
    const first = await scene.world.now();
    const needed = `EmergencyAccessSecondNeeded("${examId(scene.exams[0])}", ${first})`;
    const again = async (time: number, ...by: Signatory[]) =>
      openAt(time, await emergency({ until: time + HOUR }), ...by);
    await expect(again(first + HOUR, badge)).rejects.toThrow(needed);
    await expect(again(first + DAY - 1, colleague)).rejects.toThrow(needed);
    expect(await again(first + HOUR, badge, colleague)).toMatchObject({ second: colleague.address });
    expect(await again(first + DAY, badge)).toMatchObject({ second: ZeroAddress });
  });

  it("is not opened twice by one signature, nor by two", async () => {
    const opened = await emergency();
    await open(opened, badge);
    await expect(open(opened, badge)).rejects.toThrow("EmergencyAccessCountMismatch(0, 1)");
    await expect(open(opened, badge, colleague)).rejects.toThrow("EmergencyAccessCountMismatch(0, 1)");
  });

  it("lasts four hours at most, and its signature no longer than itself", async () => {
    const now = await scene.world.now();
    const openedAt = async (time: number, until: number) => openAt(time, await emergency({ until }), badge);
    const outOfRange = "EmergencyAccessUntilOutOfRange";
    expect(await openedAt(now + 1, now + 1 + 4 * HOUR)).toBeDefined();
    await expect(openedAt(now + 1, now + 2 + 4 * HOUR)).rejects.toThrow(outOfRange);
    expect(await openedAt(now + HOUR - 1, now + HOUR)).toBeDefined();
    await expect(openedAt(now + HOUR, now + HOUR)).rejects.toThrow(outOfRange);
  });

  it.each(EMERGENCY_REASONS.map((reason, position) => [reason, position] as const))(
    "has a reason: %s",
    async (reason, position) => {
      const opening = open(await emergency({ reason: position }), badge);
      if (reason === "none") await expect(opening).rejects.toThrow("EmergencyAccessIncomplete()");
      else expect(await opening).toMatchObject({ reason: BigInt(position) });
    },
  );

  it("is over at once when the operator closes it", async () => {
    const opened = await emergency();
    await open(opened, badge);
    const { custodian, patient, commitment, reader } = opened;
    await (await emergencies.getFunction("close").send(custodian, patient, commitment, reader)).wait();
    expect(await isOpen(opened, await scene.world.now())).toBe(false);
    await expect(
      emergencies.getFunction("close").send(custodian, patient, commitment, reader),
    ).rejects.toThrow("EmergencyAccessNotOpen");
  });
});

describe("a practitioner's signature", () => {
  const invalid = (by = badge.address) => `EmergencyAccessInvalidSignature("${by}")`;

  it.each(EMERGENCY_TYPES.Emergency.map(({ name }) => name))("is over the %s", async (field) => {
    const opened = await emergency();
    const others = {
      examId: examId(scene.exams[1]),
      badge: scene.of.stranger,
      reader: id("another"),
      reason: 2,
      until: 1,
      count: 1,
    };
    const signature = await sign(opened, badge, { [field]: others[field] });
    await expect(send(opened, [badge.address, signature])).rejects.toThrow(invalid());
  });

  it("is for one contract on one chain, and no patient's", async () => {
    const opened = await emergency();
    const { ethers, ledger } = scene.world;
    const twin = await ethers.deployContract("EmergencyAccess", [ledger]);
    for (const other of [
      { ...domain, chainId: 1 },
      { ...domain, verifyingContract: await twin.getAddress() },
      { ...domain, name: scene.domain.name },
      scene.domain,
    ]) {
      const signature = await sign(opened, badge, {}, other);
      await expect(send(opened, [badge.address, signature])).rejects.toThrow(invalid());
    }
  });

  it("is of a practitioner whom the exam's custodian has named, as long as it does", async () => {
    const stranger = Wallet.createRandom();
    const opened = await emergency();
    const unknown = (practitioner: HDNodeWallet) =>
      `EmergencyAccessNotPractitioner("${scene.of.custodian}", "${practitioner.address}")`;
    await expect(open(opened, stranger)).rejects.toThrow(unknown(stranger));
    await expect(open(opened, badge, stranger)).rejects.toThrow(unknown(stranger));
    await name(badge.address, false);
    await expect(open(opened, badge)).rejects.toThrow(unknown(badge));
  });

  it("opens nothing when somebody else sends it than the custodian or its operator", async () => {
    const opened = await emergency();
    const signature = await sign(opened, badge);
    for (const person of ["patient", "reader", "stranger"] as const) {
      const sent = emergencies
        .connect(scene.world.people[person])
        .getFunction("open")
        .send(opened, badge.address, signature, ZeroAddress, "0x");
      await expect(sent).rejects.toThrow("EmergencyAccessNotOperator");
    }
  });
});

describe("a second signature", () => {
  it("is of another practitioner than the first", async () => {
    await expect(open(await emergency(), badge, badge)).rejects.toThrow("EmergencyAccessSameBadge");
  });

  it("is checked also where none is needed", async () => {
    const opened = await emergency();
    const signature = await sign(opened, badge);
    await expect(send(opened, [badge.address, signature], [colleague.address, signature])).rejects.toThrow(
      `EmergencyAccessInvalidSignature("${colleague.address}")`,
    );
  });
});

describe("a badge that is a Safe (ERC-1271)", () => {
  it("opens with the signatures of its owners, as long as they are", async () => {
    const { governor, operator, custodian, stranger } = scene.world.people;
    const safe = await Safe.deploy(governor, [operator, custodian, stranger]);
    const address = await safe.getAddress();
    await name(address);

    const opened = await emergency();
    const signature = await sign(opened, safe);
    expect(dataLength(signature)).toBe(130);
    expect(await send(opened, [address, signature])).toMatchObject({ badge: address });

    const again = await emergency();
    await safe.swapFirstOwner(scene.of.governor);
    await expect(open(again, badge, safe)).rejects.toThrow(`EmergencyAccessInvalidSignature("${address}")`);
    safe.signers = [governor, custodian];
    expect(await open(again, badge, safe)).toMatchObject({ badge: badge.address, second: address });
  });
});
