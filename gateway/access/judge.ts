/** Judges what a reader may open of an exam: candidates from events, decisions from the ledger. */
import type { Hex } from "../../protocol/hash.ts";
import type { Action, Purpose } from "../../protocol/terms.ts";
import type { Followed } from "../chain/eventFollower.ts";
import type { Database } from "../database/database.ts";
import type { Decider, Moment } from "../decision/decider.ts";
import { type Answer, coveringResources, type SeriesPointer } from "../decision/question.ts";
import { type ExamDirectory, type KnownExam, seriesPointer } from "../exams/directory.ts";
import { touchedResources } from "./slots.ts";
import { denial, type Verdict, VerdictCache } from "./verdict.ts";

/** Who wants to do what, for which purpose. */
export type Reader = { address: Hex; purpose: Purpose };

/** What is asked about an exam. */
export type Asked = { exam: KnownExam; seriesInstanceUid: string | null; action: Action };

export class Judge {
  readonly #decider: Decider;
  readonly #directory: ExamDirectory;
  readonly #database: Database;
  readonly #custodian: Hex;
  readonly #cache = new VerdictCache();

  constructor(decider: Decider, directory: ExamDirectory, database: Database, custodian: Hex) {
    this.#decider = decider;
    this.#directory = directory;
    this.#database = database;
    this.#custodian = custodian;
  }

  /** Forget verdicts that events may have changed. */
  drop(changes: Followed): void {
    this.#cache.drop(changes);
  }

  /** Grows whenever a verdict given before may hold no more. */
  get generation(): number {
    return this.#cache.generation;
  }

  /** Now, at the head. @throws {Problem} `chain-unavailable`, `chain-stale` */
  now(): Promise<Moment> {
    return this.#decider.now();
  }

  /** The verdict at a moment that `now` gave. @throws {Problem} `chain-unavailable` */
  async judge(reader: Reader, asked: Asked, moment: Moment): Promise<Verdict> {
    const { exam, seriesInstanceUid, action } = asked;
    const key = `${reader.address} ${reader.purpose} ${action} ${seriesInstanceUid ?? ""}`;
    const kept = this.#cache.get(exam.examId, key, moment.clocks);
    if (kept) return kept;
    const { generation } = this.#cache;
    const verdict = await this.#ask(reader, asked, moment);
    // An event came while the ledger was asked about the state before it.
    if (generation !== this.#cache.generation) return this.judge(reader, asked, await this.now());
    if (verdict.lasts) this.#cache.set(exam, key, verdict);
    return verdict;
  }

  async #ask(reader: Reader, { exam, seriesInstanceUid, action }: Asked, moment: Moment): Promise<Verdict> {
    if (reader.address === this.#custodian) return denial("not-granted");
    const known = await this.#directory.seriesOf(exam.examId);
    const one = seriesInstanceUid === null ? null : seriesPointer(exam, seriesInstanceUid);
    const touched = await this.#touched(reader, exam, one ? [...known, one] : known);
    // Strangers are denied alike, and as fast, whether there is an exam or not.
    if (reader.address !== exam.patient && touched.size === 0) return denial("not-granted");
    // Who reads an exam, whose slots count, and whose events end what is open is told here by the patient it was
    // registered for: once it has another owner, none of it would be true, and the exam is closed to everybody.
    if (await this.#decider.wasHandedOver(exam, moment)) return denial("not-granted");
    const ask = (series: SeriesPointer | null) =>
      this.#decider.ask({ exam, series, reader: reader.address, purpose: reader.purpose, action }, moment);
    if (one) {
      const answer = await ask(one);
      return this.#verdict([answer], new Set(answer.reason === "permitted" ? [one.seriesInstanceUid] : []));
    }
    const whole = await ask(null);
    const narrower = known.filter(({ resource }) => touched.has(resource));
    const answers = new Map<string, Answer>();
    for (const series of narrower) answers.set(series.seriesInstanceUid, await ask(series));
    const permitted = known
      .map((series) => series.seriesInstanceUid)
      .filter((uid) => (answers.get(uid) ?? whole).reason === "permitted");
    const isWhole = whole.reason === "permitted" && permitted.length === known.length;
    return this.#verdict([whole, ...answers.values()], isWhole ? "all" : new Set(permitted));
  }

  /**
   * Resources of the exam, and wider ones, on which the reader has or had a slot. All series count, not only the one
   * asked for: who holds a grant on one may hear why another is closed. The owner needs none.
   */
  async #touched(reader: Reader, exam: KnownExam, series: readonly SeriesPointer[]): Promise<Set<Hex>> {
    if (reader.address === exam.patient) return new Set();
    return touchedResources(this.#database, {
      patient: exam.patient,
      reader: reader.address,
      resources: [...series.map(({ resource }) => resource), ...coveringResources({ exam, series: null })],
    });
  }

  #verdict(answers: readonly Answer[], series: Verdict["series"]): Verdict {
    const permits = answers.filter(({ reason }) => reason === "permitted");
    const isPermitted = series === "all" || series.size > 0;
    const telling = answers.find(({ reason }) => reason !== "permitted" && reason !== "not-granted");
    return {
      reason: isPermitted ? "permitted" : (telling?.reason ?? "not-granted"),
      series,
      validUntil: isPermitted ? Math.min(...permits.map(({ validUntil }) => validUntil)) : 0,
      lasts:
        answers.every(({ reason }) => reason !== "not-yet-valid") &&
        (isPermitted || !this.#decider.waitsForConfirmations),
    };
  }
}
