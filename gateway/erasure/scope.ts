/** What an erasure is about: the pointers of a study, or all that a patient id has here. */
import { and, eq, inArray, isNull } from "drizzle-orm";
import type { Hex } from "../../protocol/hash.ts";
import type { Database } from "../database/database.ts";
import { enrolments, exams, outbox } from "../database/schema.ts";
import { isLive } from "../exams/live.ts";
import { Problem } from "../problem.ts";
import type { WithheldStudies } from "./withheld.ts";

export type ExamRow = typeof exams.$inferSelect;
export type EnrolmentRow = typeof enrolments.$inferSelect;

/** What a person names: a study, the study of an exam, or a patient who leaves altogether. */
export type Named =
  | { studyInstanceUid: string }
  | { examId: Hex }
  | { patientId: string; issuer?: string | undefined };

/** All pointers that a study ever had here, retired ones too; of a patient who leaves, also the enrolments. */
export type Scope = { pointers: ExamRow[]; leaving: EnrolmentRow[] };

/** @throws {Problem} `not-found`; `malformed-request` where several issuers gave the patient id */
export async function findScope(database: Database, named: Named): Promise<Scope> {
  if ("patientId" in named) return patientScope(database, named);
  const study = "studyInstanceUid" in named ? named.studyInstanceUid : await studyOf(database, named.examId);
  const pointers = await database.select().from(exams).where(eq(exams.studyInstanceUid, study));
  if (pointers.length === 0) throw new Problem("not-found", "Nothing here leads to that study.");
  return { pointers, leaving: [] };
}

async function studyOf(database: Database, examId: Hex): Promise<string> {
  const [exam] = await database.select().from(exams).where(eq(exams.examId, examId));
  if (!exam) throw new Problem("not-found", `Nothing here leads from the exam ${examId} to a study.`);
  return exam.studyInstanceUid;
}

async function patientScope(
  database: Database,
  { patientId, issuer }: { patientId: string; issuer?: string | undefined },
): Promise<Scope> {
  const ofId = await database.select().from(enrolments).where(eq(enrolments.patientId, patientId));
  const leaving = issuer === undefined ? ofId : ofId.filter((one) => one.issuer === issuer);
  const issuers = new Set(leaving.map((one) => one.issuer));
  if (issuers.size > 1) {
    const names = [...issuers].map((name) => name || "(none)").join(", ");
    throw new Problem("malformed-request", `That id was issued by several: ${names}. Name the issuer.`);
  }
  if (leaving.length === 0) throw new Problem("not-found", "No patient is enrolled here under that id.");
  const ids = leaving.map(({ id }) => id);
  return { pointers: await database.select().from(exams).where(inArray(exams.enrolmentId, ids)), leaving };
}

/**
 * Close what an erasure is about, for good, and want nothing of it on the ledger any more. Done again, it is the same.
 * @param withheld where the studies are not to be registered again
 */
export async function closeScope(
  database: Database,
  { pointers, leaving }: Scope,
  withheld: WithheldStudies | null,
): Promise<void> {
  const examIds = pointers.map(({ examId }) => examId);
  await database.transaction(async (tx) => {
    const studies = new Set(pointers.map(({ studyInstanceUid }) => studyInstanceUid));
    if (withheld) for (const study of studies) await withheld.add(tx, study);
    await tx
      .update(exams)
      .set({ state: "erasing" })
      .where(and(inArray(exams.examId, examIds), isLive));
    await tx.delete(outbox).where(inArray(outbox.examId, examIds));
    const ids = leaving.map(({ id }) => id);
    const endedAt = Math.floor(Date.now() / 1000);
    await tx
      .update(enrolments)
      .set({ endedAt })
      .where(and(inArray(enrolments.id, ids), isNull(enrolments.endedAt)));
  });
}
