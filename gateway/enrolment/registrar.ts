/**
 * Decides what the ledger should have of a study, and puts that into the outbox: the salt is in the database before its
 * transaction is sent, and one study has one live pointer.
 */
import { and, eq, isNull, ne } from "drizzle-orm";
import type { Hex } from "../../protocol/hash.ts";
import { examCommitment, examId as examIdOf, newSalt } from "../../protocol/ids.ts";
import type { ArchiveClient } from "../archive/client.ts";
import type { Database } from "../database/database.ts";
import { enrolments, examSeries, exams } from "../database/schema.ts";
import type { WithheldStudies } from "../erasure/withheld.ts";
import { type ExamDirectory, seriesRow } from "../exams/directory.ts";
import { isLive } from "../exams/live.ts";
import {
  addToManifest,
  clearManifest,
  type ManifestInstance,
  manifestOf,
  rootOf,
} from "../exams/manifest.ts";
import { Problem } from "../problem.ts";
import { type BadInstance, type Contents, digestInstances, listContents } from "./contents.ts";
import { putInOutbox } from "./outbox.ts";
import type { OutboxWorker } from "./outboxWorker.ts";
import type { Pointers } from "./pointers.ts";
import type { Retirements } from "./retirements.ts";

export type EnrolmentRow = typeof enrolments.$inferSelect;
type ExamRow = typeof exams.$inferSelect;

/** What became of one study. */
export type Registered = { outcome: "registered" | "amended" | "unchanged"; examId: Hex; bad: BadInstance[] };

