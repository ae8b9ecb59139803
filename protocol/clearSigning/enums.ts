/** The tables by which a descriptor says in words what is a number. */
import { EMERGENCY_REASONS } from "../reasons.ts";
import { ACTIONS, PURPOSES } from "../terms.ts";
import { ACTION_PHRASES, conjunction, PURPOSE_PHRASES } from "./words.ts";

/** Why the patient was not asked, after "because". */
const EMERGENCY_PHRASES: Readonly<Record<(typeof EMERGENCY_REASONS)[number], string>> = {
  none: "no reason was given",
  "life-threatening": "the patient's life is in danger",
  "patient-unresponsive": "the patient does not respond",
  "patient-incapable": "the patient cannot decide",
};

/**
 * Masks of purposes that have a line of their own in a descriptor. An `enum` of ERC-7730 knows single values, not masks,
 * and all 4,095 sets would make a file that no wallet carries: every set of up to three purposes has one, and every set
 * of the first four, which patients are offered at once.
 */
function isWrittenOut(mask: number): boolean {
  const size = PURPOSES.filter((_, bit) => (mask >>> bit) & 1).length;
  return size <= 3 || mask < 1 << 4;
}

/** The sets that have a line, each by its mask; in ASCII, since screens of hardware wallets know no other letters. */
function setsOf(phrases: readonly string[], has: (mask: number) => boolean): Record<string, string> {
  const masks = Array.from({ length: 2 ** phrases.length - 1 }, (_, index) => index + 1).filter(has);
  const inWords = (mask: number) => conjunction(phrases.filter((_, bit) => (mask >>> bit) & 1));
  return Object.fromEntries(masks.map((mask) => [mask, inWords(mask).replaceAll("’", "'")]));
}

/** The tables by which a descriptor names numbers, as `metadata.enums` of ERC-7730: value to words. */
export const ENUMS = {
  purposes: setsOf(
    PURPOSES.map((purpose) => PURPOSE_PHRASES[purpose]),
    isWrittenOut,
  ),
  actions: setsOf(
    ACTIONS.map((action) => ACTION_PHRASES[action]),
    () => true,
  ),
  emergencyReasons: Object.fromEntries(
    EMERGENCY_REASONS.map((reason, position) => [String(position), EMERGENCY_PHRASES[reason]]),
  ),
} as const satisfies Record<string, Record<string, string>>;

/** The name of a table. */
export type EnumName = keyof typeof ENUMS;
