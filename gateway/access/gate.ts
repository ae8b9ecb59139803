/** The gate before the archive: authenticate, decide, record; only then may a byte pass. */
import type { FastifyRequest } from "fastify";
import type { Hex } from "../../protocol/hash.ts";
import type { ProblemReason } from "../../protocol/reasons.ts";
import type { Receipt } from "../../protocol/receipt.ts";
import type { Action } from "../../protocol/terms.ts";
import type { Audit, DecisionRecord, Entry } from "../audit/audit.ts";
import type { Authenticator } from "../auth/authenticator.ts";
import type { Revocations } from "../auth/revocations.ts";
import type { Token } from "../auth/tokens.ts";
import type { Block } from "../chain/provider.ts";
import type { Database } from "../database/database.ts";
import type {
  AccessGate,
  AllowedSeries,
  Caller,
  OpenAhead,
  OpenExam,
  OpenRequest,
  SeriesRequest,
  VisibleStudy,
} from "../dicomweb/access.ts";
import type { Emergencies } from "../emergency/emergencies.ts";
import type { ExamDirectory, KnownExam } from "../exams/directory.ts";
import { type ArchiveFacts, isSamePatient, type StudyFacts } from "../exams/facts.ts";
import { inOrder } from "../inOrder.ts";
import type { Metrics } from "../operations/metrics.ts";
import { Problem, toProblem } from "../problem.ts";
import type { Grantees } from "./grantees.ts";
import type { Judge, JudgingMoment, Reader } from "./judge.ts";
import { type Compose, composed } from "./listing.ts";
import type { OpenExams } from "./openExams.ts";
import { candidateExams } from "./slots.ts";
import { denial, type Verdict } from "./verdict.ts";

/** A caller who has shown a token, within one request. */
export type SignedIn = Caller & { address: Hex; token: Token; request: FastifyRequest };

/** An exam that the caller may see now. */
export type VisibleExam = {
  exam: KnownExam;
  facts: StudyFacts;
  series: AllowedSeries;
  validUntil: number;
  /** Whether the caller sees it by an emergency. */
  emergency: boolean;
  /** Those of the moment of the decision, in seconds since 1970-01-01 UTC. */
  clocks: readonly number[];
};

/** What is decided on: an exam, or, where a search found them, several. */
type About = { action: Action; route: string; exams: readonly Hex[] };

/** A search by who is calling, for what they may do. */
type Search = Omit<About, "exams">;

/** What was found, to be recorded before it is told; of an emergency, that it rests on one. */
type Found<T> = { result: T; exams: readonly Hex[]; emergency: boolean };

/** A decision's result, with what waits until it is recorded. */
type Entered<T> = { result: T; recorded(): Promise<void> };

/** What is to be decided. @param note takes the head that it is decided at */
type Work<T> = (note: (head: Block) => void) => Promise<Found<T>>;

/** What is asked about an exam that is known already. */
type ExamRequest = Omit<OpenRequest, "studyInstanceUid">;

/** What the gate rests on. */
export type GateParts = {
  authenticator: Authenticator;
  revocations: Pick<Revocations, "check">;
  judge: Judge;
  grantees: Pick<Grantees, "tagOf">;
  emergencies: Pick<Emergencies, "candidates">;
  directory: ExamDirectory;
  facts: ArchiveFacts;
  audit: Audit;
  metrics: Pick<Metrics, "recording">;
  openExams: OpenExams;
  database: Database;
  custodian: Hex;
  chainId: number;
};

/** How many exams are looked up in the archive at once for one caller. */
const LOOKUPS_AT_ONCE = 8;

export class Gate implements AccessGate {
  readonly #parts: GateParts;

  constructor(parts: GateParts) {
    this.#parts = parts;
  }

