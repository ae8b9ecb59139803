/** What a patient changed lately: a permit that waits for confirmations must have held at every step since. */
import { and, eq, gt } from "drizzle-orm";
import type { Database } from "../database/database.ts";
import { ledgerEvents } from "../database/schema.ts";
import { type Asked, bearingOn } from "./slotRows.ts";

/**
 * Numbers of the blocks above one in which the patient wrote a slot that bears on the question, or revoked all. Between
 * two of them nothing changed but the time.
 */
export async function changedBlocks(database: Database, question: Asked, above: number): Promise<number[]> {
  const rows = await database
    .selectDistinct({ number: ledgerEvents.blockNumber })
    .from(ledgerEvents)
    .where(
      and(
        bearingOn(ledgerEvents, question),
        eq(ledgerEvents.orphaned, false),
        gt(ledgerEvents.blockNumber, above),
      ),
    );
  return rows.map(({ number }) => number);
}
