import { eq } from "drizzle-orm";
import { verifyTypedData, Wallet } from "ethers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Audit } from "../../gateway/audit/audit.ts";
import { sealEarlier } from "../../gateway/audit/earlier.ts";
import type { OpenDatabase } from "../../gateway/database/database.ts";
import { auditCounter, decisions, envelopeKeys, envelopes, receipts } from "../../gateway/database/schema.ts";
import { envelopesRoot } from "../../protocol/envelope.ts";
import type { Hex } from "../../protocol/hash.ts";
import { holds, type Receipt, receiptDigest, signedPartOf } from "../../protocol/receipt.ts";
import { RECEIPTS_TYPES, typedDataDomain } from "../../protocol/typedData.ts";
import { openEmptyDatabase } from "../emptyDatabase.ts";
import { DECISION as ANY } from "./decision.ts";
import { readLog } from "./readLog.ts";
import { CHAIN_ID, LEDGER, OPERATOR_KEY, signer } from "./signer.ts";

let opened: OpenDatabase;
beforeEach(async () => {
  opened = await openEmptyDatabase();
});
afterEach(() => opened.close());

const CALLER = ANY.caller;
const examOf = (n: number): Hex => `0x${n.toString(16).padStart(64, "0")}`;
const DECISION = { ...ANY, exams: [examOf(1)], blockNumber: 7, blockHash: examOf(7) };

/** Whose signature a receipt carries. */
function signerOf(receipt: Receipt): string {
  const part = signedPartOf(receipt);
  if (!part) throw new Error("The receipt does not fit together.");
  const types = { Receipts: [...RECEIPTS_TYPES.Receipts] };
  return verifyTypedData(typedDataDomain(CHAIN_ID, LEDGER), types, part, receipt.signed.signature);
}

const silent = { info: () => undefined };

describe("a receipt", () => {
  test("is signed by the operator, for decisions that were written together and by themselves", async () => {
    const audit = new Audit(opened.database, signer);
    const together = await Promise.all(Array.from({ length: 11 }, () => audit.record(DECISION)));
    const alone = await audit.record({ ...DECISION, reason: "revoked", blockNumber: null, blockHash: null });
    const operator = new Wallet(OPERATOR_KEY).address;
    for (const receipt of [...together, alone]) expect(signerOf(receipt)).toBe(operator);
    expect(together.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 11 }, (_, i) => i + 1));
    expect(alone.signed).toMatchObject({ first: 12, last: 12, siblings: [] });
    expect(signerOf({ ...alone, reason: "expired" })).not.toBe(operator);
  });

  test("is what the database keeps, and identifies nobody there", async () => {
    const audit = new Audit(opened.database, signer);
    const receipt = await audit.record(DECISION);
    const [row] = await opened.database.select().from(receipts);
    const kept = (await opened.database.select().from(envelopes)).map(({ envelope }) => envelope);
    expect(row?.digest).toBe(receiptDigest(receipt));
    expect(envelopesRoot(kept)).toBe(receipt.envelopes);
    const inClear = JSON.stringify({ row, kept });
    for (const one of [CALLER, examOf(1), DECISION.tokenId]) expect(inClear).not.toContain(one.slice(2));
    expect(await readLog(opened.database)).toMatchObject([
      { caller: CALLER, tokenId: DECISION.tokenId, exams: DECISION.exams },
    ]);
  });

  test("of a permit says to its caller what it holds; one of a denial does not, nor of several exams", async () => {
    const audit = new Audit(opened.database, signer);
    const permit = await audit.record(DECISION);
    expect(permit.opened).toMatchObject({ caller: CALLER, examId: examOf(1) });
    expect(permit.opened && (await holds(permit.envelopes, permit.opened))).toBe(true);
    const nothingShown = await audit.record({ ...DECISION, exams: [] });
    expect(nothingShown.opened).toMatchObject({ caller: CALLER, examId: null });
    expect((await audit.record({ ...DECISION, reason: "revoked" })).opened).toBeNull();
    expect((await audit.record({ ...DECISION, exams: [examOf(1), examOf(2)] })).opened).toBeNull();
  });
});

