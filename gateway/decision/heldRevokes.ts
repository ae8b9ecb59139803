/**
 * A revoke denies from its first sight, also when its block was reorganised away. Until finalised blocks have
 * passed its height, it holds against every grant that it was aimed at, but for one that came after it.
 *
 * A revoke closes its own resource and whatever is wider, so any that is held on the way from the narrowest slot to the
 * widest denies. One on a wider slot than the grant that permits denies too, for as long as it is held: which grant
 * permits is the ledger's to know.
 */
import { and, eq, gt, isNull } from "drizzle-orm";
import type { Hex } from "../../protocol/hash.ts";
import type { Database } from "../database/database.ts";
import { ledgerEvents } from "../database/schema.ts";
import { type Asked, bearingOn } from "./slotRows.ts";

/** Whether an orphaned revoke still denies this, under the name that is asked about. */
export async function isHeld(database: Database, question: Asked): Promise<boolean> {
  const orphans = await database
    .select()
    .from(ledgerEvents)
    .where(and(bearingOn(ledgerEvents, question), eq(ledgerEvents.orphaned, true)));
  for (const orphan of orphans) if (!(await wasOvertaken(database, orphan))) return true;
  return false;
}

/** Whether a patient's `revokeAll` was reorganised away and still holds: guardians whom it ended have no say. */
export async function isRevokeAllHeld(database: Database, patient: Hex): Promise<boolean> {
  const held = and(
    eq(ledgerEvents.orphaned, true),
    eq(ledgerEvents.patient, patient),
    isNull(ledgerEvents.resource),
  );
  return (await database.$count(ledgerEvents, held)) > 0;
}

/**
 * A greater nonce on the chain is a later will of the patient's on that slot. Blocks do not tell: a grant that the revoke
 * was aimed at may be mined again, in a later block than the revoke had, and must not open what was closed after it.
 * Nothing overtakes a `revokeAll`: no number says that a grant came after it.
 */
async function wasOvertaken(
  database: Database,
  { patient, resource, grantee, nonce }: typeof ledgerEvents.$inferSelect,
): Promise<boolean> {
  if (resource === null || grantee === null || nonce === null) return false;
  const later = await database.$count(
    ledgerEvents,
    and(
      eq(ledgerEvents.orphaned, false),
      eq(ledgerEvents.patient, patient),
      eq(ledgerEvents.resource, resource),
      eq(ledgerEvents.grantee, grantee),
      gt(ledgerEvents.nonce, nonce),
    ),
  );
  return later > 0;
}
