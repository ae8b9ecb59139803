/** Receipts about exams, opened with the exams' keys: what their patient may read. */
import { and, desc, inArray, lt } from "drizzle-orm";
import type { Hex } from "../../protocol/hash.ts";
import type { Decided, Opened } from "../../protocol/receipt.ts";
import type { Database } from "../database/database.ts";
import { envelopeKeys, envelopes, receipts } from "../database/schema.ts";
import { envelopesOf } from "./export.ts";
import { openEnvelope } from "./sealing.ts";

/** A receipt, with those of its envelopes that the exams' keys open. */
export type OpenedReceipt = {
  sequence: number;
  decided: Decided;
  digest: Hex;
  /** All of them, opened or not. */
  envelopes: Hex[];
  opened: { envelope: Hex; contents: Omit<Opened, "siblings"> }[];
};

/** Receipts with numbers below `before`, at most `limit` of them. */
export type Page = { before: number; limit: number };

/**
 * Receipts about any of these exams, newest first, and the number before which the next page begins. There are none of an
 * exam whose key was destroyed, and an envelope that its key does not open is left out: only the log as a whole shows what
 * became of it.
 */
export async function receiptsAbout(
  database: Database,
  examIds: readonly Hex[],
  { before, limit }: Page,
): Promise<{ found: OpenedReceipt[]; next: number | null }> {
  const keys = await keysOf(database, examIds);
  if (keys.size === 0) return { found: [], next: null };
  const numbers = await database
    .selectDistinct({ seq: envelopes.seq })
    .from(envelopes)
    .where(and(inArray(envelopes.keyId, [...keys.keys()]), lt(envelopes.seq, before)))
    .orderBy(desc(envelopes.seq))
    .limit(limit + 1);
  const page = numbers.slice(0, limit).map(({ seq }) => seq);
  if (page.length === 0) return { found: [], next: null };
  const rows = await database
    .select()
    .from(receipts)
    .where(inArray(receipts.seq, page))
    .orderBy(desc(receipts.seq));
  const posted = await envelopesOf(database, page);
  const found = rows.map(({ seq, digest, ...row }) => {
    const all = posted.get(seq) ?? [];
    const opened = all.flatMap((envelope) => {
      const key = keys.get(envelope.slice(0, 34) as Hex);
      const contents = key ? openEnvelope(envelope, key) : null;
      return contents ? [{ envelope, contents }] : [];
    });
    return { sequence: seq, decided: decidedOf(row), digest, envelopes: all, opened };
  });
  return { found, next: numbers.length > limit ? (page.at(-1) ?? null) : null };
}

async function keysOf(database: Database, examIds: readonly Hex[]) {
  if (examIds.length === 0) return new Map<Hex, typeof envelopeKeys.$inferSelect>();
  const keys = await database
    .select()
    .from(envelopeKeys)
    .where(inArray(envelopeKeys.subject, [...examIds]));
  return new Map(keys.map((key) => [key.keyId, key]));
}

function decidedOf(row: Omit<typeof receipts.$inferSelect, "seq" | "digest">): Decided {
  const { decidedAt, purpose, action, reason, route, emergency, chainId, blockNumber, blockHash } = row;
  return { decidedAt, purpose, action, reason, route, emergency, chainId, blockNumber, blockHash };
}
