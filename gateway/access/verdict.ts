/** What a reader may open of one exam, and verdicts kept until something may have changed them. */
import type { Hex } from "../../protocol/hash.ts";
import type { LedgerReason } from "../../protocol/reasons.ts";
import type { Followed } from "../chain/eventFollower.ts";
import type { AllowedSeries } from "../dicomweb/access.ts";

/** The decision on an exam, or on one series of it. */
export type Verdict = {
  /** The reason to give: a stranger's is always `not-granted`. */
  reason: LedgerReason;
  /** What may be opened; empty with a denial. */
  series: AllowedSeries;
  /** With a permit: the second at which some of it ends by itself. */
  validUntil: number;
  /** Whether events and the end of validity are all that can change it. */
  lasts: boolean;
  /** Whether it rests on an emergency. */
  emergency: boolean;
};

/** A denial, for good as long as nothing happens. */
export function denial(reason: LedgerReason): Verdict {
  return { reason, series: new Set(), validUntil: 0, lasts: reason !== "not-yet-valid", emergency: false };
}

/**
 * Whether all that was permitted is permitted still. What has become an emergency since is another access: it has to be
 * recorded as one.
 */
export function stillHolds(verdict: Verdict, before: Pick<Verdict, "series" | "emergency">): boolean {
  if (verdict.reason !== "permitted" || (verdict.emergency && !before.emergency)) return false;
  const { series } = verdict;
  if (series === "all") return true;
  return before.series !== "all" && [...before.series].every((uid) => series.has(uid));
}

/** Above this many verdicts everything is dropped: simpler than counting uses, and rare. */
export const MOST_VERDICTS = 100_000;

type Kept = { patient: Hex; verdicts: Map<string, Verdict> };

/** Verdicts by exam and by a key that names reader, purpose, action and series. */
export class VerdictCache {
  readonly #exams = new Map<Hex, Kept>();
  readonly #examsOfPatient = new Map<Hex, Set<Hex>>();
  #generation = 0;
  /** Verdicts kept since everything was last dropped: anybody may ask for any series, under any address. */
  #kept = 0;

  /** Grows whenever verdicts are dropped: one that was begun before must not be kept after. */
  get generation(): number {
    return this.#generation;
  }

  /** The verdict, if it still holds. @param clocks every clock that must be before the end of a permit */
  get(examId: Hex, key: string, clocks: readonly number[]): Verdict | undefined {
    const verdict = this.#exams.get(examId)?.verdicts.get(key);
    if (verdict?.reason === "permitted" && clocks.some((clock) => clock >= verdict.validUntil))
      return undefined;
    return verdict;
  }

  set({ examId, patient }: { examId: Hex; patient: Hex }, key: string, verdict: Verdict): void {
    if (this.#kept >= MOST_VERDICTS) this.#clear();
    this.#kept += 1;
    const kept = this.#exams.get(examId) ?? { patient, verdicts: new Map() };
    kept.verdicts.set(key, verdict);
    this.#exams.set(examId, kept);
    const siblings = this.#examsOfPatient.get(patient) ?? new Set();
    this.#examsOfPatient.set(patient, siblings.add(examId));
  }

  /** Drop what may have changed. */
  drop(changes: Followed): void {
    if (changes === "all") {
      this.#clear();
      return;
    }
    if (changes.length > 0) this.#generation += 1;
    for (const change of changes) {
      const examIds = "examId" in change ? [change.examId] : (this.#examsOfPatient.get(change.patient) ?? []);
      for (const examId of examIds) this.#exams.get(examId)?.verdicts.clear();
    }
  }

  #clear(): void {
    this.#generation += 1;
    this.#kept = 0;
    this.#exams.clear();
    this.#examsOfPatient.clear();
  }
}
