/** A patient whom the archive knows. */
export interface Candidate {
  patientId: string;
  /** Empty where the archive names none. */
  issuer: string;
}

/** The samples' patient ids, and which of the two patients has them: each gets several kinds of exam. */
export const SAMPLE_OWNERS: Readonly<Record<string, number>> = {
  "123565": 0,
  "556342B": 1,
  "1CT1": 1,
  "5MR2": 1,
  "QIN-HEADNECK-01-0024": 0,
  "832040": 0,
};

/**
 * Says which of `owners` gets which patient of the archive: those in `listed` as it says, all others in turn.
 * An owner may get several, or none where the archive knows fewer patients than that.
 */
export function deal<C extends Candidate, O>(
  candidates: readonly C[],
  owners: readonly O[],
  listed: Readonly<Record<string, number>>,
): { candidate: C; owner: O }[] {
  const inOrder = candidates.toSorted((a, b) => a.patientId.localeCompare(b.patientId, "en"));
  const unlisted = inOrder.filter(({ patientId }) => listed[patientId] === undefined);
  return inOrder.flatMap((candidate) => {
    const owner = owners[listed[candidate.patientId] ?? unlisted.indexOf(candidate) % owners.length];
    return owner === undefined ? [] : [{ candidate, owner }];
  });
}
