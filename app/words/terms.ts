/** Purposes and actions in the words of the people who grant and who read. */
import { ACTION_PHRASES, conjunction, PURPOSE_PHRASES } from "../../protocol/clearSigning/words.ts";
import type { Action, Purpose } from "../../protocol/terms.ts";

/** A purpose as each side says it. */
interface PurposeWords {
  /** The patient's choice: "What for?" */
  label: string;
  explanation: string;
  /** Inside a sentence: "… for treatment". */
  inSentence: string;
  /** The reader's choice when signing in: "I am here to …" */
  signIn: string;
}

const PURPOSE_WORDS: Record<Purpose, PurposeWords> = {
  TREAT: {
    label: "Treatment",
    explanation: "To diagnose and treat me.",
    inSentence: PURPOSE_PHRASES.TREAT,
    signIn: "Treat a patient",
  },
  ETREAT: {
    label: "Emergency treatment",
    explanation: "To treat me when it cannot wait.",
    inSentence: PURPOSE_PHRASES.ETREAT,
    signIn: "Treat a patient in an emergency",
  },
  HPAYMT: {
    label: "Payment",
    explanation: "To bill or to settle with my insurer.",
    inSentence: PURPOSE_PHRASES.HPAYMT,
    signIn: "Settle a payment",
  },
  HRESCH: {
    label: "Research",
    explanation: "To learn from my images in a study.",
    inSentence: PURPOSE_PHRASES.HRESCH,
    signIn: "Do research",
  },
  PATRQT: {
    label: "At my request",
    explanation: "Such as a second opinion that I asked for.",
    inSentence: PURPOSE_PHRASES.PATRQT,
    signIn: "See my own exams",
  },
  FAMRQT: {
    label: "At my family’s request",
    explanation: "Such as for a relative who looks after me.",
    inSentence: PURPOSE_PHRASES.FAMRQT,
    signIn: "Look after a family member",
  },
  PWATRNY: {
    label: "By power of attorney",
    explanation: "For somebody who decides on my behalf.",
    inSentence: PURPOSE_PHRASES.PWATRNY,
    signIn: "Act by power of attorney",
  },
  SUPNWK: {
    label: "My support network",
    explanation: "For people who help me day to day.",
    inSentence: PURPOSE_PHRASES.SUPNWK,
    signIn: "Support somebody day to day",
  },
  HOPERAT: {
    label: "Running the hospital",
    explanation: "For quality checks and administration.",
    inSentence: PURPOSE_PHRASES.HOPERAT,
    signIn: "Run the hospital",
  },
  PUBHLTH: {
    label: "Public health",
    explanation: "To report or study diseases in the population.",
    inSentence: PURPOSE_PHRASES.PUBHLTH,
    signIn: "Work for public health",
  },
  HLEGAL: {
    label: "Legal matters",
    explanation: "For a court or a lawyer.",
    inSentence: PURPOSE_PHRASES.HLEGAL,
    signIn: "Work on a legal matter",
  },
  TRAIN: {
    label: "Teaching",
    explanation: "To train people who treat patients.",
    inSentence: PURPOSE_PHRASES.TRAIN,
    signIn: "Teach or learn",
  },
};

/** Purposes that a patient is offered at once; the others are one step away. */
export const USUAL_GRANT_PURPOSES = [
  "TREAT",
  "ETREAT",
  "HRESCH",
  "HPAYMT",
] as const satisfies readonly Purpose[];

/** Purposes that a person who signs in is offered at once; the others are one step away. */
export const USUAL_SIGN_IN_PURPOSES = [
  "PATRQT",
  "TREAT",
  "ETREAT",
  "HRESCH",
] as const satisfies readonly Purpose[];

/** How a purpose is said, on each side. */
export function purposeInWords(purpose: Purpose): PurposeWords {
  return PURPOSE_WORDS[purpose];
}

/** "for treatment and for research" */
export function purposesInSentence(purposes: readonly Purpose[], locale = "en"): string {
  return conjunction(
    purposes.map((purpose) => PURPOSE_PHRASES[purpose]),
    locale,
  );
}

/** "Treatment, Research" */
export function purposesAsList(purposes: readonly Purpose[], locale = "en"): string {
  return new Intl.ListFormat(locale, { type: "unit", style: "short" }).format(
    purposes.map((purpose) => PURPOSE_WORDS[purpose].label),
  );
}

const ACTION_LABELS: Record<Action, string> = { VIEW: "Look", DOWNLOAD: "Download", SHARE: "Pass on" };

/** "look at and download" */
export function actionsInSentence(actions: readonly Action[], locale = "en"): string {
  return conjunction(
    actions.map((action) => ACTION_PHRASES[action]),
    locale,
  );
}

/** "Look, Download" */
export function actionsAsList(actions: readonly Action[], locale = "en"): string {
  return new Intl.ListFormat(locale, { type: "unit", style: "short" }).format(
    actions.map((action) => ACTION_LABELS[action]),
  );
}
