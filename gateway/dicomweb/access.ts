/** What the DICOMweb routes ask of the rest of the gateway: who is calling, and what they may open. */
import type { FastifyRequest } from "fastify";
import type { Action, Purpose } from "../../protocol/terms.ts";

/** Who is asking, and for what. */
export interface Caller {
  address: string;
  purpose: Purpose;
}

/** The whole exam, or only the series that are named. */
export type AllowedSeries = "all" | ReadonlySet<string>;

/** What is being opened. UIDs are already known to be well-formed. */
export interface OpenRequest {
  studyInstanceUid: string;
  /** The one series asked for; absent when the whole study is. */
  seriesInstanceUid?: string;
  action: Action;
  /** The route's name for the audit, without identifiers: `WADO-RS instance frames`. */
  route: string;
}

/** A permit, for as long as `signal` is not aborted. */
export interface OpenExam {
  examId: string;
  series: AllowedSeries;
  /** Aborts when access ends; its `reason` is the `Problem` that says why. */
  signal: AbortSignal;
}

/** As `OpenRequest`, for one series or less. */
export type SeriesRequest = OpenRequest & { seriesInstanceUid: string };

/** A permit that is not recorded yet: the archive may be asked, and nothing may be given. */
export interface OpenAhead extends OpenExam {
  /** Resolves once something may be given: the permit is recorded, and still holds. @throws {Problem} */
  recorded(): Promise<void>;
}

/** An exam that the caller may see now. */
export interface VisibleStudy {
  studyInstanceUid: string;
  series: AllowedSeries;
}

/** Implemented by the gateway's decision, consumed by the DICOMweb routes. Every method throws `Problem`. */
export interface AccessGate {
  /** Resolve the caller from the `Authorization` header, or from the `token` of the query. */
  authenticate(request: FastifyRequest): Promise<Caller>;
  /** Decide for one study. The decision is durably recorded before this resolves or throws. */
  open(caller: Caller, request: OpenRequest): Promise<OpenExam>;
  /**
   * As `open`, for one series or less, before a permit is recorded: to ask the archive meanwhile. A denial is recorded
   * before this throws.
   */
  openAhead(caller: Caller, request: SeriesRequest): Promise<OpenAhead>;
  /**
   * What `compose` makes of all exams that the caller may see for that action, recorded as one search; anew, where that
   * changed until it was made. `not-granted` where there is none.
   */
  visible<T>(
    caller: Caller,
    search: { action: Action; route: string },
    compose: (studies: VisibleStudy[]) => Promise<T>,
  ): Promise<T>;
}
