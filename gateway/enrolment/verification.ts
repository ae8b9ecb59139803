/** Reads exams in the archive anew, and tells what is not as it was registered. */
import { and, eq } from "drizzle-orm";
import type { Finding, VerifyStep } from "../../protocol/adminApi.ts";
import type { Hex } from "../../protocol/hash.ts";
import type { ArchiveClient } from "../archive/client.ts";
import type { Database } from "../database/database.ts";
import { exams } from "../database/schema.ts";
import type { ArchiveFacts } from "../exams/facts.ts";
import { isLive } from "../exams/live.ts";
import { type ManifestInstance, manifestOf, rootOf } from "../exams/manifest.ts";
import { Problem } from "../problem.ts";
import { digestFrames, type ListedInstance, listContents } from "./contents.ts";
import type { OutboxWorker } from "./outboxWorker.ts";
import type { Pointers } from "./pointers.ts";

export type VerificationContext = {
  database: Database;
  archive: ArchiveClient;
  pointers: Pointers;
  outbox: OutboxWorker;
  facts: ArchiveFacts;
};

type ExamRow = typeof exams.$inferSelect;

export class Verification {
  readonly #context: VerificationContext;

  constructor(context: VerificationContext) {
    this.#context = context;
  }

  /**
   * Every live exam, or one: its frames against the digests that were kept, and these against the root on the ledger.
   * @throws {Problem} `not-found`, `archive-unavailable`, `chain-unavailable`
   */
  async *verify(examId: Hex | null): AsyncGenerator<VerifyStep> {
    const rows = await this.#context.database
      .select()
      .from(exams)
      .where(examId === null ? isLive : and(isLive, eq(exams.examId, examId)))
      .orderBy(exams.examId);
    if (examId !== null && rows.length === 0)
      throw new Problem("not-found", `No exam here has the id ${examId}.`);
    const count = { exams: rows.length, frames: 0, findings: 0 };
    for (const [index, exam] of rows.entries()) {
      const findings: Finding[] = [];
      for await (const found of this.#findings(exam)) {
        if (found !== null) findings.push(found);
        else {
          count.frames += 1;
          yield { event: "reading", exam: index + 1, exams: rows.length, frames: count.frames };
        }
      }
      count.findings += findings.length;
      yield { event: "verified", ...(await this.#named(exam)), findings };
    }
    yield { event: "done", ...count };
  }

  /** What is wrong with an exam; null for each frame that was read. */
  async *#findings(exam: ExamRow): AsyncGenerator<Finding | null> {
    const known = await manifestOf(this.#context.database, exam.examId);
    if (known.length === 0)
      return yield aboutExam("ledger", "its digests are not kept yet: `npm run import` reads them");
    const onLedger = await this.#ledgerFinding(exam, known);
    if (onLedger) yield onLedger;
    const { instances } = await listContents(this.#context.archive, exam.studyInstanceUid);
    if (instances.length === 0) return yield aboutExam("missing", "the archive does not have it any more");
    const listed = new Map(instances.map((instance) => [instance.sopInstanceUid, instance]));
    for (const instance of known) {
      const inArchive = listed.get(instance.sopInstanceUid);
      listed.delete(instance.sopInstanceUid);
      if (inArchive) yield* this.#compare(instance, inArchive);
      else yield aboutInstance("missing", instance);
    }
    for (const instance of listed.values()) yield aboutInstance("new", instance);
  }

  async *#compare(known: ManifestInstance, listed: ListedInstance): AsyncGenerator<Finding | null> {
    const { archive } = this.#context;
    const read = await digestFrames(archive, listed).catch(async (error: unknown) => {
      if (!(error instanceof Problem)) throw error;
      await archive.health();
      return error;
    });
    if (read instanceof Problem) return yield { ...aboutInstance("unreadable", known), why: read.detail };
    for (let index = 0; index < Math.max(read.length, known.digests.length); index += 1) {
      if (index < read.length) yield null;
      const what = compareDigests(known.digests[index], read[index]);
      if (what) yield { ...aboutInstance(what, known), frame: index + 1 };
    }
  }

  async #ledgerFinding(exam: ExamRow, known: readonly ManifestInstance[]): Promise<Finding | null> {
    const { pointers, outbox } = this.#context;
    const { state, manifestRoot } = await pointers.at(exam.examId);
    if (state === "registered" && manifestRoot === rootOf(exam.salt, known)) return null;
    if (await outbox.isWaiting(exam.examId))
      return aboutExam(
        "ledger",
        "the ledger has yet to be brought to it: `npm run enrol -- --list` says why",
      );
    if (state !== "registered") return aboutExam("ledger", `on the ledger it is ${state}`);
    return aboutExam("ledger", "the digests that are kept here do not lead to its root on the ledger");
  }

  async #named({ examId, studyInstanceUid }: ExamRow) {
    const study = await this.#context.facts.study(studyInstanceUid).catch(() => null);
    const { description = null, studyDate = null } = study ?? {};
    return { examId, studyInstanceUid, description, studyDate };
  }
}

function compareDigests(known: Hex | undefined, read: Hex | undefined): "changed" | "missing" | "new" | null {
  if (known === read) return null;
  if (known === undefined) return "new";
  return read === undefined ? "missing" : "changed";
}

function aboutExam(what: Finding["what"], why: string): Finding {
  return { what, seriesInstanceUid: null, sopInstanceUid: null, frame: null, why };
}

function aboutInstance(
  what: Finding["what"],
  { seriesInstanceUid, sopInstanceUid }: Pick<ManifestInstance, "seriesInstanceUid" | "sopInstanceUid">,
): Finding {
  return { what, seriesInstanceUid, sopInstanceUid, frame: null, why: null };
}
