/** What is open now, and is closed the moment its access ends. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Hex } from "../../protocol/hash.ts";
import type { Revocable } from "../auth/revocations.ts";
import type { Followed } from "../chain/eventFollower.ts";
import { Problem, toProblem } from "../problem.ts";
import type { Asked, Judge, JudgingMoment, Reader } from "./judge.ts";
import { stillHolds, type Verdict } from "./verdict.ts";

type Open = {
  reader: Reader;
  token: Revocable;
  asked: Asked;
  verdict: Verdict;
  controller: AbortController;
  /** Told once, when access ends before the request does. */
  onCut(problem: Problem): void;
};

export type OpenOptions = Pick<Open, "reader" | "token" | "asked" | "verdict" | "onCut">;

export class OpenExams {
  readonly #judge: Judge;
  readonly #problemOf: (reason: Verdict["reason"]) => Problem;
  readonly #byRequest = new Map<FastifyRequest, Set<Open>>();
  readonly #finished = new WeakSet<FastifyRequest>();

  constructor(judge: Judge, problemOf: (reason: Verdict["reason"]) => Problem) {
    this.#judge = judge;
    this.#problemOf = problemOf;
  }

  /** Permits that are watched over now. */
  get size(): number {
    return this.#all().length;
  }

  /** Forget what a request opened once its answer is finished or its client gone. */
  releaseWith(request: FastifyRequest, reply: FastifyReply): void {
    reply.raw.once("close", () => {
      this.#finished.add(request);
      this.#byRequest.delete(request);
    });
  }

  /** Keep an eye on a permit for as long as its request lasts. */
  add(request: FastifyRequest, options: OpenOptions): AbortSignal {
    const controller = new AbortController();
    const opened = this.#byRequest.get(request) ?? new Set();
    opened.add({ ...options, controller });
    if (!this.#finished.has(request)) this.#byRequest.set(request, opened);
    return controller.signal;
  }

  /** Judge anew what events or the clock may have ended. Called after each read of the head. */
  async sweep(changes: Followed): Promise<void> {
    if (this.#byRequest.size === 0) return;
    let moment: JudgingMoment;
    try {
      moment = await this.#judge.now();
    } catch (error) {
      for (const open of this.#all()) this.#cut(open, toProblem(error));
      return;
    }
    const affected = this.#all().filter(
      ({ asked, verdict }) =>
        isAffected(asked, changes) || moment.clocks.some((clock) => clock >= verdict.validUntil),
    );
    await Promise.all(affected.map((open) => this.#judgeAnew(open, moment)));
  }

  /** Close what was opened by sessions or tokens that were ended; everything, where those are not known any more. */
  end(revoked: ReadonlySet<string> | null): void {
    for (const open of this.#all()) {
      const { sessionId, tokenId } = open.token;
      if (!revoked) this.#cut(open, new Problem("database-unavailable"));
      else if (revoked.has(sessionId) || revoked.has(tokenId)) this.#cut(open, new Problem("token-revoked"));
    }
  }

  /** Close everything: the gateway is going down. */
  closeAll(problem: Problem): void {
    for (const open of this.#all()) this.#cut(open, problem);
  }

  async #judgeAnew(open: Open, moment: JudgingMoment): Promise<void> {
    try {
      const verdict = await this.#judge.judge(open.reader, open.asked, moment);
      if (verdict.reason !== "permitted") this.#cut(open, this.#problemOf(verdict.reason));
      else if (stillHolds(verdict, open.verdict)) open.verdict = verdict;
      else this.#cut(open, this.#problemOf(open.verdict.emergency ? "expired" : "revoked"));
    } catch (error) {
      this.#cut(open, toProblem(error));
    }
  }

  #cut(open: Open, problem: Problem): void {
    if (open.controller.signal.aborted) return;
    open.controller.abort(problem);
    open.onCut(problem);
  }

  #all(): Open[] {
    return [...this.#byRequest.values()].flatMap((opened) => [...opened]);
  }
}

function isAffected({ exam }: Asked, changes: Followed): boolean {
  if (changes === "all") return true;
  return changes.some((change) =>
    "examId" in change ? change.examId === exam.examId : change.patient === (exam.patient satisfies Hex),
  );
}
