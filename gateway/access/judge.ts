/** Judges what a reader may open of an exam: candidates from events, decisions from the ledger. */
import type { Hex } from "../../protocol/hash.ts";
import type { Action, Purpose } from "../../protocol/terms.ts";
import type { Followed } from "../chain/eventFollower.ts";
import type { Database } from "../database/database.ts";
import type { Decider, Moment } from "../decision/decider.ts";
import {
  type Answer,
  coveringResources,
  type Guardianship,
  type Question,
  type ReaderName,
  readerName,
  type SeriesPointer,
} from "../decision/question.ts";
import type { Emergencies } from "../emergency/emergencies.ts";
import type { ErasingExams } from "../erasure/erasing.ts";
import { type ExamDirectory, type KnownExam, seriesPointer } from "../exams/directory.ts";
import type { Grantees } from "./grantees.ts";
import { touchedResources } from "./slots.ts";
import { denial, type Verdict, VerdictCache } from "./verdict.ts";

/** Who wants to do what, for which purpose. */
export type Reader = { address: Hex; purpose: Purpose };

/** A moment to judge at, with the judge's generation before it was taken. */
export type JudgingMoment = Moment & { generation: number };

/** What is asked about an exam. */
export type Asked = { exam: KnownExam; seriesInstanceUid: string | null; action: Action };

/** What the judge rests on. */
export type JudgeParts = {
  decider: Decider;
  directory: ExamDirectory;
  database: Database;
  custodian: Hex;
  grantees: Grantees;
  emergencies: Pick<Emergencies, "ofReader">;
  erasing: Pick<ErasingExams, "isClosed">;
};

export class Judge {
  readonly #decider: Decider;
  readonly #directory: ExamDirectory;
  readonly #database: Database;
  readonly #custodian: Hex;
  readonly #grantees: Grantees;
  readonly #emergencies: JudgeParts["emergencies"];
  readonly #erasing: JudgeParts["erasing"];
  readonly #cache = new VerdictCache();

