/**
 * The nonces of slots. The ledger's events do not carry them: a slot's nonce is the number of events about it.
 *
 * A row is numbered when it is kept, by the last nonce that its slot has before it on the chain. That is right, since
 * - events are kept in the chain's order, from one first block on: what came before a row is there when it comes;
 * - orphaned rows do not count, and keep their number: it is the one that the slot had on their own chain;
 * - a number depends on a block's ancestors alone. A log that is seen twice, by a second gateway or in a block that was
 *   reorganised away and came back, is numbered alike, whatever rows come after it.
 * So a greater number on the chain means that the patient has acted on the slot more often there than the orphan's chain
 * had seen, wherever in time the blocks of the two chains are.
 */
import { and, eq, inArray, max, sql } from "drizzle-orm";
import type { Hex } from "../../protocol/hash.ts";
import type { Database } from "../database/database.ts";
import { ledgerEvents } from "../database/schema.ts";

type NewRow = typeof ledgerEvents.$inferInsert;

/** These rows, which follow each other on the chain, with their slots' nonces. @param rows in the chain's order */
export async function withNonces(database: Database, rows: readonly NewRow[]): Promise<NewRow[]> {
  const nonces = await noncesBefore(database, rows);
  return rows.map((row) => {
    if (row.kind === "revoked-all") return row;
    const slot = keyOf(row);
    const nonce = (nonces.get(slot) ?? 0) + 1;
    nonces.set(slot, nonce);
    return { ...row, nonce };
  });
}

/** The last nonce of each slot before the first of these rows. */
async function noncesBefore(database: Database, rows: readonly NewRow[]): Promise<Map<string, number>> {
  const [first] = rows;
  if (!first) return new Map();
  const { blockNumber, logIndex, position, patient, resource, grantee, nonce, orphaned } = ledgerEvents;
  const at = sql`(${first.blockNumber}, ${first.logIndex}, ${first.position ?? 0})`;
  const slots = await database
    .select({ patient, resource, grantee, nonce: max(nonce) })
    .from(ledgerEvents)
    .where(
      and(
        eq(orphaned, false),
        inArray(patient, unique(rows.map((row) => row.patient))),
        inArray(resource, unique(rows.flatMap((row) => row.resource ?? []))),
        sql`(${blockNumber}, ${logIndex}, ${position}) < ${at}`,
      ),
    )
    .groupBy(patient, resource, grantee);
  return new Map(slots.map((slot) => [keyOf(slot), slot.nonce ?? 0]));
}

function keyOf({ patient, resource, grantee }: Pick<NewRow, "patient" | "resource" | "grantee">): string {
  return `${patient} ${resource} ${grantee}`;
}

function unique(values: readonly Hex[]): Hex[] {
  return [...new Set(values)];
}
