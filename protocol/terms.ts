/**
 * Terms of a grant, and the one word they travel in:
 *
 * ```
 * bit 255      128 127     112 111       80 79       40 39        0
 *     ┌───────────┬───────────┬────────────┬───────────┬───────────┐
 *     │ zero  128 │ actions 16│ purposes 32│ notAfter40│notBefore40│
 *     └───────────┴───────────┴────────────┴───────────┴───────────┘
 * ```
 *
 * The ledger refuses a word whose upper half is not zero, and one with an empty period, no purpose or no action.
 */
import { ProtocolError } from "./errors.ts";

/**
 * Why data is used: codes of HL7's PurposeOfUse (v3 ActReason). A purpose is one bit, at its position here;
 * positions are final, new purposes go to the end.
 */
export const PURPOSES = [
  "TREAT",
  "ETREAT",
  "HPAYMT",
  "HRESCH",
  "PATRQT",
  "FAMRQT",
  "PWATRNY",
  "SUPNWK",
  "HOPERAT",
  "PUBHLTH",
  "HLEGAL",
  "TRAIN",
] as const;

/** Before a purpose: the resource by which a sign-in message (EIP-4361) names the one that a session is for. */
export const PURPOSE_URN = "urn:examkey:purpose:";

/** What is done with an exam. An action is one bit, at its position here. */
export const ACTIONS = ["VIEW", "DOWNLOAD", "SHARE"] as const;

export type Purpose = (typeof PURPOSES)[number];
export type Action = (typeof ACTIONS)[number];

/**
 * What a patient grants. The period is half-open, in whole seconds since 1970-01-01 UTC:
 * it covers `t` where `notBefore <= t < notAfter`.
 */
export type Terms = { notBefore: number; notAfter: number; purposes: Purpose[]; actions: Action[] };

/** The last second that a period can name: 40 bits reach the year 36812. */
export const LATEST = 2 ** 40 - 1;

const NOT_AFTER_SHIFT = 40n;
const PURPOSES_SHIFT = 80n;
const ACTIONS_SHIFT = 112n;
const PERIOD_MASK = (1n << 40n) - 1n;
const PURPOSES_MASK = (1n << 32n) - 1n;
const ACTIONS_MASK = (1n << 16n) - 1n;

/** Purposes as a bit mask. @throws {ProtocolError} `no-purpose`, `unknown-purpose` */
export function purposesToMask(purposes: readonly Purpose[]): number {
  if (purposes.length === 0) throw new ProtocolError("no-purpose", "Terms need at least one purpose.");
  return toMask(PURPOSES, purposes, "unknown-purpose");
}

/** Purposes of a bit mask, in the order of `PURPOSES`. Bits without a name here are left out: nobody can ask for them. */
export function maskToPurposes(mask: number): Purpose[] {
  return PURPOSES.filter((_, bit) => (mask >>> bit) & 1);
}

/** Actions as a bit mask. @throws {ProtocolError} `no-action`, `unknown-action` */
export function actionsToMask(actions: readonly Action[]): number {
  if (actions.length === 0) throw new ProtocolError("no-action", "Terms need at least one action.");
  return toMask(ACTIONS, actions, "unknown-action");
}

/** Actions of a bit mask, in the order of `ACTIONS`. Bits without a name here are left out: nobody can ask for them. */
export function maskToActions(mask: number): Action[] {
  return ACTIONS.filter((_, bit) => (mask >>> bit) & 1);
}

/**
 * The word that `ConsentLedger.grant` takes.
 * @throws {ProtocolError} `invalid-period`, `no-purpose`, `unknown-purpose`, `no-action`, `unknown-action`
 */
export function packTerms({ notBefore, notAfter, purposes, actions }: Terms): bigint {
  for (const second of [notBefore, notAfter]) {
    if (!Number.isInteger(second) || second < 0 || second > LATEST) {
      throw new ProtocolError("invalid-period", `Not a time in whole seconds since 1970: ${second}`);
    }
  }
  if (notAfter <= notBefore) {
    throw new ProtocolError(
      "invalid-period",
      `The period ends (${notAfter}) before it begins (${notBefore}).`,
    );
  }
  return packMasks({
    notBefore,
    notAfter,
    purposes: purposesToMask(purposes),
    actions: actionsToMask(actions),
  });
}

/** Terms as typed data has them: purposes and actions are masks. */
export type TermsMasks = Record<"notBefore" | "notAfter" | "purposes" | "actions", number>;

/** The word of terms that are masks: whether they make sense is the ledger's to say. */
export function packMasks(terms: TermsMasks): bigint {
  return (
    BigInt(terms.notBefore) |
    (BigInt(terms.notAfter) << NOT_AFTER_SHIFT) |
    (BigInt(terms.purposes) << PURPOSES_SHIFT) |
    (BigInt(terms.actions) << ACTIONS_SHIFT)
  );
}

/**
 * Terms of a word from the ledger. Purposes and actions that a later version named are left out, so either
 * list may be empty. @throws {ProtocolError} `invalid-terms-word` for a word that the ledger cannot hold
 */
export function unpackTerms(word: bigint): Terms {
  if (word < 0n || word >> 128n !== 0n) {
    throw new ProtocolError("invalid-terms-word", `Not a terms word: 0x${word.toString(16)}`);
  }
  const masks = unpackMasks(word);
  return { ...masks, purposes: maskToPurposes(masks.purposes), actions: maskToActions(masks.actions) };
}

/** The fields of a word of terms, as typed data has them. */
export function unpackMasks(word: bigint): TermsMasks {
  return {
    notBefore: Number(word & PERIOD_MASK),
    notAfter: Number((word >> NOT_AFTER_SHIFT) & PERIOD_MASK),
    purposes: Number((word >> PURPOSES_SHIFT) & PURPOSES_MASK),
    actions: Number((word >> ACTIONS_SHIFT) & ACTIONS_MASK),
  };
}

function toMask<T extends string>(
  names: readonly T[],
  chosen: readonly T[],
  code: "unknown-purpose" | "unknown-action",
): number {
  return chosen.reduce((mask, name) => {
    const bit = names.indexOf(name);
    if (bit < 0) throw new ProtocolError(code, `Not one of ${names.join(", ")}: ${name}`);
    return mask | (1 << bit);
  }, 0);
}
