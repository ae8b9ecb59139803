/** What is committed together, and that numbers have no gap whoever writes. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { Audit } from "../../gateway/audit/audit.ts";
import type { OpenDatabase } from "../../gateway/database/database.ts";
import { receipts } from "../../gateway/database/schema.ts";
import { openEmptyDatabase } from "../emptyDatabase.ts";
import { DECISION } from "./decision.ts";
import { signer } from "./signer.ts";

let opened: OpenDatabase;
beforeEach(async () => {
  opened = await openEmptyDatabase();
});
afterEach(() => opened.close());

test("what was entered is committed with the first that is wanted, and again and again", async () => {
  const audit = new Audit(opened.database, signer);
  for (const first of [1, 6]) {
    const entries = Array.from({ length: 5 }, () => audit.enter(DECISION));
    entries[2]?.hurry();
    const written = await Promise.all(entries.map(({ recorded }) => recorded));
    for (const { signed } of written) expect(signed).toMatchObject({ first, last: first + 4 });
    // Too late to matter, and no reason to wait for anything afterwards.
    for (const { hurry } of entries) hurry();
  }
});

test("what nobody wants is committed all the same, and so is what waits when the audit closes", async () => {
  const audit = new Audit(opened.database, signer);
  expect((await audit.enter(DECISION).recorded).sequence).toBe(1);
  audit.enter(DECISION);
  await audit.close();
  expect(await opened.database.$count(receipts)).toBe(2);
});

test("numbers have no gap where another gateway writes in between", async () => {
  const [one, other] = [new Audit(opened.database, signer), new Audit(opened.database, signer)];
  const sequences: number[] = [];
  for (const audit of [one, one, other, one, other, other, one])
    sequences.push((await audit.record(DECISION)).sequence);
  const together = [one, other, one, other].map((audit) => audit.record(DECISION));
  sequences.push(...(await Promise.all(together)).map(({ sequence }) => sequence));
  expect(sequences.sort((a, b) => a - b)).toEqual(Array.from({ length: 11 }, (_, i) => i + 1));
  const rows = await opened.database.select({ seq: receipts.seq }).from(receipts);
  expect(rows.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(sequences);
});
