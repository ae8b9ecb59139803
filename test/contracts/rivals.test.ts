/**
 * Defects that the nearest rivals have in their contracts, told as stories on a real chain: none may happen here.
 */
import { createHash } from "node:crypto";
import { AbiCoder, type ContractTransactionReceipt, keccak256, toUtf8Bytes } from "ethers";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Hex } from "../../protocol/hash.ts";
import { examCommitment, examId, granteeOf, newSalt } from "../../protocol/ids.ts";
import { manifestLeaves, NO_PIXELS } from "../../protocol/manifest.ts";
import { merkleRoot } from "../../protocol/merkle.ts";
import type { LedgerReason } from "../../protocol/reasons.ts";
import { packTerms, purposesToMask } from "../../protocol/terms.ts";
import { check, type OpenLedger, openLedger } from "./world.ts";

let world: OpenLedger;
let parts: { custodian: Hex; patient: Hex; commitment: Hex };
let exam: Hex;
let reader: Hex;

beforeAll(async () => {
  world = await openLedger();
});
afterAll(() => world.close());

beforeEach(async () => {
  const { people } = world;
  parts = {
    custodian: (await people.custodian.getAddress()) as Hex,
    patient: (await people.patient.getAddress()) as Hex,
    commitment: examCommitment(newSalt(), "1.2.840.1"),
  };
  exam = examId(parts);
  reader = (await people.reader.getAddress()) as Hex;
  await act("custodian", "register", parts.custodian, parts.patient, parts.commitment, newSalt());
});

async function act(who: keyof OpenLedger["people"], name: string, ...args: unknown[]) {
  const sent = await world.ledger
    .connect(world.people[who])
    .getFunction(name)
    .send(...args);
  return (await sent.wait()) as ContractTransactionReceipt;
}

const grant = async (seconds: number) => {
  const now = await world.now();
  const terms = {
    notBefore: now,
    notAfter: now + seconds,
    purposes: ["TREAT" as const],
    actions: ["VIEW" as const],
  };
  await act("patient", "grant", exam, granteeOf(reader), packTerms(terms));
  return terms.notAfter;
};

const nonceOfGrant = async (): Promise<bigint> =>
  (await world.ledger.getFunction("grantOf").staticCall(parts.patient, exam, granteeOf(reader))).nonce;

const decide = async (time?: number): Promise<LedgerReason | undefined> => {
  const { reason } = await check(world.ledger, {
    ...parts,
    seriesCommitment: `0x${"0".repeat(64)}`,
    reader,
    purpose: BigInt(purposesToMask(["TREAT"])),
    action: 1n,
    time: BigInt(time ?? (await world.now())),
  });
  return reason;
};

describe("defects of rivals", () => {
  it("a consent that expired still opens: here it ends by itself, with no transaction sent", async () => {
    const notAfter = await grant(60);
    const writes = await nonceOfGrant();
    expect(await decide(notAfter - 1)).toBe("permitted");
    await world.ethers.provider.send("evm_increaseTime", [61]);
    await world.ethers.provider.send("evm_mine", []);
    expect(await decide()).toBe("expired");
    expect(await nonceOfGrant()).toBe(writes);
  });

  it("extending makes a second grant, and revoking the first leaves access open: here one revoke closes", async () => {
    await grant(60);
    await grant(120);
    await act("patient", "revoke", exam, granteeOf(reader));
    expect(await decide()).toBe("revoked");
  });

  it("a revoke can be sent by somebody the patient never named: here it changes nothing", async () => {
    await grant(600);
    for (const who of ["stranger", "custodian", "operator", "reader", "governor"] as const) {
      await act(who, "revoke", exam, granteeOf(reader));
      await act(who, "revokeAll", await world.people[who].getAddress());
      await expect(act(who, "revokeBatch", parts.patient, [exam], granteeOf(reader))).rejects.toThrow(
        /ConsentLedgerNotGuardian/,
      );
      await expect(act(who, "revokeAll", parts.patient)).rejects.toThrow(/ConsentLedgerNotGuardian/);
    }
    expect(await decide()).toBe("permitted");
  });

  it("a record for a patient can be written by anybody: here by the custodian and its operators alone", async () => {
    for (const who of ["stranger", "patient", "reader", "governor"] as const) {
      await expect(
        act(who, "register", parts.custodian, parts.patient, newSalt(), newSalt()),
      ).rejects.toThrow(/ConsentLedgerNotOperator/);
    }
  });

  it('"revoke all" exists, but checks still answer yes: here every grant is dead at once', async () => {
    await grant(600);
    expect(await decide()).toBe("permitted");
    await act("patient", "revokeAll", parts.patient);
    expect(await decide()).toBe("revoked");
  });

  it("an operator named once stays for ever: here an operator's name is taken away, and it never opens an exam", async () => {
    const operator = await world.people.operator.getAddress();
    await act("custodian", "setOperator", operator, true);
    await act(
      "operator",
      "grant",
      exam,
      granteeOf(reader),
      packTerms({ notBefore: 0, notAfter: 2 ** 32, purposes: ["TREAT"], actions: ["VIEW"] }),
    );
    expect(await decide()).toBe("not-granted");
    await act("custodian", "setOperator", operator, false);
    await expect(
      act("operator", "register", parts.custodian, parts.patient, newSalt(), newSalt()),
    ).rejects.toThrow(/ConsentLedgerNotOperator/);
  });

  it("the identifier on chain is the plain StudyInstanceUID, or can be guessed from it: here nothing can", async () => {
    const study = "1.2.840.113619.2.55.3.604688119";
    const instance = `${study}.1.1`;
    const salt = newSalt();
    const commitment = examCommitment(salt, study);
    const root = merkleRoot(
      manifestLeaves(salt, [{ sopInstanceUid: instance, frame: 1, digest: NO_PIXELS }]),
    );
    const receipts = [
      await act("custodian", "register", parts.custodian, parts.patient, commitment, root),
      await act("custodian", "amend", parts.custodian, parts.patient, commitment, newSalt()),
      await act("patient", "revoke", examId({ ...parts, commitment }), granteeOf(reader)),
      await act("custodian", "retire", parts.patient, commitment),
    ];

    let seen = "";
    for (const { hash, logs } of receipts) {
      seen += (await world.ethers.provider.getTransaction(hash))?.data ?? "";
      for (const { topics, data } of logs) seen += topics.join() + data;
    }
    expect(seen).toContain(commitment.slice(2));
    for (const text of [study, instance, parts.patient + study, study + parts.custodian]) {
      for (const guess of guesses(text)) expect(seen).not.toContain(guess);
    }
    expect(seen).not.toContain(NO_PIXELS.slice(2));
    expect(examCommitment(newSalt(), study)).not.toBe(commitment);
  });
});

/** What somebody who knows or guesses a text would look for: itself, and its unsalted hashes. */
function guesses(text: string): string[] {
  const bytes = toUtf8Bytes(text);
  const encoded = AbiCoder.defaultAbiCoder().encode(["string"], [text]);
  return [
    Buffer.from(bytes).toString("hex"),
    keccak256(bytes).slice(2),
    keccak256(encoded).slice(2),
    ...["sha256", "sha1", "md5"].map((name) => createHash(name).update(bytes).digest("hex")),
  ];
}
