/** What a patient changed lately: a permit that waits for confirmations must have held at every step since. */
import { and, eq, gt, inArray, isNull, or } from "drizzle-orm";
import type { Database } from "../database/database.ts";
import { ledgerEvents } from "../database/schema.ts";
import { coveringResources, type Question } from "./question.ts";

/**
 * Numbers of the blocks above one in which the patient wrote a slot that bears on the question, or revoked all. Between
 * two of them nothing changed but the time.
 */
export async function changedBlocks(
  database: Database,
  question: Pick<Question, "exam" | "series" | "name">,
  above: number,
): Promise<number[]> {
  const { exam, name } = question;
  const slots = and(
    inArray(ledgerEvents.resource, coveringResources(question)),
    eq(ledgerEvents.grantee, name.grantee),
  );
  const rows = await database
    .selectDistinct({ number: ledgerEvents.blockNumber })
    .from(ledgerEvents)
    .where(
      and(
        eq(ledgerEvents.patient, exam.patient),
        eq(ledgerEvents.orphaned, false),
        gt(ledgerEvents.blockNumber, above),
        or(slots, isNull(ledgerEvents.resource)),
      ),
    );
  return rows.map(({ number }) => number);
}
