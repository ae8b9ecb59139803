/**
 * A revoke denies from its first sight, also when its block was reorganised away. Until finalised blocks have
 * passed its height, it holds against every grant that it was aimed at, but for one that came after it.
 */
import { and, eq, gt, inArray, isNull, or } from "drizzle-orm";
import { granteeOf } from "../../protocol/ids.ts";
import type { Database } from "../database/database.ts";
import { ledgerEvents } from "../database/schema.ts";
import type { Question } from "./question.ts";

/** Whether an orphaned revoke still denies this. */
export async function isHeld(database: Database, { exam, series, reader }: Question): Promise<boolean> {
  const resources = series ? [exam.examId, series.resource] : [exam.examId];
  const slots = and(inArray(ledgerEvents.resource, resources), eq(ledgerEvents.grantee, granteeOf(reader)));
  const orphans = await database
    .select()
    .from(ledgerEvents)
    .where(
      and(
        eq(ledgerEvents.orphaned, true),
        eq(ledgerEvents.patient, exam.patient),
        or(slots, isNull(ledgerEvents.resource)),
      ),
    );
  for (const orphan of orphans) if (!(await wasOvertaken(database, orphan))) return true;
  return false;
}

/** A slot's nonce, and a patient's epoch, only grow: a later one on the chain is a later will of the patient's. */
async function wasOvertaken(database: Database, orphan: typeof ledgerEvents.$inferSelect): Promise<boolean> {
  if (orphan.resource === null || orphan.grantee === null) return false;
  const later = await database.$count(
    ledgerEvents,
    and(
      eq(ledgerEvents.orphaned, false),
      eq(ledgerEvents.patient, orphan.patient),
      eq(ledgerEvents.resource, orphan.resource),
      eq(ledgerEvents.grantee, orphan.grantee),
      gt(ledgerEvents.nonce, orphan.nonce),
    ),
  );
  return later > 0;
}
