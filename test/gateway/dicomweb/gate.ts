/** A gate for tests of the DICOMweb routes alone: it permits what it is told to, and remembers what it was asked. */
import type { FastifyRequest } from "fastify";
import type {
  AccessGate,
  AllowedSeries,
  Caller,
  OpenAhead,
  OpenExam,
  OpenRequest,
  SeriesRequest,
  VisibleStudy,
} from "../../../gateway/dicomweb/access.ts";
import { Problem } from "../../../gateway/problem.ts";
import type { Action } from "../../../protocol/terms.ts";

export const TOKEN = "Bearer reader";

type Grant = { series: AllowedSeries; actions: readonly Action[] };

export class TestGate implements AccessGate {
  /** By Study Instance UID. */
  readonly grants = new Map<string, Grant>();
  /** Every permit, in order. */
  readonly permits: OpenRequest[] = [];
  /** How recording goes of a permit that the archive is asked ahead of. */
  recording: () => Promise<void> = () => Promise.resolve();
  readonly #open = new Map<string, Set<AbortController>>();

  permit(studyInstanceUid: string, grant: Partial<Grant> = {}): void {
    this.grants.set(studyInstanceUid, { series: "all", actions: ["VIEW", "DOWNLOAD"], ...grant });
  }

  /** End access, cutting what is open. */
  revoke(studyInstanceUid: string): void {
    this.grants.delete(studyInstanceUid);
    for (const controller of this.#open.get(studyInstanceUid) ?? []) controller.abort(new Problem("revoked"));
  }

  async authenticate(request: FastifyRequest): Promise<Caller> {
    if (request.headers.authorization !== TOKEN) throw new Problem("token-missing");
    return { address: `0x${"0".repeat(40)}`, purpose: "TREAT" };
  }

  async open(_caller: Caller, request: OpenRequest): Promise<OpenExam> {
    const { studyInstanceUid, seriesInstanceUid, action } = request;
    const grant = this.grants.get(studyInstanceUid);
    if (!grant) throw new Problem("not-granted");
    if (!grant.actions.includes(action)) throw new Problem("action-not-granted");
    if (seriesInstanceUid !== undefined && grant.series !== "all" && !grant.series.has(seriesInstanceUid)) {
      throw new Problem("not-granted");
    }
    this.permits.push(request);
    const controller = new AbortController();
    const open = this.#open.get(studyInstanceUid) ?? new Set();
    this.#open.set(studyInstanceUid, open.add(controller));
    return { examId: studyInstanceUid, series: grant.series, signal: controller.signal };
  }

  async openAhead(caller: Caller, request: SeriesRequest): Promise<OpenAhead> {
    return { ...(await this.open(caller, request)), recorded: () => this.recording() };
  }

  visible<T>(
    _caller: Caller,
    { action }: { action: Action },
    compose: (studies: VisibleStudy[]) => Promise<T>,
  ): Promise<T> {
    const open = [...this.grants].filter(([, { actions }]) => actions.includes(action));
    return compose(open.map(([studyInstanceUid, { series }]) => ({ studyInstanceUid, series })));
  }
}