  constructor(parts: JudgeParts) {
    const { decider, directory, database, custodian, grantees, emergencies, erasing } = parts;
    this.#decider = decider;
    this.#directory = directory;
    this.#database = database;
    this.#custodian = custodian;
    this.#grantees = grantees;
    this.#emergencies = emergencies;
    this.#erasing = erasing;
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
  async now(): Promise<JudgingMoment> {
    const { generation } = this;
    return { ...(await this.#decider.now()), generation };
  }

  /** Whether somebody acts for a patient at that moment. @throws {Problem} `chain-unavailable` */
  isGuardian(guardianship: Guardianship, moment: Moment): Promise<boolean> {
    return this.#decider.isGuardian(guardianship, moment);
  }

  /**
   * The verdict at a moment that `now` gave, or at a later one, where something has happened since.
   * @throws {Problem} `chain-unavailable`
   */
  async judge(reader: Reader, asked: Asked, moment: JudgingMoment): Promise<Verdict> {
    const { exam, seriesInstanceUid, action } = asked;
    if (this.#erasing.isClosed(exam.examId)) return denial("not-granted");
    // With a new name of the reader's, what was decided without it holds no more.
    const names = await this.#grantees.namesOf(reader.address, exam.patient);
    const grantees = names.map(({ grantee }) => grantee).join(" ");
    const key = `${reader.address} ${grantees} ${reader.purpose} ${action} ${seriesInstanceUid ?? ""}`;
    const kept = this.#cache.get(exam.examId, key, moment.clocks);
    if (kept) return kept;
    const granted = await this.#ask(reader, names, asked, moment);
    const verdict = await this.#orInEmergency(granted, reader, asked, moment);
    // An event came, and the ledger may have been asked about the state before it: that verdict would be kept for good.
    if (moment.generation !== this.generation) return this.judge(reader, asked, await this.now());
    if (verdict.lasts) this.#cache.set(exam, key, verdict);
    return verdict;
  }

  /**
   * What is granted, or all of the exam where its reader has an emergency on it. Who had one and has it no more hears
   * that it is over.
   */
  async #orInEmergency(
    granted: Verdict,
    { address, purpose }: Reader,
    { exam, seriesInstanceUid }: Asked,
    moment: Moment,
  ): Promise<Verdict> {
    const isEnough =
      granted.reason === "permitted" && (seriesInstanceUid !== null || granted.series === "all");
    if (purpose !== "ETREAT" || isEnough || address === this.#custodian) return granted;
    const openings = await this.#emergencies.ofReader(address, exam.examId);
    // Of an exam that was handed over, what the registered patient is shown would not be true.
    if (openings.length === 0 || (await this.#decider.wasHandedOver(exam, moment))) return granted;
    const current = openings.filter(({ until }) => moment.clocks.every((clock) => clock < until));
    for (const opening of current) {
      if (!(await this.#decider.isEmergencyOpen(opening, moment))) continue;
      return { reason: "permitted", series: "all", validUntil: opening.until, lasts: true, emergency: true };
    }
    // One that has yet to be confirmed, or by one of two clocks to begin, comes into force without an event.
    if (current.length > 0) return { ...granted, lasts: false };
    return granted.reason === "not-granted" ? { ...granted, reason: "expired" } : granted;
  }

  async #ask(
    reader: Reader,
    names: readonly ReaderName[],
    { exam, seriesInstanceUid, action }: Asked,
    moment: Moment,
  ): Promise<Verdict> {
    if (reader.address === this.#custodian) return denial("not-granted");
    const known = await this.#directory.seriesOf(exam.examId);
    const one = seriesInstanceUid === null ? null : seriesPointer(exam, seriesInstanceUid);
    const isOwner = reader.address === exam.patient;
    const touched = isOwner ? NOTHING : await this.#touched(names, exam, one ? [...known, one] : known);
    const asked = isOwner
      ? [readerName(reader.address, null)]
      : names.filter(({ grantee }) => touched.has(grantee));
    // Strangers are denied alike whether there is an exam or not, and no node is asked for either.
    if (asked.length === 0) return denial("not-granted");
    // Who reads an exam, whose slots count, and whose events end what is open is told here by the patient it was
    // registered for: once it has another owner, none of it would be true, and the exam is closed to everybody.
    if (await this.#decider.wasHandedOver(exam, moment)) return denial("not-granted");
    const { address, purpose } = reader;
    const ask = (series: SeriesPointer | null) =>
      this.#askUnder(asked, { exam, series, reader: address, purpose, action }, moment);
    if (one) {
      const answer = await ask(one);
      return this.#verdict([answer], new Set(answer.reason === "permitted" ? [one.seriesInstanceUid] : []));
    }
    const whole = await ask(null);
    const narrower = known.filter(({ resource }) =>
      asked.some(({ grantee }) => touched.get(grantee)?.has(resource)),
    );
    const answers = new Map<string, Answer>();
    for (const series of narrower) answers.set(series.seriesInstanceUid, await ask(series));
    const permitted = known
      .map((series) => series.seriesInstanceUid)
      .filter((uid) => (answers.get(uid) ?? whole).reason === "permitted");
    const isWhole = whole.reason === "permitted" && permitted.length === known.length;
    return this.#verdict([whole, ...answers.values()], isWhole ? "all" : new Set(permitted));
  }

  /**
   * The ledger's answer under each name by itself: permitted if one permits. What was revoked under one name stays open
   * under another, as on the ledger; a patient who wants neither revokes both, or all.
   */
  async #askUnder(
    names: readonly ReaderName[],
    question: Omit<Question, "name">,
    moment: Moment,
  ): Promise<Answer> {
    const asked = names.map((name) => this.#decider.ask({ ...question, name }, moment));
    return bestOf(await Promise.all(asked));
  }

  /**
   * Resources of the exam, and wider ones, on which each name of the reader's has or had a slot. All series count, not
   * only the one asked for: who holds a grant on one may hear why another is closed.
   */
  async #touched(
    names: readonly ReaderName[],
    exam: KnownExam,
    series: readonly SeriesPointer[],
  ): Promise<Map<Hex, Set<Hex>>> {
    return touchedResources(this.#database, {
      patient: exam.patient,
      grantees: names.map(({ grantee }) => grantee),
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
      // Where grants wait for confirmations, each denial may be one of a grant that does.
      lasts: answers.every(({ reason }) =>
        this.#decider.waitsForConfirmations ? reason === "permitted" : reason !== "not-yet-valid",
      ),
      emergency: false,
    };
  }
}

const NOTHING: ReadonlyMap<Hex, ReadonlySet<Hex>> = new Map();

/** The permit that lasts longest, else the denial to tell: one that time alone will change, or that says most. */
function bestOf(answers: readonly Answer[]): Answer {
  const permits = answers.filter(({ reason }) => reason === "permitted");
  if (permits.length > 0)
    return permits.reduce((best, one) => (one.validUntil > best.validUntil ? one : best));
  const denied =
    answers.find(({ reason }) => reason === "not-yet-valid") ??
    answers.find(({ reason }) => reason !== "not-granted");
  return denied ?? { reason: "not-granted", validUntil: 0 };
}