describe("envelopes", () => {
  const openedExams = async () =>
    (await readLog(opened.database)).map(({ exams, caller }) => [caller, ...exams]);

  test("of a search are one for each exam; destroying an exam's key erases it alone", async () => {
    const audit = new Audit(opened.database, signer);
    await audit.record({ ...DECISION, exams: [examOf(1), examOf(2)] });
    await audit.record({ ...DECISION, exams: [] });
    expect(await openedExams()).toEqual([[CALLER, examOf(1), examOf(2)], [CALLER]]);
    await opened.database.delete(envelopeKeys).where(eq(envelopeKeys.subject, examOf(1)));
    expect(await openedExams()).toEqual([[CALLER, examOf(2)], [CALLER]]);
    await opened.database.delete(envelopeKeys).where(eq(envelopeKeys.subject, CALLER));
    expect(await openedExams()).toEqual([[CALLER, examOf(2)], [null]]);
  });

  test("of the same exam share a key, whichever gateway makes it first", async () => {
    const gateways = [new Audit(opened.database, signer), new Audit(opened.database, signer)];
    await Promise.all(gateways.map((audit) => audit.record(DECISION)));
    expect(await opened.database.$count(envelopeKeys)).toBe(1);
    expect(await openedExams()).toEqual([
      [CALLER, examOf(1)],
      [CALLER, examOf(1)],
    ]);
  });

  test("can be thousands, where a search shows that many exams", async () => {
    const exams = Array.from({ length: 3_000 }, (_, n) => examOf(n + 1));
    await new Audit(opened.database, signer).record({ ...DECISION, exams });
    expect(await opened.database.$count(envelopes)).toBe(3_000);
  });
});

describe("decisions of before there were receipts", () => {
  const earlier = (seq: number): typeof decisions.$inferInsert => ({
    seq,
    decidedAt: 1_790_000_000_000 + seq,
    caller: CALLER,
    tokenId: DECISION.tokenId,
    purpose: "TREAT",
    action: "VIEW",
    route: "WADO-RS study",
    permitted: true,
    reason: "permitted",
    examId: seq % 2 === 0 ? null : examOf(seq),
    shown: seq % 2 === 0 ? [examOf(1), examOf(2)] : null,
    chainId: CHAIN_ID,
  });

  test("are sealed under their numbers, once, and new ones go on after them", async () => {
    const { database } = opened;
    await database.insert(decisions).values(Array.from({ length: 700 }, (_, i) => earlier(i + 1)));
    await database.update(auditCounter).set({ last: 700 });
    await sealEarlier(database, signer, silent);
    await sealEarlier(database, signer, silent);
    expect(await database.$count(decisions)).toBe(0);
    const { sequence } = await new Audit(database, signer).record(DECISION);
    expect(sequence).toBe(701);
    const rows = await readLog(database);
    expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: 701 }, (_, i) => i + 1));
    expect(rows[0]).toMatchObject({ decidedAt: 1_790_000_000_001, caller: CALLER, exams: [examOf(1)] });
    expect(rows[1]?.exams).toEqual([examOf(1), examOf(2)]);
    expect(rows.flatMap(({ signedFrom }) => signedFrom ?? [])).toEqual([1, 501, 701]);
  });

  test("of which some are gone leave that gap open", async () => {
    const { database } = opened;
    await database.insert(decisions).values([1, 2, 4, 5].map(earlier));
    await database.update(auditCounter).set({ last: 5 });
    await sealEarlier(database, signer, silent);
    const rows = await readLog(database);
    expect(rows.map(({ seq, signedFrom }) => [seq, signedFrom])).toEqual([
      [1, null],
      [2, 1],
      [4, null],
      [5, 4],
    ]);
  });
});