  /** Who is calling, by a session's token in the header. @throws {Problem} `token-…` */
  async signedIn(request: FastifyRequest): Promise<SignedIn> {
    return callerOf(await this.#parts.authenticator.session(request), request);
  }

  /** As `signedIn`, or by a viewer token in the query: for DICOMweb alone. @throws {Problem} `token-…` */
  async authenticate(request: FastifyRequest): Promise<SignedIn> {
    return callerOf(await this.#parts.authenticator.sessionOrViewer(request), request);
  }

  async open(caller: SignedIn, request: OpenRequest): Promise<OpenExam> {
    const exam = await this.#parts.directory.byStudy(request.studyInstanceUid);
    return this.#open(caller, exam, request);
  }

  async openAhead(caller: SignedIn, request: SeriesRequest): Promise<OpenAhead> {
    const { judge, revocations, directory } = this.#parts;
    const found = await directory.byStudy(request.studyInstanceUid);
    const exam = isWithin(caller.token, found) ? found : null;
    const { generation } = judge;
    const { result: permit, recorded } = await this.#enter(caller, exam, request);
    const signal = this.#watch(caller, permit, request);
    return {
      ...permit,
      examId: permit.exam.examId,
      signal,
      recorded: async () => {
        await recorded();
        await revocations.check(caller.token);
        // Something happened since it was decided, and the watch may not have come to it yet.
        if (generation !== judge.generation) await this.#open(caller, exam, request);
        signal.throwIfAborted();
      },
    };
  }

  /** As `open`, for an exam by its id. */
  async openExam(caller: SignedIn, examId: Hex, request: Pick<OpenRequest, "action" | "route">) {
    const exam = await this.#parts.directory.byId(examId);
    return this.#open(caller, exam, request);
  }

  visible<T>(caller: SignedIn, search: Search, compose: (studies: VisibleStudy[]) => Promise<T>): Promise<T> {
    const find = () =>
      this.#search(caller, search, (found) => {
        // A viewer is told that it is shut out; an empty list would look like an archive without exams.
        if (found.length === 0) throw new Problem("not-granted");
      });
    return composed(this.#parts, { caller, reader: caller, action: search.action, find }, (found) =>
      compose(found.map(({ exam, series }) => ({ studyInstanceUid: exam.studyInstanceUid, series }))),
    );
  }

