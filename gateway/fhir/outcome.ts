/** Problems as FHIR tells them: an OperationOutcome that carries the same reason. */
import type { OperationOutcome } from "fhir/r4.js";
import { PROBLEM_STATUS, type ProblemReason } from "../../protocol/reasons.ts";

/** The code system of the reasons; the problem documents' `type` begins alike (RFC 9457). */
const REASONS = "urn:examkey:problem";

/** Why something was refused. @param text what is said to the caller, where there is more to say than the reason */
export function operationOutcome(reason: ProblemReason, text?: string): OperationOutcome {
  const details = { coding: [{ system: REASONS, code: reason }], ...(text !== undefined && { text }) };
  return {
    resourceType: "OperationOutcome",
    issue: [{ severity: "error", code: issueTypeOf(PROBLEM_STATUS[reason]), details }],
  };
}

function issueTypeOf(status: number): OperationOutcome["issue"][number]["code"] {
  if (status === 401) return "login";
  if (status === 403) return "forbidden";
  if (status === 404) return "not-found";
  if (status === 503) return "transient";
  return status >= 500 ? "exception" : "invalid";
}
