/** Registers exams: the salt is in the database before its transaction is sent, and one study has one live pointer. */
import { and, eq, ne } from "drizzle-orm";
import type { Hex } from "../../protocol/hash.ts";
import { examCommitment, examId as examIdOf, newSalt } from "../../protocol/ids.ts";
import type { ArchiveClient } from "../archive/client.ts";
import type { Database } from "../database/database.ts";
import { type enrolments, examSeries, exams } from "../database/schema.ts";
import { type ExamDirectory, seriesRow } from "../exams/directory.ts";
import { Problem } from "../problem.ts";
import { type BadInstance, type Contents, listContents, readManifest } from "./contents.ts";
import type { Operator } from "./operator.ts";

export type EnrolmentRow = typeof enrolments.$inferSelect;
type ExamRow = typeof exams.$inferSelect;

/** What became of one study. */
export type Registered = { outcome: "registered" | "amended" | "unchanged"; examId: Hex; bad: BadInstance[] };

export type RegistrarContext = {
  database: Database;
  archive: ArchiveClient;
  operator: Operator;
  directory: ExamDirectory;
  custodian: Hex;
  genesisHash: Hex;
};

export class Registrar {
  readonly #context: RegistrarContext;

  constructor(context: RegistrarContext) {
    this.#context = context;
  }

  /**
   * Bring a study's pointer up to date: register a new one, amend a changed one.
   * @throws {Problem} `archive-unavailable`, or `malformed-request` where it belongs to somebody else's enrolment
   * @throws {TransactionFailed}
   */
  async register(enrolment: EnrolmentRow, studyInstanceUid: string): Promise<Registered> {
    const contents = await listContents(this.#context.archive, studyInstanceUid);
    const live = await this.#livePointer(studyInstanceUid);
    if (!live) return this.#registerNew(enrolment, studyInstanceUid, contents);
    if (live.enrolmentId !== enrolment.id) {
      throw new Problem(
        "malformed-request",
        "This exam is enrolled for another patient id; retire that first.",
      );
    }
    if (live.contents !== contents.fingerprint) return this.#renew(live, contents);
    // A registration that was reorganised away is sent again.
    const isThere =
      live.state === "registered" && (await this.#context.operator.stateOf(live.examId)) !== "absent";
    if (isThere) return { outcome: "unchanged", examId: live.examId, bad: [] };
    await this.#send(live);
    return { outcome: "registered", examId: live.examId, bad: [] };
  }

  /** Send what was begun and not finished: after a crash, or on a local chain that was begun anew. */
  async resume(onFailure: (examId: Hex, error: unknown) => void): Promise<number> {
    const pending = await this.#context.database.select().from(exams).where(eq(exams.state, "pending"));
    let sent = 0;
    for (const exam of pending) {
      try {
        await this.#send(exam);
        sent += 1;
      } catch (error) {
        onFailure(exam.examId, error);
      }
    }
    return sent;
  }

  /** Retire every live pointer of an enrolment. @throws {TransactionFailed} */
  async retireAll(enrolment: EnrolmentRow): Promise<void> {
    const { database, operator, directory } = this.#context;
    const live = await database
      .select()
      .from(exams)
      .where(and(eq(exams.enrolmentId, enrolment.id), ne(exams.state, "retired")));
    for (const exam of live) {
      await operator.retire(this.#pointer(exam));
      await database.update(exams).set({ state: "retired" }).where(eq(exams.examId, exam.examId));
      directory.forget();
    }
  }

  async #registerNew(
    enrolment: EnrolmentRow,
    studyInstanceUid: string,
    contents: Contents,
  ): Promise<Registered> {
    const { database, archive, custodian, genesisHash } = this.#context;
    const salt = newSalt();
    const { root, bad } = await readManifest(archive, salt, contents.instances);
    const commitment = examCommitment(salt, studyInstanceUid);
    const row: ExamRow = {
      examId: examIdOf({ custodian, patient: enrolment.patient, commitment }),
      enrolmentId: enrolment.id,
      studyInstanceUid,
      patient: enrolment.patient,
      salt,
      commitment,
      manifestRoot: root,
      contents: contents.fingerprint,
      state: "pending",
      firstGenesisHash: genesisHash,
    };
    const [inserted] = await database.insert(exams).values(row).onConflictDoNothing().returning();
    // Somebody else registers this study at the same moment: theirs is the pointer.
    if (!inserted) return this.register(enrolment, studyInstanceUid);
    await this.#keepSeries(row, contents);
    await this.#send(row);
    return { outcome: "registered", examId: row.examId, bad };
  }

  /** Series came late, or an instance was taken away. */
  async #renew(live: ExamRow, contents: Contents): Promise<Registered> {
    const { database, archive, operator } = this.#context;
    const { root, bad } = await readManifest(archive, live.salt, contents.instances);
    const renewed = { ...live, manifestRoot: root };
    await this.#keepSeries(live, contents);
    const isOnChain = (await operator.stateOf(live.examId)) === "registered";
    if (isOnChain && root !== live.manifestRoot) await operator.amend(this.#pointer(live), root);
    await database
      .update(exams)
      .set({ manifestRoot: root, contents: contents.fingerprint })
      .where(eq(exams.examId, live.examId));
    if (live.state === "pending") await this.#send(renewed);
    return { outcome: isOnChain ? "amended" : "registered", examId: live.examId, bad };
  }

  async #keepSeries(exam: Pick<ExamRow, "examId" | "salt">, { series }: Contents): Promise<void> {
    for (const one of series) {
      await this.#context.database
        .insert(examSeries)
        .values(seriesRow(exam, one))
        .onConflictDoUpdate({ target: examSeries.resource, set: { images: one.images } });
    }
  }

  async #send(exam: ExamRow): Promise<void> {
    const { database, operator, directory } = this.#context;
    if ((await operator.stateOf(exam.examId)) === "absent") {
      await operator.register(this.#pointer(exam), exam.manifestRoot).catch(async (error: unknown) => {
        // Two that send the same at once: the second is refused, and the exam is registered.
        if ((await operator.stateOf(exam.examId)) === "absent") throw error;
      });
    }
    const state = (await operator.stateOf(exam.examId)) === "retired" ? "retired" : "registered";
    await database.update(exams).set({ state }).where(eq(exams.examId, exam.examId));
    directory.forget();
  }

  async #livePointer(studyInstanceUid: string): Promise<ExamRow | undefined> {
    const [live] = await this.#context.database
      .select()
      .from(exams)
      .where(and(eq(exams.studyInstanceUid, studyInstanceUid), ne(exams.state, "retired")));
    return live;
  }

  #pointer({ examId, patient, commitment }: ExamRow) {
    return { examId, custodian: this.#context.custodian, patient, commitment };
  }
}
