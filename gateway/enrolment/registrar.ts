/**
 * Decides what the ledger should have of a study, and puts that into the outbox: the salt is in the database before its
 * transaction is sent, and one study has one live pointer.
 */
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
import { putInOutbox } from "./outbox.ts";
import type { OutboxWorker } from "./outboxWorker.ts";

export type EnrolmentRow = typeof enrolments.$inferSelect;
type ExamRow = typeof exams.$inferSelect;

/** What became of one study. */
export type Registered = { outcome: "registered" | "amended" | "unchanged"; examId: Hex; bad: BadInstance[] };

export type RegistrarContext = {
  database: Database;
  archive: ArchiveClient;
  operator: Operator;
  outbox: OutboxWorker;
  directory: ExamDirectory;
  custodian: Hex;
  genesisHash: Hex;
};

export class Registrar {
  readonly #context: RegistrarContext;
  /** Studies being looked at: whoever comes for the same one waits, and finds it done. */
  readonly #busy = new Map<string, Promise<unknown>>();

  constructor(context: RegistrarContext) {
    this.#context = context;
  }

  /**
   * Bring a study's pointer up to date, and wait until the ledger has it: register a new one, amend a changed one.
   * @throws {Problem} `archive-unavailable`, `chain-unavailable`, or `malformed-request` where it belongs to somebody
   * else's enrolment
   * @throws {TransactionFailed} from here on, the outbox goes on by itself
   */
  async register(enrolment: EnrolmentRow, studyInstanceUid: string): Promise<Registered> {
    const registered = await this.submit(enrolment, studyInstanceUid);
    if (registered.outcome !== "unchanged") await this.#context.outbox.delivered(registered.examId);
    return registered;
  }

  /** As `register`, without waiting for the ledger: what is to be sent is in the outbox. */
  async submit(enrolment: EnrolmentRow, studyInstanceUid: string): Promise<Registered> {
    const before = this.#busy.get(studyInstanceUid) ?? Promise.resolve();
    const submitted = before.then(() => this.#submit(enrolment, studyInstanceUid));
    const done = submitted.catch(() => undefined);
    this.#busy.set(studyInstanceUid, done);
    try {
      return await submitted;
    } finally {
      if (this.#busy.get(studyInstanceUid) === done) this.#busy.delete(studyInstanceUid);
    }
  }

  /** The contents that a study's pointer was last made for (see `Contents`); null where it has none. */
  async contentsOf(studyInstanceUid: string): Promise<string | null> {
    return (await this.#livePointer(studyInstanceUid))?.contents ?? null;
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

  async #submit(enrolment: EnrolmentRow, studyInstanceUid: string): Promise<Registered> {
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
    await this.#put(this.#context.database, live.examId);
    return { outcome: "registered", examId: live.examId, bad: [] };
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
    const isFirst = await database.transaction(async (tx) => {
      const [inserted] = await tx.insert(exams).values(row).onConflictDoNothing().returning();
      if (!inserted) return false;
      await keepSeries(tx, row, contents);
      await this.#put(tx, row.examId);
      return true;
    });
    // Another gateway registers this study at the same moment: theirs is the pointer.
    if (!isFirst) return this.#submit(enrolment, studyInstanceUid);
    return { outcome: "registered", examId: row.examId, bad };
  }

  /** Series came late, or an instance was taken away. */
  async #renew(live: ExamRow, contents: Contents): Promise<Registered> {
    const { database, archive } = this.#context;
    const { root, bad } = await readManifest(archive, live.salt, contents.instances);
    await database.transaction(async (tx) => {
      await keepSeries(tx, live, contents);
      await tx
        .update(exams)
        .set({ manifestRoot: root, contents: contents.fingerprint })
        .where(eq(exams.examId, live.examId));
      await this.#put(tx, live.examId);
    });
    return { outcome: live.state === "pending" ? "registered" : "amended", examId: live.examId, bad };
  }

  async #put(database: Database, examId: Hex): Promise<void> {
    await putInOutbox(database, examId);
    this.#context.outbox.kick();
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

async function keepSeries(
  database: Database,
  exam: Pick<ExamRow, "examId" | "salt">,
  { series }: Contents,
): Promise<void> {
  for (const one of series) {
    await database
      .insert(examSeries)
      .values(seriesRow(exam, one))
      .onConflictDoUpdate({ target: examSeries.resource, set: { images: one.images } });
  }
}
