/** The exams that this gateway knows: which study is behind which pointer. */
import { and, eq, inArray } from "drizzle-orm";
import type { Hex } from "../../protocol/hash.ts";
import { seriesCommitment, seriesResource, seriesSalt } from "../../protocol/ids.ts";
import type { Database } from "../database/database.ts";
import { enrolments, examSeries, exams } from "../database/schema.ts";
import type { ExamPointer, SeriesPointer } from "../decision/question.ts";
import { isLive } from "./live.ts";

/** An exam with what ties it to the archive. */
export type KnownExam = ExamPointer & {
  studyInstanceUid: string;
  salt: Hex;
  /** The patient's id in the archive when the exam was enrolled, and its issuer (empty for none). */
  patientId: string;
  issuer: string;
  firstGenesisHash: Hex;
};

export type KnownSeries = SeriesPointer & { seriesInstanceUid: string };

/** A series that is written down; `images` was counted when its exam was last registered or refreshed, null where nobody did. */
export type WrittenSeries = KnownSeries & { images: number | null };

/** Milliseconds that an exam may be remembered for: another gateway on the same database may retire it. */
const REMEMBERED = 2_000;

export class ExamDirectory {
  readonly #database: Database;
  readonly #custodian: Hex;
  readonly #byStudy = new Map<string, { exam: KnownExam; until: number }>();

  readonly #listeners: (() => void)[] = [];

  constructor(database: Database, custodian: Hex) {
    this.#database = database;
    this.#custodian = custodian;
  }

  /** The live pointer of a study, registered or about to be; null where there is none. */
  async byStudy(studyInstanceUid: string): Promise<KnownExam | null> {
    const remembered = this.#byStudy.get(studyInstanceUid);
    if (remembered && remembered.until > performance.now()) return remembered.exam;
    const [exam] = await this.#find(eq(exams.studyInstanceUid, studyInstanceUid));
    if (exam) this.#byStudy.set(studyInstanceUid, { exam, until: performance.now() + REMEMBERED });
    else this.#byStudy.delete(studyInstanceUid);
    return exam ?? null;
  }

  /** The live pointer with that id; null where there is none. */
  async byId(examId: Hex): Promise<KnownExam | null> {
    const [exam] = await this.#find(eq(exams.examId, examId));
    return exam ?? null;
  }

  /** Live pointers with these ids. */
  async byIds(examIds: readonly Hex[]): Promise<KnownExam[]> {
    return examIds.length === 0 ? [] : this.#find(inArray(exams.examId, [...examIds]));
  }

  /** Live pointers that a patient owns. */
  ofPatient(patient: Hex): Promise<KnownExam[]> {
    return this.#find(eq(exams.patient, patient));
  }

  /**
   * Series of an exam that anybody may have a slot on: those that were in it when it was last registered or refreshed,
   * and those that came later and were told to somebody.
   */
  async seriesOf(examId: Hex): Promise<WrittenSeries[]> {
    return this.#database.select().from(examSeries).where(eq(examSeries.examId, examId));
  }

  /**
   * As `seriesOf`, after writing down those of these that are not yet. Whoever is told a series' resource may revoke it,
   * and the judge asks about the series that are written down alone: so nobody is told of one before this is done.
   */
  async writeDown(
    exam: Pick<KnownExam, "examId" | "salt">,
    seriesInstanceUids: readonly string[],
  ): Promise<WrittenSeries[]> {
    const written = await this.seriesOf(exam.examId);
    const before = new Set(written.map((one) => one.seriesInstanceUid));
    const late = seriesInstanceUids.filter((uid) => !before.has(uid));
    if (late.length === 0) return written;
    const rows = late.map((seriesInstanceUid) => seriesRow(exam, { seriesInstanceUid, images: null }));
    await this.#database.insert(examSeries).values(rows).onConflictDoNothing();
    return this.seriesOf(exam.examId);
  }

  /** Told whenever an exam was registered, amended or retired. */
  onForget(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Forget what is remembered, after a change of an exam. */
  forget(): void {
    for (const listener of this.#listeners) listener();
    this.#byStudy.clear();
  }

  async #find(condition: ReturnType<typeof eq>): Promise<KnownExam[]> {
    const rows = await this.#database
      .select()
      .from(exams)
      .innerJoin(enrolments, eq(exams.enrolmentId, enrolments.id))
      .where(and(condition, isLive));
    return rows.map(({ exams: exam, enrolments: { patientId, issuer } }) => ({
      examId: exam.examId,
      custodian: this.#custodian,
      patient: exam.patient,
      commitment: exam.commitment,
      studyInstanceUid: exam.studyInstanceUid,
      salt: exam.salt,
      patientId,
      issuer,
      firstGenesisHash: exam.firstGenesisHash,
    }));
  }
}

/** How the ledger identifies a series, whether or not it was there at registration. */
export function seriesPointer(
  exam: Pick<KnownExam, "examId" | "salt">,
  seriesInstanceUid: string,
): KnownSeries {
  const commitment = seriesCommitment(seriesSalt(exam.salt, seriesInstanceUid), seriesInstanceUid);
  return { seriesInstanceUid, commitment, resource: seriesResource(exam.examId, commitment) };
}

/** A series as it is written down. */
export function seriesRow(
  exam: Pick<KnownExam, "examId" | "salt">,
  { seriesInstanceUid, images }: Pick<WrittenSeries, "seriesInstanceUid" | "images">,
): typeof examSeries.$inferInsert {
  return { ...seriesPointer(exam, seriesInstanceUid), examId: exam.examId, images };
}
