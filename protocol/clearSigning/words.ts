/** The phrases of which sentences about an act are made: "… may look at one of your exams, for treatment, until …". */
import type { Action, Purpose } from "../terms.ts";

/** Why, inside a sentence. */
export const PURPOSE_PHRASES: Readonly<Record<Purpose, string>> = {
  TREAT: "for treatment",
  ETREAT: "for emergency treatment",
  HPAYMT: "for payment",
  HRESCH: "for research",
  PATRQT: "at the patient’s request",
  FAMRQT: "at the family’s request",
  PWATRNY: "by power of attorney",
  SUPNWK: "for the support network",
  HOPERAT: "for running the hospital",
  PUBHLTH: "for public health",
  HLEGAL: "for legal matters",
  TRAIN: "for teaching",
};

/** What somebody may do with an exam, inside a sentence. */
export const ACTION_PHRASES: Readonly<Record<Action, string>> = {
  VIEW: "look at",
  DOWNLOAD: "download",
  SHARE: "pass on",
};

/** "look at and download" */
export function conjunction(phrases: readonly string[], locale = "en"): string {
  return new Intl.ListFormat(locale, { type: "conjunction" }).format(phrases);
}
