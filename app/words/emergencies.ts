/** Why a patient was not asked, in words. */
import type { EmergencyReason } from "../../protocol/reasons.ts";

interface EmergencyWords {
  /** To the practitioner, who chooses it. */
  label: string;
  /** To the patient, after "because". */
  because: string;
}

const WORDS: Readonly<Record<EmergencyReason, EmergencyWords>> = {
  "life-threatening": {
    label: "The patient’s life is in danger",
    because: "your life was in danger",
  },
  "patient-unresponsive": {
    label: "The patient does not respond",
    because: "you did not respond",
  },
  "patient-incapable": {
    label: "The patient cannot decide",
    because: "you could not decide",
  },
};

/** The reasons that there are, as they are chosen from. */
export const EMERGENCY_CHOICES = Object.keys(WORDS) as readonly EmergencyReason[];

/** A reason in words. */
export function emergencyInWords(reason: EmergencyReason): EmergencyWords {
  return WORDS[reason];
}
