/** What each act is called, and the sentence that says all of it. */
import type { Act, EMERGENCY_TYPES } from "../typedData.ts";
import type { NamedFormat } from "./fields.ts";

/** A short name for the head of the screen, and a sentence in which `{name}` stands for a field. */
export interface ActWords {
  intent: string;
  sentence: string;
}

/** A patient's acts; `{patient}` is "you" where it can be nobody but the signer. */
export const ACTS: Readonly<Record<Act, ActWords>> = {
  Grant: {
    intent: "Share",
    sentence: "{grantee} may {actions} {resource}, {purposes}, from {notBefore} until {notAfter}.",
  },
  GrantBatch: {
    intent: "Share several",
    sentence: "{grantee} may {actions} {resources}, {purposes}, from {notBefore} until {notAfter}.",
  },
  Revoke: {
    intent: "Stop sharing",
    sentence: "{grantee} may no longer see {resource}. Parts that were shared by themselves stay shared.",
  },
  RevokeBatch: {
    intent: "Stop sharing several",
    sentence: "{grantee} may no longer see {resources}. Parts that were shared by themselves stay shared.",
  },
  RevokeAll: {
    intent: "Stop sharing everything",
    sentence: "Nobody but {patient} may see what {patient} shared any more; guardians and offers end too.",
  },
  NameGuardian: {
    intent: "Name a guardian",
    sentence: "{guardian} may share and stop sharing, one exam or all, for {patient}, until {until}.",
  },
  HandOver: {
    intent: "Hand over an exam",
    sentence: "{examId} is offered to {to}; whoever takes it over decides alone from then on.",
  },
  Accept: {
    intent: "Take over an exam",
    sentence: "{examId} goes to {patient}; what was shared of it before ends.",
  },
};

/** What a practitioner signs. */
export const EMERGENCIES: Readonly<Record<keyof typeof EMERGENCY_TYPES, ActWords>> = {
  Emergency: {
    intent: "Open in an emergency",
    sentence: "{reader} may see {examId} until {until}, without the patient's consent, because {reason}.",
  },
};

/** The words for a function of the ledger, or null where it is no act of a patient's: `grantBySig` does a Grant. */
export function wordsForFunction(name: string): ActWords | null {
  const act = name.replace(/BySig$/, "").replace(/^./, (first) => first.toUpperCase());
  return new Map(Object.entries(ACTS)).get(act) ?? null;
}

/**
 * The `interpolatedIntent` of ERC-7730: the sentence, with paths in place of names. It names every field that is shown,
 * since a wallet may show it alone.
 */
export function sentenceOver(sentence: string, fields: readonly NamedFormat[]): string {
  const shown = new Map(
    fields.flatMap(({ name, format }) => (format.visible === "never" ? [] : [[name, format.path]])),
  );
  const decided = shown.has("patient") && !sentence.includes("{patient}") ? " Decided for {patient}." : "";
  const valid = shown.has("deadline") ? " The signature is valid until {deadline}." : "";
  return (sentence + decided + valid).replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const path = shown.get(name);
    return path === undefined ? "you" : `{${path}}`;
  });
}
