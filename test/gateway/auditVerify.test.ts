import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { eq, gt, sql } from "drizzle-orm";
import Fastify from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AccessLog } from "../../gateway/audit/accessLog.ts";
import { Anchoring } from "../../gateway/audit/anchoring.ts";
import { Audit } from "../../gateway/audit/audit.ts";
import { Sender } from "../../gateway/chain/sender.ts";
import { anchors, auditCounter, envelopeKeys, envelopes, receipts } from "../../gateway/database/schema.ts";
import { type AdminContext, startAdminServer } from "../../gateway/enrolment/adminServer.ts";
import { Operator } from "../../gateway/enrolment/operator.ts";
import type { Hex } from "../../protocol/hash.ts";
import { newSalt } from "../../protocol/ids.ts";
import { ERASE, encodeReceipt, type Receipt, receiptDigest } from "../../protocol/receipt.ts";
import { openEmptyDatabase } from "../emptyDatabase.ts";
import { until, World } from "../world.ts";
import { DECISION } from "./decision.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const closers: (() => Promise<unknown>)[] = [];

let world: World;
let opened: Awaited<ReturnType<typeof openEmptyDatabase>>;
let audit: Audit;
/** Receipts 1 to 12, written in fours and anchored, and 13 to 16, which are not. */
const given: Receipt[] = [];

beforeAll(async () => {
  world = await World.onNewChain({}, closers);
  opened = await openEmptyDatabase();
  closers.push(opened.close);
  const ledger = {
    custodian: world.people.custodian.address.toLowerCase() as Hex,
    chainId: 31337,
    consentLedger: world.environment.CONSENT_LEDGER as Hex,
    accessLog: world.environment.ACCESS_LOG as Hex,
  };
  const { log } = Fastify({ logger: false });
  const context = { database: opened.database, ledger, dataDir: opened.dataDir, log, unreadable: [] };
  const admin = await startAdminServer(context as Partial<AdminContext> as AdminContext);
  closers.push(() => admin.close());

  const operatorKey = world.people.operator.privateKey as Hex;
  const { consentLedger, custodian, chainId } = ledger;
  const operator = new Operator({ ledger: consentLedger, chainId, custodian, operatorKey });
  const sender = new Sender(world.provider, operatorKey, chainId);
  audit = new Audit(opened.database, operator);
  const recordFour = async () => {
    given.push(...(await Promise.all(Array.from({ length: 4 }, () => audit.record(DECISION)))));
  };
  for (let i = 0; i < 3; i++) await recordFour();
  const accessLog = new AccessLog(world.provider, ledger.accessLog, ledger.custodian);
  const anchoring = new Anchoring({ database: opened.database, sender, accessLog, interval: 3600, log });
  await anchoring.start();
  await until("they are anchored", async () => (await opened.database.$count(anchors)) === 1);
  await anchoring.close();
  await recordFour();
});
afterAll(() => world.close());

/** Run the command as an auditor does, who trusts their own endpoint and addresses. */
function verify(...args: string[]): Promise<{ code: number; lines: string[] }> {
  const { CONSENT_LEDGER, ACCESS_LOG, CUSTODIAN } = world.environment;
  const env = { ...process.env, RPC_URL: world.rpcUrl, CONSENT_LEDGER, ACCESS_LOG, CUSTODIAN };
  return new Promise((resolve) => {
    const script = join(root, "scripts", "audit-verify.ts");
    execFile(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", script, "--data", opened.dataDir, ...args],
      { cwd: root, env },
      (error, stdout, stderr) =>
        resolve({ code: Number(error?.code ?? 0), lines: `${stdout}${stderr}`.trim().split("\n") }),
    );
  });
}

