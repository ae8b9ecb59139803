/** Problems: how the gateway says no, and why (RFC 9457). */
import { DrizzleQueryError } from "drizzle-orm/errors";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Problem as ProblemDocument } from "../protocol/api.ts";
import { PROBLEM_STATUS, PROBLEM_URN, type ProblemReason } from "../protocol/reasons.ts";
import { faultOf } from "./operations/log.ts";

/** Media type of a problem document (RFC 9457, section 3). */
export const PROBLEM_TYPE = "application/problem+json";

/** What each reason means to the person who reads it, where the thrower has nothing better to say. */
const DETAILS: Record<ProblemReason, string> = {
  "malformed-request": "The request is not one that this gateway understands.",
  "malformed-uid": "The address holds something that is not a DICOM UID.",
  "not-found": "There is nothing here.",
  "method-not-allowed": "This resource does not answer to that method.",
  "not-acceptable": "None of the media types asked for can be given.",
  "too-large": "The request is larger than this gateway accepts.",
  "too-many-requests": "Too much was asked for in too short a time. Wait before asking again.",
  "internal-error": "Something went wrong inside the gateway. Nothing was delivered.",
  "token-missing": "Sign in first: this needs a bearer token.",
  "token-malformed": "The token is not one that this gateway issued.",
  "token-expired": "The token has expired. Renew it, or sign in again.",
  "token-foreign-gateway": "The token was issued by another gateway.",
  "token-foreign-chain": "The token was issued for another chain.",
  "token-revoked": "The token, or the session that it belongs to, was ended. Sign in again.",
  "session-ended": "The session has lasted as long as it may. Sign in again.",
  "message-malformed": "The signed message does not follow EIP-4361, or lacks what this gateway asks for.",
  "message-expired": "The signed message is too old, not valid yet, or expired.",
  "wrong-domain": "The signed message was made for another site.",
  "wrong-uri": "The signed message was made for another gateway.",
  "wrong-chain": "The signed message was made for another chain.",
  "nonce-unknown": "The nonce was not issued here, has expired, or was used before.",
  "signature-invalid": "The signature does not belong to the address in the message.",
  "relay-off": "This gateway sends no acts of patients. Send it to the ledger yourself.",
  "not-enrolled":
    "The act's patient is not enrolled here: this gateway sends only what its own patients sign.",
  "act-not-signed": "The signature is not the patient's, or is over something else.",
  "act-malformed": "The ledger knows no such act. Nothing was sent.",
  "act-expired": "The signature's deadline has passed. Sign anew.",
  "act-outdated":
    "It was signed for a state that the ledger is no longer in. Read the nonces and the epoch again, and sign anew.",
  "act-in-doubt":
    "Another act with the same nonce waits here, and one of them would be lost. Sign for the nonce after it (GET /relay tells), or revoke all.",
  "act-refused": "The ledger refuses the act. Nothing was changed.",
  "wallet-not-deployed": "The wallet's deployment did not put it where it belongs. Deploy it, and sign anew.",
  "gas-budget-spent":
    "What this gateway spends on one patient's acts in a day is spent. Wait, or send the act to the ledger yourself.",
  "malformed-query": "The question put to the ledger makes no sense.",
  "unknown-exam": "The exam is not registered.",
  "retired-exam": "The custodian has retired this exam.",
  "not-granted": "No grant gives you access to this.",
  "not-yet-valid": "The grant has not begun yet.",
  expired: "The grant, or the emergency, has ended.",
  revoked: "The patient has revoked the grant.",
  "purpose-not-granted": "The grant does not cover the purpose you signed in with.",
  "action-not-granted": "The grant does not cover this action.",
  "patient-changed":
    "The exam's patient in the archive no longer matches its enrolment. It stays closed until the custodian has looked at it.",
  "purpose-not-emergency": "Sign in for emergency treatment (ETREAT) first.",
  "badge-unknown": "The custodian has named no badge of yours, or of the second practitioner's.",
  "badge-signature-invalid": "A signature does not belong to the badge that it is said to be of.",
  "second-badge-needed":
    "This exam was opened in an emergency within the last day: another practitioner must sign too.",
  "emergency-outdated": "The exam was opened since this was signed. Sign anew.",
  "emergency-period": "An emergency ends after now, and within four hours.",
  "emergency-not-sent": "The emergency could not be written to the chain, so nothing was opened.",
  "chain-unavailable": "The chain cannot be reached, so nothing can be decided.",
  "chain-stale": "The chain has fallen behind, so nothing can be decided.",
  "archive-unavailable": "The archive does not answer.",
  "database-unavailable": "The gateway cannot record what it does, so it does nothing.",
};