  /** What `compose` makes of all exams that the caller may see, recorded as one search. */
  visibleExams<T>(caller: SignedIn, search: Search, compose: Compose<T>): Promise<T> {
    const find = () => this.#search(caller, search, () => {});
    return composed(this.#parts, { caller, reader: caller, action: search.action, find }, compose);
  }

  /**
   * What `compose` makes of all exams of a patient's for whom the caller acts as a guardian, recorded as one search. That
   * opens none of them: it is to choose by. Without a patient of that address it is the same denial as without being a
   * guardian.
   * @throws {Problem} `not-granted`
   */
  examsInCare<T>(caller: SignedIn, patient: Hex, route: string, compose: Compose<T>): Promise<T> {
    const { judge, directory } = this.#parts;
    const reader = { address: patient, purpose: caller.purpose };
    const acts = (moment: JudgingMoment) => judge.isGuardian({ patient, guardian: caller.address }, moment);
    const find = () =>
      this.#recorded(caller, { action: "VIEW", route, exams: [] }, async (note) => {
        const moment = await judge.now();
        note(moment.head);
        if (!(await acts(moment))) throw new Problem("not-granted");
        return foundExams(await this.#among(await directory.ofPatient(patient), reader, "VIEW", moment));
      });
    return composed(this.#parts, { caller, reader, action: "VIEW", find, acts }, compose);
  }

  /**
   * Record what a practitioner does to break the glass, whatever comes of it; what `work` resolves with is told once that
   * is recorded.
   */
  breaking<T>(caller: SignedIn, exam: KnownExam | null, work: () => Promise<T>): Promise<T> {
    const exams = exam ? [exam.examId] : [];
    return this.#recorded(caller, { action: "VIEW", route: "emergency", exams }, async (note) => {
      note((await this.#parts.judge.now()).head);
      return { result: await work(), exams, emergency: true };
    });
  }

  /** @param accept throws the problem that what was found amounts to, if it does */
  #search(
    caller: SignedIn,
    { action, route }: Search,
    accept: (found: readonly VisibleExam[]) => void,
  ): Promise<VisibleExam[]> {
    const { judge, directory, database, custodian, grantees, emergencies } = this.#parts;
    return this.#recorded(caller, { action, route, exams: [] }, async (note) => {
      const moment = await judge.now();
      note(moment.head);
      const reader = { reader: caller.address, readerTag: grantees.tagOf(caller.address) };
      const granted = await candidateExams(database, { custodian, ...reader });
      const isEmergency = caller.purpose === "ETREAT";
      const opened = isEmergency ? await emergencies.candidates(caller.address, moment.clocks) : [];
      const candidates = await directory.byIds([...new Set([...granted, ...opened])]);
      const owned = await directory.ofPatient(caller.address);
      const exams = new Map([...owned, ...candidates].map((exam) => [exam.examId, exam]));
      const asked = [...exams.values()].filter((exam) => isWithin(caller.token, exam));
      const result = await this.#among(asked, caller, action, moment);
      accept(result);
      return foundExams(result);
    });
  }

  /** Those of these exams that a reader may see at that moment. */
  async #among(
    exams: readonly KnownExam[],
    reader: Reader,
    action: Action,
    moment: JudgingMoment,
  ): Promise<VisibleExam[]> {
    const found = inOrder(exams, LOOKUPS_AT_ONCE, (exam) => this.#visibleExam(reader, exam, action, moment));
    return (await Array.fromAsync(found)).filter((exam) => exam !== null);
  }

  async #visibleExam(
    reader: Reader,
    exam: KnownExam,
    action: Action,
    moment: JudgingMoment,
  ): Promise<VisibleExam | null> {
    const asked = { exam, seriesInstanceUid: null, action };
    const verdict = await this.#parts.judge.judge(reader, asked, moment);
    if (verdict.reason !== "permitted") return null;
    const facts = await this.#parts.facts.study(exam.studyInstanceUid);
    if (!facts || !isSamePatient(exam, facts)) return null;
    const { series, validUntil, emergency } = verdict;
    return { exam, facts, series, validUntil, emergency, clocks: moment.clocks };
  }

  async #open(caller: SignedIn, found: KnownExam | null, request: ExamRequest) {
    const { judge } = this.#parts;
    const exam = isWithin(caller.token, found) ? found : null;
    for (;;) {
      const { generation } = judge;
      const permit = await this.#decide(caller, exam, request);
      const signal = this.#watch(caller, permit, request);
      await this.#parts.revocations.check(caller.token);
      // Something happened while the decision was recorded: whoever watches over it did not know of it yet.
      if (generation === judge.generation) return { ...permit, examId: permit.exam.examId, signal };
    }
  }

  async #decide(
    caller: SignedIn,
    exam: KnownExam | null,
    request: ExamRequest,
  ): Promise<Verdict & { exam: KnownExam }> {
    const { result, recorded } = await this.#enter(caller, exam, request);
    await recorded();
    return result;
  }

  #enter(
    caller: SignedIn,
    exam: KnownExam | null,
    request: ExamRequest,
  ): Promise<Entered<Verdict & { exam: KnownExam }>> {
    const { action, route, seriesInstanceUid = null } = request;
    const exams = exam ? [exam.examId] : [];
    return this.#entered(caller, { action, route, exams }, async (note) => {
      const moment = await this.#parts.judge.now();
      note(moment.head);
      const verdict = exam
        ? await this.#parts.judge.judge(caller, { exam, seriesInstanceUid, action }, moment)
        : denial("not-granted");
      if (!exam || verdict.reason !== "permitted") throw problemOf(verdict.reason);
      await this.#requireSamePatient(exam);
      return { result: { ...verdict, exam }, exams, emergency: verdict.emergency };
    });
  }

  /** A study that was merged or moved to another patient is closed until somebody has looked at it. */
  async #requireSamePatient(exam: KnownExam): Promise<void> {
    const facts = await this.#parts.facts.study(exam.studyInstanceUid);
    if (!facts) throw new Problem("not-found");
    if (!isSamePatient(exam, facts)) throw new Problem("patient-changed");
  }

  /** Watch over a permit until its request ends, and record when it is cut. */
  #watch(caller: SignedIn, permit: Verdict & { exam: KnownExam }, request: ExamRequest): AbortSignal {
    const { exam } = permit;
    const { action, route, seriesInstanceUid = null } = request;
    return this.#parts.openExams.add(caller.request, {
      reader: caller,
      token: caller.token,
      asked: { exam, seriesInstanceUid, action },
      verdict: permit,
      onCut: (problem) => {
        const about = { action, route, exams: [exam.examId], emergency: permit.emergency };
        this.#record(this.#decision(caller, about, { reason: problem.reason, head: null })).catch((error) =>
          caller.request.log.error({ reason: toProblem(error).reason }, "A cut was not recorded"),
        );
      },
    });
  }

  /** As `entered`, once it is recorded. */
  async #recorded<T>(caller: SignedIn, about: About, work: Work<T>): Promise<T> {
    const { result, recorded } = await this.#entered(caller, about, work);
    await recorded();
    return result;
  }

  /**
   * Do what `work` does, and enter what came of it, permit or problem, in the audit. Nobody learns of a problem before it
   * is recorded, nor may of a permit. The receipt goes with the answer.
   */
  async #entered<T>(caller: SignedIn, about: About, work: Work<T>): Promise<Entered<T>> {
    let head: Block | null = null;
    const note = (noted: Block) => {
      head = noted;
    };
    const enter = (found: Omit<Found<T>, "result">, reason: ProblemReason | "permitted") => {
      const { exams, emergency } = found;
      const decision = this.#decision(caller, { ...about, exams, emergency }, { reason, head });
      const entry = this.#enterDecision(decision);
      return async () => {
        entry.hurry();
        caller.request.receipt = await entry.recorded;
      };
    };
    try {
      const { result, ...found } = await work(note);
      return { result, recorded: enter(found, "permitted") };
    } catch (error) {
      await enter({ exams: about.exams, emergency: false }, toProblem(error).reason)();
      throw error;
    }
  }

  #record(decision: DecisionRecord): Promise<Receipt> {
    const { hurry, recorded } = this.#enterDecision(decision);
    hurry();
    return recorded;
  }

  #enterDecision(decision: DecisionRecord): Entry {
    const { metrics, audit } = this.#parts;
    const entry = audit.enter(decision);
    const recorded = metrics.recording(decision, () => entry.recorded);
    recorded.catch(() => undefined);
    return { ...entry, recorded };
  }

  #decision(
    caller: SignedIn,
    { action, route, exams, emergency }: About & { emergency: boolean },
    { reason, head }: { reason: ProblemReason | "permitted"; head: Block | null },
  ): DecisionRecord {
    return {
      caller: caller.address,
      tokenId: caller.token.tokenId,
      purpose: caller.purpose,
      action,
      route,
      reason,
      emergency,
      exams,
      chainId: this.#parts.chainId,
      blockNumber: head?.number ?? null,
      blockHash: head?.hash ?? null,
    };
  }
}

function callerOf(token: Token, request: FastifyRequest): SignedIn {
  return { address: token.address, purpose: token.purpose, token, request };
}

function foundExams(result: VisibleExam[]): Found<VisibleExam[]> {
  const isEmergency = result.some(({ emergency }) => emergency);
  return { result, exams: result.map(({ exam }) => exam.examId), emergency: isEmergency };
}

/** Whether a token reaches an exam: a viewer token reaches one, and to it any other is unknown. */
function isWithin({ examId }: Token, exam: KnownExam | null): boolean {
  return examId === null || exam?.examId === examId;
}

/** The problem that says a ledger's denial. */
export function problemOf(reason: Verdict["reason"]): Problem {
  return new Problem(reason === "permitted" || reason === "unknown-exam" ? "not-granted" : reason);
}
