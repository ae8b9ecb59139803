/** Who may read, in plain words: what `check` and `checkUnclaimed` answer after everything that people did. */
import type { LedgerReason } from "../../../protocol/reasons.ts";
import { custodianOf, type Decision, NOBODY, patientOf, type Query, type Terms } from "./acts.ts";
import type { LedgerModel } from "./ledger.ts";

/** Decides whether a reader may act on an exam or a series; on one in a batch too, where a membership is shown. */
export function decide(ledger: LedgerModel, query: Query): Decision {
  const { exam, series, reader, salt, membership } = query;
  if (query.dirty || query.purposes.length !== 1 || query.actions.length !== 1)
    return deny("malformed-query");
  const stored = ledger.examOf(exam);
  if (stored.retired) return deny("retired-exam");
  const isUnclaimed = stored.owner === NOBODY && membership && ledger.isInBatch(exam, membership);
  const owner = isUnclaimed ? patientOf(exam) : stored.owner;
  if (owner === NOBODY) return deny("unknown-exam");
  if (reader === owner) return { reason: "permitted", validUntil: "for ever" };

  const grantee = salt === undefined ? reader : `${reader}#${salt}`;
  const narrow = series === undefined ? [exam] : [`${exam}/${series}`, exam];
  const wide = [`${custodianOf(exam)}/*`, "*"];
  let denial: LedgerReason = "not-granted";
  for (const resource of [...narrow, ...wide]) {
    const last = ledger.lastOf(owner, resource, grantee);
    if (!last) continue;
    // A hand-over ends what is as old as itself on the exam and its series, whoever granted it. Wide grants live on.
    const handedOverAt = narrow.includes(resource) ? stored.ownedSince : 0;
    const isAlive = last.at > ledger.revokedAllAt(owner) && last.at > handedOverAt;
    const terms = isAlive ? last.terms : undefined;
    const reason = judge(terms, query);
    if (terms && reason === "permitted") return { reason, validUntil: terms.notAfter };
    if (denial === "not-granted") denial = reason;
    // What was revoked by itself closes this to all that is wider; what is only dead does not.
    if (!last.terms) break;
  }
  return deny(denial);
}

/** What one grant says, alone. Without terms, it was revoked or is dead. */
function judge(terms: Terms | undefined, { time, purposes, actions }: Query): LedgerReason {
  if (!terms) return "revoked";
  if (time < terms.notBefore) return "not-yet-valid";
  if (time >= terms.notAfter) return "expired";
  if (!purposes.every((purpose) => terms.purposes.includes(purpose))) return "purpose-not-granted";
  if (!actions.every((action) => terms.actions.includes(action))) return "action-not-granted";
  return "permitted";
}

function deny(reason: LedgerReason): Decision {
  return { reason, validUntil: 0 };
}
