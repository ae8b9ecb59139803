/** Grant slots from the ledger's events: who may be a candidate for what. Never a decision. */
import { and, desc, eq, inArray, isNotNull } from "drizzle-orm";
import { union } from "drizzle-orm/pg-core";
import type { Hex } from "../../protocol/hash.ts";
import { granteeOf } from "../../protocol/ids.ts";
import type { Database } from "../database/database.ts";
import { blindedGrantees, examSeries, exams, ledgerEvents } from "../database/schema.ts";
import { wideResources } from "../decision/question.ts";

/** The last event of a slot. */
export type Slot = typeof ledgerEvents.$inferSelect & { resource: Hex; grantee: Hex };

/** Resources among these on which the patient ever granted something, or revoked it, to each of these grantees. */
export async function touchedResources(
  database: Database,
  { patient, grantees, resources }: { patient: Hex; grantees: readonly Hex[]; resources: readonly Hex[] },
): Promise<Map<Hex, Set<Hex>>> {
  const rows = await database
    .selectDistinct({ grantee: ledgerEvents.grantee, resource: ledgerEvents.resource })
    .from(ledgerEvents)
    .where(
      and(
        inArray(ledgerEvents.grantee, [...grantees]),
        eq(ledgerEvents.patient, patient),
        inArray(ledgerEvents.resource, [...resources]),
      ),
    );
  const touched = new Map<Hex, Set<Hex>>();
  for (const { grantee, resource } of rows) {
    if (grantee && resource) touched.set(grantee, (touched.get(grantee) ?? new Set()).add(resource));
  }
  return touched;
}

/**
 * Ids of exams on which, on a series of which, or on something wider, their own patient ever granted this reader
 * something, by their address or a blinded name. What somebody else granted on them counts for nothing.
 * @param readerTag what finds the reader's blinded names
 */
export async function candidateExams(
  database: Database,
  { custodian, reader, readerTag }: { custodian: Hex; reader: Hex; readerTag: string },
): Promise<Hex[]> {
  const slot = { patient: ledgerEvents.patient, resource: ledgerEvents.resource };
  const byAddress = database
    .select(slot)
    .from(ledgerEvents)
    .where(eq(ledgerEvents.grantee, granteeOf(reader)));
  const byBlindedName = database
    .select(slot)
    .from(ledgerEvents)
    .innerJoin(
      blindedGrantees,
      and(
        eq(blindedGrantees.grantee, ledgerEvents.grantee),
        eq(blindedGrantees.patient, ledgerEvents.patient),
      ),
    )
    .where(eq(blindedGrantees.readerTag, readerTag));
  const touched = union(byAddress, byBlindedName).as("touched");
  const ofExams = await database
    .selectDistinct({ examId: exams.examId })
    .from(touched)
    .innerJoin(exams, and(eq(exams.examId, touched.resource), eq(exams.patient, touched.patient)));
  const ofSeries = await database
    .selectDistinct({ examId: exams.examId })
    .from(touched)
    .innerJoin(examSeries, eq(examSeries.resource, touched.resource))
    .innerJoin(exams, and(eq(exams.examId, examSeries.examId), eq(exams.patient, touched.patient)));
  const ofPatients = await database
    .selectDistinct({ examId: exams.examId })
    .from(touched)
    .innerJoin(exams, eq(exams.patient, touched.patient))
    .where(inArray(touched.resource, wideResources(custodian)));
  return [...new Set([...ofExams, ...ofSeries, ...ofPatients].map(({ examId }) => examId))];
}

/** The latest state of every slot that a patient wrote, newest first. */
export async function slotsOfPatient(database: Database, patient: Hex): Promise<Slot[]> {
  const latest = database
    .selectDistinctOn([ledgerEvents.resource, ledgerEvents.grantee])
    .from(ledgerEvents)
    .where(and(eq(ledgerEvents.patient, patient), isNotNull(ledgerEvents.resource)))
    .orderBy(
      ledgerEvents.resource,
      ledgerEvents.grantee,
      desc(ledgerEvents.nonce),
      desc(ledgerEvents.orphaned),
    );
  const slots = (await latest) as Slot[];
  return slots.sort(
    (a, b) => b.blockNumber - a.blockNumber || b.logIndex - a.logIndex || b.position - a.position,
  );
}

/**
 * When a patient last revoked all, in seconds since 1970-01-01 UTC: a grant of that second is dead too. Negative infinity
 * where they never did.
 */
export async function lastRevokeAll(database: Database, patient: Hex): Promise<number> {
  const [last] = await database
    .select()
    .from(ledgerEvents)
    .where(and(eq(ledgerEvents.kind, "revoked-all"), eq(ledgerEvents.patient, patient)))
    .orderBy(desc(ledgerEvents.blockTime))
    .limit(1);
  return last?.blockTime ?? Number.NEGATIVE_INFINITY;
}