/** What the command finds once the database was tampered with; then everything is put back. */
async function foundAfter(tamper: () => PromiseLike<unknown>, ...args: string[]): Promise<string[]> {
  const { database } = opened;
  const kept = {
    receipts: await database.select().from(receipts),
    envelopes: await database.select().from(envelopes),
    counter: await database.select().from(auditCounter),
  };
  const restore = async () => {
    await database.delete(receipts);
    await database.insert(receipts).values(kept.receipts);
    await database.delete(envelopes);
    await database.insert(envelopes).values(kept.envelopes.map(({ keyId: _, ...row }) => row));
    await database.update(auditCounter).set({ last: kept.counter[0]?.last ?? 0 });
  };
  const { code, lines } = await Promise.resolve(tamper())
    .then(() => verify(...args))
    .finally(restore);
  expect(code).toBe(1);
  expect(lines.filter((line) => /^\d+ findings?\.$/.test(line))).toHaveLength(1);
  return lines.filter((line) => /^(Receipts? \d[^:]*( is| are| was) |There is a|The |No |What )/.test(line));
}

/** Change a receipt's row; with its digest, as somebody would who knows how it is made. */
async function edit(seq: number, { withDigest }: { withDigest: boolean }): Promise<void> {
  const [row] = await opened.database.select().from(receipts).where(eq(receipts.seq, seq));
  const receipt = given[seq - 1];
  if (!row || !receipt) throw new Error("There is no such receipt.");
  const route = "WADO-RS study";
  const digest = withDigest ? receiptDigest({ ...row, route, envelopes: receipt.envelopes }) : row.digest;
  await opened.database.update(receipts).set({ route, digest }).where(eq(receipts.seq, seq));
}

const remove = (seq: number) => opened.database.delete(receipts).where(eq(receipts.seq, seq));

/** Put in a receipt of one's own, as like the others as can be. */
const insert = async (seq: number) => {
  const [row] = await opened.database.select().from(receipts).where(eq(receipts.seq, 1));
  const [posted] = await opened.database.select().from(envelopes).where(eq(envelopes.seq, 1));
  if (!row || !posted) throw new Error("There is no receipt.");
  await opened.database.insert(receipts).values({ ...row, seq });
  await opened.database.insert(envelopes).values({ seq, position: 0, envelope: posted.envelope });
};