/** A refusal with one reason code. Everything that the gateway refuses is thrown as one of these. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly reason: ProblemReason;
  /** HTTP status, given by the reason. */
  readonly status: number;
  /** Said to the caller: never anything about an exam, a patient or the archive's address. */
  readonly detail: string;
  /** Seconds after which asking again makes sense; null where it does not, or nobody knows. */
  readonly retryAfter: number | null;

  constructor(reason: ProblemReason, detail?: string, options?: { cause?: unknown; retryAfter?: number }) {
    super(detail ?? DETAILS[reason], options);
    this.reason = reason;
    this.status = PROBLEM_STATUS[reason];
    this.detail = this.message;
    this.retryAfter = options?.retryAfter ?? (this.status === 503 ? 2 : null);
  }

  /** The problem document (RFC 9457, section 3.1). The title depends on the reason alone. */
  toJSON(): ProblemDocument {
    return {
      type: `${PROBLEM_URN}${this.reason}`,
      title: DETAILS[this.reason],
      status: this.status,
      detail: this.detail,
      reason: this.reason,
    };
  }
}

/** Any thrown thing as a problem. What was not meant for the caller becomes `internal-error`, without its message. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof DrizzleQueryError) {
    return new Problem("database-unavailable", undefined, { cause: error });
  }
  const reason = reasonOfFrameworkError(error);
  return new Problem(reason ?? "internal-error", undefined, { cause: error });
}

/** Fastify's own refusals carry a status code. */
function reasonOfFrameworkError(error: unknown): ProblemReason | undefined {
  if (!(error instanceof Error) || !("statusCode" in error)) return undefined;
  switch (error.statusCode) {
    case 404:
      return "not-found";
    case 405:
      return "method-not-allowed";
    case 413:
    case 414:
    case 431:
      return "too-large";
    default:
      return Number(error.statusCode) >= 400 && Number(error.statusCode) < 500
        ? "malformed-request"
        : undefined;
  }
}

/** Send a problem as its document (RFC 9457). */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return refuse(reply, problem).type(PROBLEM_TYPE).send(JSON.stringify(problem));
}

/** Status and headers of a refusal, with RFC 6750's challenge where a token is wanted; its body is for the caller to add. */
export function refuse(reply: FastifyReply, problem: Problem): FastifyReply {
  reply.code(problem.status).header("cache-control", "private, no-store");
  if (problem.status === 401) reply.header("www-authenticate", challengeOf(problem.reason));
  if (problem.retryAfter !== null) reply.header("retry-after", String(problem.retryAfter));
  return reply;
}

/** RFC 6750, section 3.1: no error code where no token was sent. */
function challengeOf(reason: ProblemReason): string {
  return reason === "token-missing" ? "Bearer" : 'Bearer error="invalid_token"';
}

/** Log a problem that is no caller's fault. */
export function logFault(request: FastifyRequest, problem: Problem): void {
  const { reason, cause } = problem;
  const route = request.routeOptions.url ?? null;
  if (reason === "internal-error") request.log.error({ route, reason, err: cause }, "failed");
  else request.log.warn({ route, reason, ...(cause !== undefined && { fault: faultOf(cause) }) }, "refused");
}
