/**
 * What a row takes of the database, its indexes included. docs/why-a-chain.md reckons with these figures: what has moved
 * by a tenth has to move there too.
 */
import { createHash } from "node:crypto";
import { getTableName, sql } from "drizzle-orm";
import type { PgTable } from "drizzle-orm/pg-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { OpenDatabase } from "../../gateway/database/database.ts";
import {
  enrolments,
  envelopes,
  examSeries,
  exams,
  ledgerEvents,
  receipts,
} from "../../gateway/database/schema.ts";
import type { Hex } from "../../protocol/hash.ts";
import { openEmptyDatabase } from "../emptyDatabase.ts";

const ROWS = 3_000;
const EXAMS = 1_000;

let opened: OpenDatabase;
beforeAll(async () => {
  opened = await openEmptyDatabase();
});
afterAll(() => opened.close());

/** 32 bytes that look random, and are the same in every run. */
function word(name: string, row: number): Hex {
  return `0x${createHash("sha256").update(`${name} ${row}`).digest("hex")}`;
}

function address(name: string, row: number): Hex {
  return word(name, row).slice(0, 42) as Hex;
}

/** A UID made of a UUID (PS3.5, B.2). */
function uid(name: string, row: number): string {
  return `2.25.${BigInt(word(name, row).slice(0, 34))}`;
}

/** As long as they are where the token's id is a UUID; `EXAMS` keys. */
function envelope(row: number): Hex {
  const keyId = word("key", row % EXAMS).slice(0, 34);
  return `${keyId}${[0, 1, 2, 3, 4].map((part) => word(`envelope ${part}`, row).slice(2)).join("")}`.slice(
    0,
    338,
  ) as Hex;
}

/** Fill a table, and tell how many bytes of it, and of its indexes, fall to one row. */
async function bytesPerRow<T extends PgTable>(
  table: T,
  count: number,
  row: (n: number) => T["$inferInsert"],
): Promise<number> {
  const { database } = opened;
  for (let first = 0; first < count; first += 500) {
    await database.insert(table).values(Array.from({ length: 500 }, (_, i) => row(first + i)));
  }
  const size = sql<number>`pg_total_relation_size(${getTableName(table)})::int`;
  const [total] = await database.select({ size }).from(sql`(values (1)) as one`);
  return (total?.size ?? 0) / count;
}

test("a row takes what the documentation says", async () => {
  const bytes = {
    enrolment: await bytesPerRow(enrolments, EXAMS, (n): typeof enrolments.$inferInsert => ({
      patientId: `${100_000 + n}`,
      issuer: "",
      patient: address("patient", n),
      salt: word("enrolment", n),
      issuedAt: 1_800_000_000,
      signature: `0x${"5c".repeat(65)}`,
    })),
    exam: await bytesPerRow(exams, EXAMS, (n): typeof exams.$inferInsert => ({
      examId: word("exam", n),
      enrolmentId: n + 1,
      studyInstanceUid: uid("study", n),
      patient: address("patient", n),
      salt: word("salt", n),
      commitment: word("commitment", n),
      manifestRoot: word("root", n),
      contents: word("contents", n),
      state: "registered",
      firstGenesisHash: word("genesis", 0),
    })),
    series: await bytesPerRow(examSeries, ROWS, (n): typeof examSeries.$inferInsert => ({
      resource: word("resource", n),
      examId: word("exam", n % EXAMS),
      seriesInstanceUid: uid("series", n),
      commitment: word("series commitment", n),
      images: 100,
    })),
    event: await bytesPerRow(ledgerEvents, ROWS, (n): typeof ledgerEvents.$inferInsert => ({
      blockHash: word("block", n),
      logIndex: n,
      blockNumber: n,
      blockTime: 1_800_000_000 + n,
      kind: "granted",
      patient: address("patient", n % EXAMS),
      resource: word("exam", n % EXAMS),
      grantee: word("grantee", n),
      terms: word("terms", n),
      nonce: 1,
    })),
    receipt: await bytesPerRow(receipts, ROWS, (n): typeof receipts.$inferInsert => ({
      seq: n + 1,
      decidedAt: 1_800_000_000_000 + n,
      purpose: "TREAT",
      action: "VIEW",
      route: "WADO-RS instance frames",
      reason: "permitted",
      chainId: 31337,
      blockNumber: n,
      blockHash: word("block", n),
      digest: word("receipt", n),
      // Eight at once.
      ...(n % 8 === 7 && { signedFrom: n - 6, signedAt: 1_800_000_000, signature: `0x${"5c".repeat(65)}` }),
    })),
    envelope: await bytesPerRow(envelopes, ROWS, (n): typeof envelopes.$inferInsert => ({
      seq: n + 1,
      position: 0,
      envelope: envelope(n),
    })),
  };
  const documented = { enrolment: 520, exam: 920, series: 480, event: 840, receipt: 310, envelope: 580 };
  for (const table of Object.keys(documented) as (keyof typeof documented)[]) {
    const moved = bytes[table] / documented[table] - 1;
    expect(Math.abs(moved), `${table}: ${bytes[table]} bytes`).toBeLessThan(0.1);
  }
});
