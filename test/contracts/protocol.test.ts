/** The protocol and the contracts mean the same: ids, terms, reasons, ABIs. */
import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Hex } from "../../protocol/hash.ts";
import {
  blindedGrantee,
  examCommitment,
  examId,
  granteeOf,
  newSalt,
  seriesCommitment,
  seriesResource,
  seriesSalt,
} from "../../protocol/ids.ts";
import { EMERGENCY_REASONS, LEDGER_REASONS } from "../../protocol/reasons.ts";
import {
  ACTIONS,
  actionsToMask,
  LATEST,
  PURPOSES,
  packTerms,
  purposesToMask,
  unpackTerms,
} from "../../protocol/terms.ts";
import { abiModules } from "../../scripts/abi.ts";
import { check, type OpenLedger, openLedger } from "./world.ts";

let world: OpenLedger;
const salt = newSalt();
const study = "1.2.840.113619.2.1";
const series = "1.2.840.113619.2.1.7";

beforeAll(async () => {
  world = await openLedger();
});
afterAll(() => world.close());

const word = () => fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => hex(bytes));
const hex = (bytes: Uint8Array): Hex => `0x${Buffer.from(bytes).toString("hex")}`;

const terms = () =>
  fc
    .record({
      period: fc.uniqueArray(fc.integer({ min: 0, max: LATEST }), { minLength: 2, maxLength: 2 }),
      purposes: fc.subarray([...PURPOSES], { minLength: 1 }),
      actions: fc.subarray([...ACTIONS], { minLength: 1 }),
    })
    .map(({ period, purposes, actions }) => {
      const [notBefore = 0, notAfter = 0] = period.sort((a, b) => a - b);
      return { notBefore, notAfter, purposes, actions };
    });

describe("ids", () => {
  it("gives exams the id that the ledger computes, for any commitment and patient", async () => {
    const { ledger, people } = world;
    const custodian = await people.custodian.getAddress();
    await fc.assert(
      fc.asyncProperty(word(), fc.bigInt(1n, 2n ** 160n - 1n), async (commitment, patientNumber) => {
        const patient = `0x${patientNumber.toString(16).padStart(40, "0")}`;
        const id = await ledger
          .connect(people.custodian)
          .getFunction("register")
          .staticCall(custodian, patient, commitment, commitment);
        expect(id).toBe(examId({ custodian, patient, commitment }));
      }),
      { numRuns: 50 },
    );
  });

  it("names a series as the ledger does: a grant for it opens it, and it alone", async () => {
    const { ledger, people, now } = world;
    const [custodian, patient, reader] = await Promise.all(
      [people.custodian, people.patient, people.reader].map((person) => person.getAddress()),
    );
    const commitment = examCommitment(salt, study);
    const exam = examId({ custodian: custodian as Hex, patient: patient as Hex, commitment });
    const ofSeries = seriesCommitment(seriesSalt(salt, series), series);
    await ledger.connect(people.custodian).getFunction("register").send(custodian, patient, commitment, salt);
    await ledger
      .connect(people.patient)
      .getFunction("grant")
      .send(
        seriesResource(exam, ofSeries),
        granteeOf(reader as Hex),
        packTerms({ notBefore: 0, notAfter: LATEST, purposes: ["TREAT"], actions: ["VIEW"] }),
      );
    const query = {
      custodian: custodian as Hex,
      patient: patient as Hex,
      commitment,
      seriesCommitment: ofSeries as string,
      reader: reader as Hex,
      purpose: BigInt(purposesToMask(["TREAT"])),
      action: BigInt(actionsToMask(["VIEW"])),
      time: BigInt(await now()),
    };
    expect(await check(ledger, query)).toEqual({ reason: "permitted", validUntil: BigInt(LATEST) });

    const sibling = `${series}.1`;
    query.seriesCommitment = seriesCommitment(seriesSalt(salt, sibling), sibling);
    expect(await check(ledger, query)).toEqual({ reason: "not-granted", validUntil: 0n });
  });

  it("blinds a reader as the ledger does: a grant for it opens with its salt, and with it alone", async () => {
    const { ledger, people, now } = world;
    const [custodian, patient, reader] = await Promise.all(
      [people.custodian, people.patient, people.reader].map((person) => person.getAddress()),
    );
    const parts = { custodian: custodian as Hex, patient: patient as Hex, commitment: newSalt() };
    await ledger
      .connect(people.custodian)
      .getFunction("register")
      .send(custodian, patient, parts.commitment, salt);
    const terms = packTerms({ notBefore: 0, notAfter: LATEST, purposes: ["TREAT"], actions: ["VIEW"] });
    const grantee = blindedGrantee(reader as Hex, salt);
    await ledger.connect(people.patient).getFunction("grant").send(examId(parts), grantee, terms);
    const ask = async (granteeSalt?: Hex) => {
      const { reason } = await check(ledger, {
        ...parts,
        seriesCommitment: `0x${"0".repeat(64)}`,
        reader: reader as Hex,
        ...(granteeSalt && { granteeSalt }),
        purpose: BigInt(purposesToMask(["TREAT"])),
        action: BigInt(actionsToMask(["VIEW"])),
        time: BigInt(await now()),
      });
      return reason;
    };
    expect(await ask(salt)).toBe("permitted");
    expect(await ask(newSalt())).toBe("not-granted");
    expect(await ask()).toBe("not-granted");
  });
});