describe("a log", () => {
  test("that nobody touched has no findings, and says how far it is anchored", async () => {
    const { code, lines } = await verify();
    expect(lines).toEqual([
      "16 receipts in the log.",
      expect.stringMatching(/^Anchored: 1 to 12, by 1 anchor, the last on .* UTC\.$/),
      "Not anchored yet: 4, which the custodian could still drop; who was given one can show it.",
      "Nothing was found.",
    ]);
    expect(code).toBe(0);
  });

  test("whose keys were destroyed without an erasure is whole, and says so", async () => {
    const { database } = opened;
    const keys = await database.select().from(envelopeKeys);
    const found = await foundAfter(() => database.delete(envelopeKeys));
    await database.insert(envelopeKeys).values(keys);
    expect(found).toEqual([
      "Receipts 1, 2, 3, 4, 5 and 11 more are under a key that was destroyed, and no receipt says that an exam was erased.",
    ]);
  });

  test("is not talked out of that by a receipt that nobody signed", async () => {
    const { database } = opened;
    const keys = await database.select().from(envelopeKeys);
    const found = await foundAfter(async () => {
      await insert(17);
      const [row] = await database.select().from(receipts).where(eq(receipts.seq, 17));
      if (!row) throw new Error("There is no receipt.");
      const erasure = { ...row, action: ERASE } as const;
      const envelopesOfIt = given[0]?.envelopes ?? "0x";
      const digest = receiptDigest({ ...erasure, envelopes: envelopesOfIt });
      await database.update(receipts).set({ action: ERASE, digest }).where(eq(receipts.seq, 17));
      await database.delete(envelopeKeys);
    });
    await database.insert(envelopeKeys).values(keys);
    expect(found).toEqual(["Receipt 17 is neither anchored nor signed."]);
  });

  test.each([
    ["an anchored row was edited", 6],
    ["a row that is not anchored was edited", 14],
  ])("in which %s", async (_, seq) => {
    const found = await foundAfter(() => edit(seq, { withDigest: false }));
    expect(found).toEqual([`Receipt ${seq} was changed after it was written.`]);
  });

  test("in which a row was edited to fit its digest is not what was anchored, nor signed", async () => {
    expect(await foundAfter(() => edit(6, { withDigest: true }))).toEqual([
      expect.stringMatching(/^Receipts 1 to 12 are not what was anchored on .* UTC\.$/),
      "Receipts 5 to 8 are not what the operator signed: one of them, or the signature, was changed.",
    ]);
    expect(await foundAfter(() => edit(14, { withDigest: true }))).toEqual([
      "Receipts 13 to 16 are not what the operator signed: one of them, or the signature, was changed.",
    ]);
  });

  test("in which an envelope was changed, taken out or added", async () => {
    const { database } = opened;
    const changed = ["Receipt 3 was changed after it was written."];
    const of3 = eq(envelopes.seq, 3);
    expect(
      await foundAfter(() =>
        database
          .update(envelopes)
          .set({ envelope: sql`overlay(envelope placing 'ffff' from 200)` })
          .where(of3),
      ),
    ).toEqual(changed);
    expect(await foundAfter(() => database.delete(envelopes).where(of3))).toEqual(changed);
    const another = { seq: 3, position: 1, envelope: newSalt() };
    expect(await foundAfter(() => database.insert(envelopes).values(another))).toEqual(changed);
  });

  test("from which an anchored row was deleted", async () => {
    expect(await foundAfter(() => remove(7))).toEqual([
      "Receipt 7 is missing from the log.",
      expect.stringMatching(/^Receipts 1 to 12 are not what was anchored/),
    ]);
  });

  test("whose end was deleted", async () => {
    const tail = () => Promise.all([14, 15, 16].map(remove));
    expect(await foundAfter(tail)).toEqual([
      "Receipts 14 to 16 are missing from the log.",
      "Receipt 13 is neither anchored nor signed.",
    ]);
    expect(await foundAfter(() => opened.database.delete(receipts))).toEqual([
      "Receipts 1 to 16 are missing from the log.",
      expect.stringMatching(/^Receipts 1 to 12 are not what was anchored/),
    ]);
  });

  test("into which a row was put", async () => {
    expect(await foundAfter(() => insert(0))).toEqual([
      "There is a receipt under the number 0, which no gateway gives.",
    ]);
    expect(await foundAfter(() => insert(17))).toEqual(["Receipt 17 is neither anchored nor signed."]);
  });

  test("in which a row is no receipt at all, or has no signature", async () => {
    const { database } = opened;
    const write = (seq: number, row: Partial<typeof receipts.$inferInsert>) =>
      database.update(receipts).set(row).where(eq(receipts.seq, seq));
    expect(await foundAfter(() => write(2, { digest: "0x" }))).toContain(
      "Receipt 2 was changed after it was written.",
    );
    expect(await foundAfter(() => write(16, { signature: null }))).toEqual([
      "Receipts 13 to 16 are neither anchored nor signed.",
    ]);
    expect(await foundAfter(() => write(16, { signature: `0x${"11".repeat(65)}` }))).toEqual([
      "Receipts 13 to 16 are not what the operator signed: one of them, or the signature, was changed.",
    ]);
  });
});

