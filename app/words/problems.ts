/** Every reason for a refusal, as a plain sentence and the way out. */
import type { ProblemReason } from "../../protocol/reasons.ts";

/** Reasons that the app finds by itself, where no gateway could say why. */
export const APP_REASONS = ["gateway-unreachable", "answer-not-understood", "session-missing"] as const;

/** A reason that the app has a sentence for. */
export type SpokenReason = ProblemReason | (typeof APP_REASONS)[number];

/** A refusal as it is shown: what happened, and what can be done about it. */
export interface Sentence {
  title: string;
  way: string;
}

const SIGN_IN_AGAIN = "Sign in again; it takes one signature and costs nothing.";
const ASK_PATIENT = "Ask the patient to share it with you again.";
const TRY_SOON = "Try again in a moment. If it lasts, tell whoever runs the gateway.";
const REPORT = "Reload the page. If it happens again, tell whoever runs the gateway.";

const SIGN_ANEW = "Nothing was changed. Reload the page, then try again.";
const SEND_IT = "Nothing was changed. You can send it yourself, for the network’s fee.";

const SENTENCES: Record<SpokenReason, Sentence> = {
  "malformed-request": { title: "The gateway did not understand the request.", way: REPORT },
  "malformed-uid": {
    title: "This link does not lead to an exam.",
    way: "Open the exam from your list instead.",
  },
  "not-found": { title: "There is nothing here.", way: "Open the exam from your list instead." },
  "method-not-allowed": { title: "The gateway does not offer this.", way: REPORT },
  "not-acceptable": {
    title: "The archive cannot give this image in a form that can be shown.",
    way: "Choose another image.",
  },
  "too-large": { title: "The request was too large for the gateway.", way: REPORT },
  "too-many-requests": {
    title: "Too much was asked for in too short a time.",
    way: "Wait a minute, then try again.",
  },
  "internal-error": {
    title: "Something went wrong inside the gateway. Nothing was delivered.",
    way: TRY_SOON,
  },
  "token-missing": { title: "You are not signed in here.", way: SIGN_IN_AGAIN },
  "token-malformed": { title: "Your sign-in could not be read.", way: SIGN_IN_AGAIN },
  "token-expired": { title: "Your sign-in has run out.", way: SIGN_IN_AGAIN },
  "token-foreign-gateway": { title: "Your sign-in belongs to another gateway.", way: SIGN_IN_AGAIN },
  "token-foreign-chain": { title: "Your sign-in belongs to another network.", way: SIGN_IN_AGAIN },
  "token-revoked": { title: "This sign-in was ended.", way: SIGN_IN_AGAIN },
  "session-ended": {
    title: "You have been signed in for as long as one signature allows.",
    way: SIGN_IN_AGAIN,
  },
  "message-malformed": {
    title: "The gateway could not read what your wallet signed.",
    way: "Try to sign in once more, or use another wallet.",
  },
  "message-expired": {
    title: "The sign-in took too long, or your clock is off.",
    way: "Check your device's clock, then sign in again.",
  },
  "wrong-domain": {
    title: "This gateway does not accept sign-ins from this address of the app.",
    way: "Open ExamKey at the address that the custodian gave you.",
  },
  "wrong-uri": {
    title: "The signed message named another gateway.",
    way: "Open ExamKey at the address that the custodian gave you.",
  },
  "wrong-chain": {
    title: "The signed message named another network.",
    way: "Reload the page, then sign in again.",
  },
  "nonce-unknown": { title: "This sign-in was already used, or is too old.", way: SIGN_IN_AGAIN },
  "signature-invalid": {
    title: "The signature is not from the account that is connected.",
    way: "Check which account is active in your wallet, then sign in again.",
  },
  "relay-off": { title: "This gateway does not send for its patients.", way: SEND_IT },
  "not-enrolled": {
    title: "You are not a patient of this custodian’s, so it does not send for you.",
    way: SEND_IT,
  },
  "act-not-signed": {
    title: "The signature is not from the account that is connected. Nothing was changed.",
    way: "Check which account is active in your wallet, then try again.",
  },
  "act-malformed": { title: "The consent ledger could not make sense of this.", way: SIGN_ANEW },
  "act-expired": { title: "What you signed ran out before it was written.", way: SIGN_ANEW },
  "act-outdated": { title: "Something else was written in the consent ledger meanwhile.", way: SIGN_ANEW },
  "act-in-doubt": {
    title: "Something that you signed before for the same person is still on its way.",
    way: "Wait until it is written, then try again. To shut everybody out at once, revoke all access.",
  },
  "act-refused": { title: "The consent ledger refused this.", way: SIGN_ANEW },
  "wallet-not-deployed": {
    title: "Your wallet is not on this network yet, and could not be put there.",
    way: SEND_IT,
  },
  "gas-budget-spent": { title: "The custodian has sent as much for you today as it pays for.", way: SEND_IT },
  "malformed-query": { title: "The consent ledger could not make sense of the question.", way: REPORT },
  "unknown-exam": { title: "This exam is not registered.", way: "Ask the custodian to register it." },
  "retired-exam": {
    title: "The custodian has retired this exam.",
    way: "Ask the custodian for the one that replaces it.",
  },
  "not-granted": {
    title: "Nobody has shared this exam with you.",
    way: "If you expected it, ask the patient to share it with you.",
  },
  "not-yet-valid": { title: "Your access has not begun yet.", way: "Come back when it begins." },
  expired: { title: "Your access has ended: its time is over.", way: ASK_PATIENT },
  revoked: { title: "The patient has ended your access.", way: ASK_PATIENT },
  "purpose-not-granted": {
    title: "The patient did not share this exam for the purpose you signed in with.",
    way: "Sign in for the purpose that it was shared for, or ask the patient.",
  },
  "action-not-granted": {
    title: "The patient shared this exam for looking only, not for downloading.",
    way: "Ask the patient if you need the files.",
  },
  "patient-changed": {
    title: "The archive now names another patient for this exam, so it stays closed.",
    way: "Ask the custodian to look at the enrolment.",
  },
  "purpose-not-emergency": {
    title: "You are not signed in for emergency treatment.",
    way: "Sign in again, for emergency treatment.",
  },
  "badge-unknown": {
    title: "The custodian has named no badge of yours, or of the colleague who signs with you.",
    way: "Ask the custodian: only practitioners whose badges it has named may open an exam in an emergency.",
  },
  "badge-signature-invalid": {
    title: "The signature is not from the badge.",
    way: "Sign with the account that is your badge, not the one that you sign in with.",
  },
  "second-badge-needed": {
    title: "This exam was opened in an emergency within the last day.",
    way: "A second practitioner must sign too.",
  },
  "emergency-outdated": {
    title: "Somebody has opened this exam since you signed.",
    way: "Sign again.",
  },
  "emergency-period": {
    title: "An emergency ends within four hours, and not before it begins.",
    way: "Check the clock of this computer, then sign again.",
  },
  "emergency-not-sent": {
    title: "The emergency could not be written to the consent ledger's chain, so nothing is open yet.",
    way: TRY_SOON,
  },
  "chain-unavailable": {
    title: "The consent ledger cannot be reached, so nothing is opened.",
    way: TRY_SOON,
  },
  "chain-stale": { title: "The consent ledger has fallen behind, so nothing is opened.", way: TRY_SOON },
  "archive-unavailable": { title: "The archive that holds the images does not answer.", way: TRY_SOON },
  "database-unavailable": {
    title: "The gateway cannot record who opens what, so it opens nothing.",
    way: TRY_SOON,
  },
  "gateway-unreachable": {
    title: "The gateway cannot be reached, so nobody can say what you may see.",
    way: "Check your connection, then try again.",
  },
  "answer-not-understood": {
    title: "The gateway's answer could not be understood.",
    way: "The app and the gateway may be of different versions. Reload the page.",
  },
  "session-missing": { title: "You are not signed in here.", way: SIGN_IN_AGAIN },
};

/** Whether the app has a sentence of its own for a reason code. */
export function isSpokenReason(reason: string): reason is SpokenReason {
  return Object.hasOwn(SENTENCES, reason);
}

/** The sentence for a problem. A reason that this version does not know is told in the gateway's own words. */
export function sentenceFor(problem: { reason: string; detail: string; title: string }): Sentence {
  if (isSpokenReason(problem.reason)) return SENTENCES[problem.reason];
  return { title: problem.title, way: problem.detail };
}

/** Reasons after which only a new sign-in helps. */
const NEEDS_SIGN_IN: ReadonlySet<string> = new Set<SpokenReason>([
  "token-missing",
  "token-malformed",
  "token-expired",
  "token-foreign-gateway",
  "token-foreign-chain",
  "token-revoked",
  "session-ended",
  "session-missing",
]);

/** Whether signing in again is the way out. */
export function needsSignIn(reason: string): boolean {
  return NEEDS_SIGN_IN.has(reason);
}
