/** Refusals, wherever they come from: a gateway's problem document, or the app's own finding in the same shape. */
import { type Problem, problemSchema } from "../../protocol/api.ts";
import { PROBLEM_URN } from "../../protocol/reasons.ts";
import { type SpokenReason, sentenceFor } from "../words/problems.ts";

/** A gateway said no, or could not be heard. */
export class GatewayError extends Error {
  override readonly name = "GatewayError";
  readonly problem: Problem;

  constructor(problem: Problem, options?: { cause?: unknown }) {
    super(problem.detail || problem.title, options);
    this.problem = problem;
  }
}

/** A problem that the app found by itself, in the shape of a gateway's (RFC 9457). */
export function ownProblem(reason: SpokenReason, detail?: string): Problem {
  const { title, way } = sentenceFor({ reason, title: reason, detail: "" });
  return { type: `${PROBLEM_URN}${reason}`, title, status: 0, detail: detail ?? way, reason };
}

/** The problem document in an answer that is not a success; one that is none becomes `answer-not-understood`. */
export async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => null);
  const parsed = problemSchema.safeParse(body);
  if (parsed.success) return parsed.data;
  const reason: SpokenReason = response.status >= 500 ? "gateway-unreachable" : "answer-not-understood";
  return { ...ownProblem(reason), status: response.status };
}

/** Any thrown thing as a problem that has a sentence. */
export function toProblem(error: unknown): Problem {
  return error instanceof GatewayError ? error.problem : ownProblem("gateway-unreachable");
}
