/** The log as it is, for whoever checks it: without keys, so that it names nobody. */
import { asc, gt, inArray } from "drizzle-orm";
import type { Hex } from "../../protocol/hash.ts";
import type { Database } from "../database/database.ts";
import { envelopeKeys, envelopes, receipts } from "../database/schema.ts";

/** Receipts in one answer. */
const PAGE = 1_000;

/** The receipts after a number, in order, as the database holds them, whatever became of them there. */
export async function exportReceipts(database: Database, after: number): Promise<{ sequence: number }[]> {
  const rows = await database
    .select()
    .from(receipts)
    .where(gt(receipts.seq, after))
    .orderBy(asc(receipts.seq))
    .limit(PAGE);
  const posted = await envelopesOf(
    database,
    rows.map(({ seq }) => seq),
  );
  return rows.map(({ seq, signedFrom, signedAt, signature, ...row }) => ({
    ...row,
    sequence: seq,
    envelopes: posted.get(seq) ?? [],
    signed: signature === null ? null : { first: signedFrom, signedAt, signature },
  }));
}

/** The ids of the keys that there are, in order, after one: what whoever checks compares envelopes with. */
export async function exportKeyIds(database: Database, after: string): Promise<Hex[]> {
  const { keyId } = envelopeKeys;
  const rows = await database
    .select({ keyId })
    .from(envelopeKeys)
    .where(gt(keyId, after as Hex))
    .orderBy(asc(keyId))
    .limit(PAGE);
  return rows.map((row) => row.keyId);
}

/** The envelopes of receipts, by their numbers. */
export async function envelopesOf(database: Database, seqs: number[]): Promise<Map<number, Hex[]>> {
  const posted = new Map<number, Hex[]>(seqs.map((seq) => [seq, []]));
  if (seqs.length === 0) return posted;
  const rows = await database.select().from(envelopes).where(inArray(envelopes.seq, seqs));
  for (const { seq, envelope } of rows) posted.get(seq)?.push(envelope);
  return posted;
}