export type RegistrarContext = {
  database: Database;
  archive: ArchiveClient;
  pointers: Pointers;
  retirements: Retirements;
  outbox: OutboxWorker;
  directory: ExamDirectory;
  withheld: Pick<WithheldStudies, "has">;
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
  submit(enrolment: EnrolmentRow, studyInstanceUid: string): Promise<Registered> {
    return this.#inTurn(studyInstanceUid, () => this.#submit(enrolment, studyInstanceUid));
  }

  /** The contents that a study's pointer was last made for (see `Contents`); null where it has none. */
  async contentsOf(studyInstanceUid: string): Promise<string | null> {
    return (await this.#livePointer(studyInstanceUid))?.contents ?? null;
  }

  /** End an enrolment once every pointer of it is retired, those too that come meanwhile. @throws {TransactionFailed} */
  async end(enrolment: EnrolmentRow): Promise<void> {
    do await this.#retireAll(enrolment);
    while (!(await this.#close(enrolment)));
  }

  async #retireAll(enrolment: EnrolmentRow): Promise<void> {
    const { database, retirements, directory } = this.#context;
    const live = await database.select().from(exams).where(isLiveOf(enrolment));
    for (const exam of live) {
      await retirements.retire(exam);
      await database
        .update(exams)
        .set({ state: "retired" })
        .where(and(eq(exams.examId, exam.examId), isLive));
      directory.forget();
    }
  }

  /** Whether it has ended: nothing of it is live, and nothing can be registered for it any more. */
  #close({ id }: EnrolmentRow): Promise<boolean> {
    return this.#context.database.transaction(async (tx) => {
      await tx.select().from(enrolments).where(eq(enrolments.id, id)).for("update");
      if ((await tx.$count(exams, isLiveOf({ id }))) > 0) return false;
      const endedAt = Math.floor(Date.now() / 1000);
      await tx.update(enrolments).set({ endedAt }).where(eq(enrolments.id, id));
      return true;
    });
  }

  /** Do it once whoever came before for the same study is done. */
  async #inTurn<T>(studyInstanceUid: string, work: () => Promise<T>): Promise<T> {
    const before = this.#busy.get(studyInstanceUid) ?? Promise.resolve();
    const result = before.then(work);
    const done = result.catch(() => undefined);
    this.#busy.set(studyInstanceUid, done);
    try {
      return await result;
    } finally {
      if (this.#busy.get(studyInstanceUid) === done) this.#busy.delete(studyInstanceUid);
    }
  }

  async #submit(enrolment: EnrolmentRow, studyInstanceUid: string): Promise<Registered> {
    const { archive, withheld } = this.#context;
    const live = await this.#livePointer(studyInstanceUid);
    if (live?.state === "erasing" || (await withheld.has(studyInstanceUid)))
      throw new Problem("malformed-request", "This exam was erased, or is being erased.");
    const contents = await listContents(archive, studyInstanceUid);
    if (!live) return this.#registerNew(enrolment, studyInstanceUid, contents);
    if (live.enrolmentId !== enrolment.id) {
      throw new Problem(
        "malformed-request",
        "This exam is enrolled for another patient id; retire that first.",
      );
    }
    const known = await manifestOf(this.#context.database, live.examId);
    if (live.contents !== contents.fingerprint || known.length === 0)
      return this.#renew(live, contents, known);
    // A registration that was reorganised away is sent again.
    const isThere =
      live.state === "registered" && (await this.#context.pointers.stateOf(live.examId)) !== "absent";
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
    const { read, bad } = await digestInstances(archive, contents.instances);
    requireSome(read);
    const commitment = examCommitment(salt, studyInstanceUid);
    const row: ExamRow = {
      examId: examIdOf({ custodian, patient: enrolment.patient, commitment }),
      enrolmentId: enrolment.id,
      studyInstanceUid,
      patient: enrolment.patient,
      salt,
      commitment,
      manifestRoot: rootOf(salt, read),
      contents: contents.fingerprint,
      state: "pending",
      firstGenesisHash: genesisHash,
    };
    const isFirst = await database.transaction(async (tx) => {
      // Reading the instances may have taken minutes.
      await this.#requireWanted(tx, enrolment, studyInstanceUid);
      const [inserted] = await tx.insert(exams).values(row).onConflictDoNothing().returning();
      if (!inserted) return false;
      await addToManifest(tx, row.examId, read);
      await keepSeries(tx, row, contents);
      await this.#put(tx, row.examId);
      return true;
    });
    // Another gateway registers this study at the same moment: theirs is the pointer.
    if (!isFirst) return this.#submit(enrolment, studyInstanceUid);
    return { outcome: "registered", examId: row.examId, bad };
  }

  /**
   * That the enrolment holds until the transaction ends, and the study may be registered.
   * @throws {Problem} `malformed-request`
   */
  async #requireWanted(tx: Database, enrolment: EnrolmentRow, studyInstanceUid: string): Promise<void> {
    const [holds] = await tx
      .select()
      .from(enrolments)
      .where(and(eq(enrolments.id, enrolment.id), isNull(enrolments.endedAt)))
      .for("share");
    if (!holds) throw new Problem("malformed-request", "This enrolment has ended.");
    if (await this.#context.withheld.has(studyInstanceUid, tx))
      throw new Problem("malformed-request", "This exam was erased.");
  }

  /**
   * Something came late, or was taken away. What is new is added; what is known keeps its digests, unread, so that a
   * manifest never takes over what changed in the archive by itself. That is for a person to say: `accept`.
   */
  async #renew(live: ExamRow, contents: Contents, known: readonly ManifestInstance[]): Promise<Registered> {
    const { database, archive } = this.#context;
    const knownUids = new Set(known.map(({ sopInstanceUid }) => sopInstanceUid));
    const added = contents.instances.filter(({ sopInstanceUid }) => !knownUids.has(sopInstanceUid));
    const { read, bad } = await digestInstances(archive, added);
    const all = [...known, ...read];
    requireSome(all);
    const manifestRoot = rootOf(live.salt, all);
    const isChanged = manifestRoot !== live.manifestRoot;
    await database.transaction(async (tx) => {
      await keepRenewed(tx, live, { contents, read, manifestRoot });
      if (isChanged || live.state === "pending") await this.#put(tx, live.examId);
    });
    const changed = isChanged ? ("amended" as const) : ("unchanged" as const);
    const outcome = live.state === "pending" ? "registered" : changed;
    return { outcome, examId: live.examId, bad: [...bad, ...goneFrom(contents, known)] };
  }

  /**
   * Take what the archive has of an exam now for right: its manifest is made anew, and amended.
   * @throws {Problem} `not-found`, `archive-unavailable`, `chain-unavailable`
   * @throws {TransactionFailed} from here on, the outbox goes on by itself
   */
  async accept(examId: Hex): Promise<Registered & { studyInstanceUid: string }> {
    const { studyInstanceUid } = await this.#liveExam(examId);
    const accepted = await this.#inTurn(studyInstanceUid, () => this.#accept(examId));
    await this.#context.outbox.delivered(examId);
    return { ...accepted, studyInstanceUid };
  }

  async #accept(examId: Hex): Promise<Registered> {
    const { database, archive } = this.#context;
    // Read in turn: whoever came before may have renewed it.
    const live = await this.#liveExam(examId);
    const contents = await listContents(archive, live.studyInstanceUid);
    const { read, bad } = await digestInstances(archive, contents.instances);
    requireSome(read);
    const manifestRoot = rootOf(live.salt, read);
    await database.transaction(async (tx) => {
      await clearManifest(tx, examId);
      await keepRenewed(tx, live, { contents, read, manifestRoot });
      await this.#put(tx, examId);
    });
    return { outcome: manifestRoot === live.manifestRoot ? "unchanged" : "amended", examId, bad };
  }

  /** @throws {Problem} `not-found` */
  async #liveExam(examId: Hex): Promise<ExamRow> {
    const [live] = await this.#context.database
      .select()
      .from(exams)
      .where(and(eq(exams.examId, examId), isLive));
    if (!live) throw new Problem("not-found", `No exam here has the id ${examId}.`);
    return live;
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
}

function isLiveOf({ id }: Pick<EnrolmentRow, "id">) {
  return and(eq(exams.enrolmentId, id), isLive);
}

/** Instances that a manifest holds and the archive does not. */
function goneFrom({ instances }: Contents, known: readonly ManifestInstance[]): BadInstance[] {
  const there = new Set(instances.map(({ sopInstanceUid }) => sopInstanceUid));
  return known
    .filter(({ sopInstanceUid }) => !there.has(sopInstanceUid))
    .map(({ sopInstanceUid }) => ({ sopInstanceUid, why: "the archive does not have it any more" }));
}

function requireSome(instances: readonly ManifestInstance[]): void {
  if (instances.length === 0)
    throw new Problem("not-found", "Nothing of this exam can be read from the archive.");
}

/** What a pointer that there is already is made of from now on. */
async function keepRenewed(
  database: Database,
  live: ExamRow,
  {
    contents,
    read,
    manifestRoot,
  }: { contents: Contents; read: readonly ManifestInstance[]; manifestRoot: Hex },
): Promise<void> {
  await keepSeries(database, live, contents);
  await addToManifest(database, live.examId, read);
  const renewed = { manifestRoot, contents: contents.fingerprint };
  await database.update(exams).set(renewed).where(eq(exams.examId, live.examId));
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
