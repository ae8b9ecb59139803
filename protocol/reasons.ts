/**
 * Why a decision is what it is.
 *
 * A decision is permit, or deny with one reason code. The ledger's reasons are the positions of
 * `IConsentLedger.Reason`; the gateway adds those for what the ledger cannot see.
 */

/** Reasons that `ConsentLedger.check` returns, in the order of the contract's enum. */
export const LEDGER_REASONS = [
  "malformed-query",
  "permitted",
  "unknown-exam",
  "retired-exam",
  "not-granted",
  "not-yet-valid",
  "expired",
  "revoked",
  "purpose-not-granted",
  "action-not-granted",
] as const;

/** A reason that the ledger gives. */
export type LedgerReason = (typeof LEDGER_REASONS)[number];

/** Why a patient was not asked before an emergency, in the order of the contract's `EmergencyReason`; the first is refused. */
export const EMERGENCY_REASONS = [
  "none",
  "life-threatening",
  "patient-unresponsive",
  "patient-incapable",
] as const;

export type EmergencyReason = Exclude<(typeof EMERGENCY_REASONS)[number], "none">;

/** Reasons that the gateway gives in a problem document (RFC 9457), with their HTTP status. */
export const PROBLEM_STATUS = {
  // The request itself.
  "malformed-request": 400,
  "malformed-uid": 400,
  "not-found": 404,
  "method-not-allowed": 405,
  "not-acceptable": 406,
  "too-large": 413,
  "too-many-requests": 429,
  "internal-error": 500,
  // Who is asking (EIP-4361, RFC 6750).
  "token-missing": 401,
  "token-malformed": 401,
  "token-expired": 401,
  "token-foreign-gateway": 401,
  "token-foreign-chain": 401,
  "token-revoked": 401,
  "session-ended": 401,
  "message-malformed": 400,
  "message-expired": 401,
  "wrong-domain": 401,
  "wrong-uri": 401,
  "wrong-chain": 401,
  "nonce-unknown": 401,
  "signature-invalid": 401,
  // What a patient signed, for the gateway to send.
  "relay-off": 404,
  "not-enrolled": 403,
  "act-not-signed": 403,
  "act-malformed": 400,
  "act-expired": 409,
  "act-outdated": 409,
  "act-in-doubt": 409,
  "act-refused": 409,
  "wallet-not-deployed": 409,
  "gas-budget-spent": 429,
  // What they may see: the ledger's denials.
  "malformed-query": 403,
  "unknown-exam": 403,
  "retired-exam": 403,
  "not-granted": 403,
  "not-yet-valid": 403,
  expired: 403,
  revoked: 403,
  "purpose-not-granted": 403,
  "action-not-granted": 403,
  // The archive disagrees with the enrolment.
  "patient-changed": 403,
  // Emergencies: what stands in the way of one.
  "purpose-not-emergency": 403,
  "badge-unknown": 403,
  "badge-signature-invalid": 403,
  "second-badge-needed": 409,
  "emergency-outdated": 409,
  "emergency-period": 400,
  "emergency-not-sent": 503,
  // What stands behind the gateway.
  "chain-unavailable": 503,
  "chain-stale": 503,
  "archive-unavailable": 503,
  "database-unavailable": 503,
} as const satisfies Record<string, number>;

/** Before a reason: the `type` of a problem document (RFC 9457, section 3.1.1). */
export const PROBLEM_URN = "urn:examkey:problem:";

/** A reason that the gateway gives for refusing. */
export type ProblemReason = keyof typeof PROBLEM_STATUS;
