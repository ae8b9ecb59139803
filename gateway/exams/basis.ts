/** What a reader's access to an exam rests on: an emergency, or the terms of those grants that open something of it now. */
import type { Exam } from "../../protocol/api.ts";
import type { Hex } from "../../protocol/hash.ts";
import { ACTIONS, PURPOSES, type Terms, unpackTerms } from "../../protocol/terms.ts";
import type { VisibleExam } from "../access/gate.ts";
import type { Grantees } from "../access/grantees.ts";
import type { Reader } from "../access/judge.ts";
import { lastRevokeAll, type Slot, slotsOfPatient } from "../access/slots.ts";
import type { Database } from "../database/database.ts";
import { coveringResources } from "../decision/question.ts";
import type { KnownSeries } from "./directory.ts";

/**
 * What a grantee may do, and for which purposes: as far as their grants are for the purpose that they came with. Told,
 * not decided: each request is the ledger's to judge.
 * @param series the exam's series that are written down
 */
export async function accessOf(
  { database, grantees }: { database: Database; grantees: Pick<Grantees, "namesOf"> },
  reader: Reader,
  visible: VisibleExam,
  series: readonly KnownSeries[],
): Promise<NonNullable<Exam["access"]>> {
  const { exam, series: allowed, validUntil, clocks, emergency } = visible;
  if (emergency)
    return { notAfter: validUntil, actions: ["VIEW", "DOWNLOAD"], purposes: [reader.purpose], emergency };
  const revokedAllAt = await lastRevokeAll(database, exam.patient);
  const written = (await slotsOfPatient(database, exam.patient)).filter(
    ({ kind, blockTime }) => kind === "revoked" || blockTime > revokedAllAt,
  );
  const names = await grantees.namesOf(reader.address, exam.patient);
  const slotsByName = names.map(
    (name) =>
      new Map(written.flatMap((slot) => (slot.grantee === name.grantee ? [[slot.resource, slot]] : []))),
  );
  const open = series.filter((one) => allowed === "all" || allowed.has(one.seriesInstanceUid));
  const paths = open.map((one) => coveringResources({ exam, series: one }));
  if (allowed === "all") paths.push(coveringResources({ exam, series: null }));
  const terms = slotsByName
    .flatMap((slots) => paths.flatMap((path) => termsAlong(path, slots)))
    .filter(({ notBefore, notAfter, purposes }) => {
      const isNow = notAfter >= validUntil && clocks.every((clock) => clock >= notBefore);
      return isNow && purposes.includes(reader.purpose);
    });
  return {
    notAfter: validUntil,
    emergency,
    actions: ACTIONS.filter((action) => terms.some(({ actions }) => actions.includes(action))),
    purposes: PURPOSES.filter((purpose) => terms.some(({ purposes }) => purposes.includes(purpose))),
  };
}

/** Terms on the way from the narrowest slot to the widest, as far as the ledger goes: a revoked one ends it. */
function termsAlong(path: readonly Hex[], slots: ReadonlyMap<Hex, Slot>): Terms[] {
  const found: Terms[] = [];
  for (const resource of path) {
    const slot = slots.get(resource);
    if (slot?.kind === "revoked") break;
    if (slot?.terms) found.push(unpackTerms(BigInt(slot.terms)));
  }
  return found;
}
