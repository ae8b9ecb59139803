/** Grant slots from the ledger's events: who may be a candidate for what. Never a decision. */
import { and, desc, eq, inArray, isNotNull } from "drizzle-orm";
import type { Hex } from "../../protocol/hash.ts";
import { granteeOf } from "../../protocol/ids.ts";
import type { Database } from "../database/database.ts";
import { examSeries, exams, ledgerEvents } from "../database/schema.ts";
import { wideResources } from "../decision/question.ts";

/** The last event of a slot. */
export type Slot = typeof ledgerEvents.$inferSelect & { resource: Hex; grantee: Hex };

/** Resources among these on which the patient ever granted this reader something, or revoked it. */
export async function touchedResources(
  database: Database,
  { patient, reader, resources }: { patient: Hex; reader: Hex; resources: readonly Hex[] },
): Promise<Set<Hex>> {
  const rows = await database
    .selectDistinct({ resource: ledgerEvents.resource })
    .from(ledgerEvents)
    .where(
      and(
        eq(ledgerEvents.grantee, granteeOf(reader)),
        eq(ledgerEvents.patient, patient),
        inArray(ledgerEvents.resource, [...resources]),
      ),
    );
  return new Set(rows.flatMap(({ resource }) => resource ?? []));
}

/**
 * Ids of exams on which, on a series of which, or on something wider, their own patient ever granted this reader
 * something. What somebody else granted on them counts for nothing.
 */
export async function candidateExams(database: Database, custodian: Hex, reader: Hex): Promise<Hex[]> {
  const grantee = eq(ledgerEvents.grantee, granteeOf(reader));
  const ofExams = await database
    .selectDistinct({ examId: exams.examId })
    .from(ledgerEvents)
    .innerJoin(exams, and(eq(exams.examId, ledgerEvents.resource), eq(exams.patient, ledgerEvents.patient)))
    .where(grantee);
  const ofSeries = await database
    .selectDistinct({ examId: exams.examId })
    .from(ledgerEvents)
    .innerJoin(examSeries, eq(examSeries.resource, ledgerEvents.resource))
    .innerJoin(exams, and(eq(exams.examId, examSeries.examId), eq(exams.patient, ledgerEvents.patient)))
    .where(grantee);
  const ofPatients = await database
    .selectDistinct({ examId: exams.examId })
    .from(ledgerEvents)
    .innerJoin(exams, eq(exams.patient, ledgerEvents.patient))
    .where(and(grantee, inArray(ledgerEvents.resource, wideResources(custodian))));
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
