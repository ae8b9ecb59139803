/** Rows about slots, in the tables that hold what patients did or signed. */
import { and, eq, inArray, isNull, or, type SQL } from "drizzle-orm";
import type { ledgerEvents, relaySlots } from "../database/schema.ts";
import { coveringResources, type Question } from "./question.ts";

/** What an act has to be known by, to be about what is asked. */
export type Asked = Pick<Question, "exam" | "series" | "name">;

/** The acts of the patient's that bear on a question: on a slot that the ledger judges it by, or on all of the patient's. */
export function bearingOn(
  table: typeof ledgerEvents | typeof relaySlots,
  { exam, series, name }: Asked,
): SQL | undefined {
  const { patient, resource, grantee } = table;
  const slot = and(inArray(resource, coveringResources({ exam, series })), eq(grantee, name.grantee));
  return and(eq(patient, exam.patient), or(slot, isNull(resource)));
}
