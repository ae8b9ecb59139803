/** The audit as its database holds it, opened with the keys that are there. */
import { asc } from "drizzle-orm";
import { openEnvelope } from "../../gateway/audit/sealing.ts";
import type { Database } from "../../gateway/database/database.ts";
import { envelopeKeys, envelopes, receipts } from "../../gateway/database/schema.ts";
import type { Hex } from "../../protocol/hash.ts";

/** A receipt with what its envelopes say; nothing of it where their keys were destroyed. */
export type LogRow = typeof receipts.$inferSelect & {
  caller: Hex | null;
  tokenId: string | null;
  exams: Hex[];
};

/** Every receipt, in order. */
export async function readLog(database: Database): Promise<LogRow[]> {
  const keys = new Map((await database.select().from(envelopeKeys)).map((key) => [key.keyId, key]));
  const all = await database.select().from(envelopes).orderBy(asc(envelopes.seq), asc(envelopes.position));
  const rows = await database.select().from(receipts).orderBy(asc(receipts.seq));
  return rows.map((row) => {
    const opened = all
      .filter(({ seq }) => seq === row.seq)
      .map(({ envelope, keyId }) => {
        const key = keys.get(keyId);
        return key ? openEnvelope(envelope, key) : null;
      })
      .filter((contents) => contents !== null);
    const [first] = opened;
    return {
      ...row,
      caller: first?.caller ?? null,
      tokenId: first?.tokenId ?? null,
      exams: opened.flatMap(({ examId }) => examId ?? []),
    };
  });
}