describe("a reader's receipt", () => {
  const [anchored, unanchored] = [2, 13];
  const receiptAt = (index: number) => given[index] as Receipt;

  test("that the log has is said to be there, and what it says", async () => {
    const one = await verify("--receipt", encodeReceipt(receiptAt(anchored)));
    expect(one.lines).toContainEqual(
      expect.stringMatching(
        /^Receipt 3: at .*, 0x(ca){20} asked for exam 0x(e1){32} \(WADO-RS instance frames, VIEW, for TREAT\): permitted\.$/,
      ),
    );
    expect(one.lines).toContainEqual(
      expect.stringMatching(/^The operator signed it, and the log has it\. It is among/),
    );
    expect(one.code).toBe(0);
    const file = join(opened.dataDir, "receipt");
    await writeFile(file, `ExamKey-Receipt: ${encodeReceipt(receiptAt(unanchored))}\n`);
    const other = await verify("--receipt", file);
    expect(other.lines).toContainEqual(
      expect.stringContaining("It is not anchored yet: keep it until it is."),
    );
    expect(other.code).toBe(0);
  });

  test("that was left out, or had another put in its place, is found", async () => {
    const text = (index: number) => ["--receipt", encodeReceipt(receiptAt(index))];
    const cutOff = async () => {
      await opened.database.delete(receipts).where(gt(receipts.seq, 12));
      await opened.database.delete(envelopes).where(gt(envelopes.seq, 12));
      await opened.database.update(auditCounter).set({ last: 12 });
    };
    expect(await foundAfter(cutOff, ...text(unanchored))).toEqual([
      "The log has no receipt 14, which the operator signed: it was left out or removed.",
    ]);
    const rewritten = async () => {
      await cutOff();
      for (let i = 0; i < 4; i++) await audit.record({ ...DECISION, exams: [] });
    };
    expect(await foundAfter(rewritten, ...text(unanchored))).toEqual([
      "The log has another receipt under number 14 than the one that the operator signed.",
    ]);
  });

  test("that was bent proves nothing", async () => {
    const bent = async (change: Partial<Receipt>) => {
      const receipt = { ...receiptAt(anchored), ...change };
      return foundAfter(async () => undefined, "--receipt", encodeReceipt(receipt));
    };
    const nobody = ["No operator of the custodian signed this receipt: it proves nothing."];
    expect(await bent({ reason: "revoked" })).toEqual(nobody);
    expect(await bent({ sequence: 4 })).toEqual(nobody);
    const { opened: said } = receiptAt(anchored);
    expect(await bent({ opened: said && { ...said, caller: `0x${"cb".repeat(20)}` } })).toEqual([
      "What the receipt says of caller and exam is not what was signed.",
    ]);
    const other = world.people.governor.address.toLowerCase() as Hex;
    expect((await bent({ custodian: other }))[0]).toContain("another custodian");
  });

  test("is checked alone by who has no way to the log", async () => {
    const { code, lines } = await verify("--alone", "--receipt", encodeReceipt(receiptAt(unanchored)));
    expect(lines).toEqual([expect.stringMatching(/^Receipt 14: /), "Nothing was found."]);
    expect(code).toBe(0);
  });

  test("of a former operator's binds the custodian still, one of a stranger's does not", async () => {
    const { operator, stranger } = world.people;
    const text = encodeReceipt(receiptAt(unanchored));
    await world.act("custodian", "setOperator", [operator.address, false]);
    expect((await verify("--receipt", text)).code).toBe(0);
    await world.act("custodian", "setOperator", [operator.address, true]);
    const foreign = new Operator({
      ledger: world.environment.CONSENT_LEDGER as Hex,
      chainId: 31337,
      custodian: world.people.custodian.address.toLowerCase() as Hex,
      operatorKey: stranger.privateKey as Hex,
    });
    const forged = async () => {
      await new Audit(opened.database, foreign).record(DECISION);
    };
    expect(await foundAfter(forged)).toEqual([
      "Receipt 17 is not what the operator signed: it, or the signature, was changed.",
    ]);
  });

  test("that is none is refused", async () => {
    const { code, lines } = await verify("--receipt", "nothing");
    expect([code, lines]).toEqual([2, ["--receipt: That is not a receipt as gateways give them."]]);
  });
});