describe("terms", () => {
  it("packs what the ledger keeps and emits, for any terms", async () => {
    const { ledger, people } = world;
    const patient = await people.otherPatient.getAddress();
    const reader = granteeOf(await people.reader.getAddress());
    const grant = ledger.connect(people.otherPatient).getFunction("grant");
    await fc.assert(
      fc.asyncProperty(terms(), async (given) => {
        const receipt = await (await grant.send(salt, reader, packTerms(given))).wait();
        const kept = await ledger.getFunction("grantOf").staticCall(patient, salt, reader);
        expect(unpackTerms(kept.terms)).toEqual(given);
        const event = ledger.interface.parseLog(receipt?.logs[0] ?? { topics: [], data: "0x" });
        expect(unpackTerms(event?.args.terms)).toEqual(given);
      }),
      { numRuns: 30 },
    );
  });

  it("decides each purpose and each action on its own bit", async () => {
    const { ledger, people, now } = world;
    const [custodian, patient, reader] = await Promise.all(
      [people.custodian, people.otherPatient, people.reader].map((person) => person.getAddress()),
    );
    const parts = { custodian: custodian as Hex, patient: patient as Hex, commitment: newSalt() };
    await ledger
      .connect(people.custodian)
      .getFunction("register")
      .send(custodian, patient, parts.commitment, salt);
    const grant = ledger.connect(people.otherPatient).getFunction("grant");
    const ask = async (purpose: (typeof PURPOSES)[number], action: (typeof ACTIONS)[number]) => {
      const query = {
        ...parts,
        seriesCommitment: `0x${"0".repeat(64)}`,
        reader: reader as Hex,
        purpose: BigInt(purposesToMask([purpose])),
        action: BigInt(actionsToMask([action])),
        time: BigInt(await now()),
      };
      return (await check(ledger, query)).reason;
    };
    for (const granted of PURPOSES) {
      const given = packTerms({ notBefore: 0, notAfter: LATEST, purposes: [granted], actions: ["VIEW"] });
      await grant.send(examId(parts), granteeOf(reader as Hex), given);
      for (const asked of PURPOSES) {
        expect(await ask(asked, "VIEW")).toBe(asked === granted ? "permitted" : "purpose-not-granted");
      }
    }
    for (const granted of ACTIONS) {
      const given = packTerms({ notBefore: 0, notAfter: LATEST, purposes: ["TREAT"], actions: [granted] });
      await grant.send(examId(parts), granteeOf(reader as Hex), given);
      for (const asked of ACTIONS) {
        expect(await ask("TREAT", asked)).toBe(asked === granted ? "permitted" : "action-not-granted");
      }
    }
  });
});

describe("what the compiler says", () => {
  it("is what protocol/abi holds", async () => {
    for (const [path, text] of await abiModules()) {
      expect(await readFile(path, "utf8"), `${path} is stale: run node scripts/abi.ts`).toBe(text);
    }
  });

  it.each([
    ["IConsentLedger", "Reason", LEDGER_REASONS],
    ["IEmergencyAccess", "EmergencyReason", EMERGENCY_REASONS],
  ] as const)("orders the reasons of %s.%s as protocol/reasons.ts does", async (file, name, reasons) => {
    const source = await readFile(`contracts/interfaces/${file}.sol`, "utf8");
    const members = source.match(new RegExp(`enum ${name} \\{([^}]*)\\}`))?.[1]?.split(",") ?? [];
    const codes = members.map((member) =>
      member
        .trim()
        .replace(/(?<=[a-z])(?=[A-Z])/g, "-")
        .toLowerCase(),
    );
    expect(codes).toEqual(reasons);
  });
});
