/** A patient's grants in plain words, ended ones included. */
import { and, desc, eq } from "drizzle-orm";
import { getAddress } from "ethers";
import type { Grant } from "../../protocol/api.ts";
import type { Hex } from "../../protocol/hash.ts";
import { addressOfGrantee } from "../../protocol/ids.ts";
import { unpackTerms } from "../../protocol/terms.ts";
import { lastRevokeAll, type Slot, slotsOfPatient } from "../access/slots.ts";
import type { Database } from "../database/database.ts";
import { ledgerEvents } from "../database/schema.ts";
import type { ExamDirectory } from "./directory.ts";
import { listPeople } from "./people.ts";

/** What a resource covers. */
type Covered = Pick<Grant, "covers" | "examId" | "seriesInstanceUid">;

/**
 * Every slot that the patient wrote for an exam of theirs here, newest first. Left out are slots of blinded grantees, whom
 * nobody here can name.
 * @param clocks seconds since 1970-01-01 UTC: a grant is active where every clock says so
 */
export async function listGrants(
  { database, directory }: { database: Database; directory: ExamDirectory },
  patient: Hex,
  clocks: readonly number[],
): Promise<Grant[]> {
  const covered = await coveredResources(directory, patient);
  const people = new Map((await listPeople(database)).map((person) => [person.address, person]));
  const revokedAllAt = await lastRevokeAll(database, patient);
  const grants: Grant[] = [];
  for (const slot of await slotsOfPatient(database, patient)) {
    const covers = covered.get(slot.resource);
    const granted = await grantBehind(database, slot);
    const grantee = addressOfGrantee(slot.grantee);
    if (!covers || !grantee || !granted?.terms) continue;
    const { notBefore, notAfter, purposes, actions } = unpackTerms(BigInt(granted.terms));
    const address = getAddress(grantee);
    const person = people.get(address);
    const isRevoked = slot.kind === "revoked" || granted.blockTime <= revokedAllAt;
    grants.push({
      resource: slot.resource,
      ...covers,
      grantee: { address, name: person?.name ?? null, role: person?.role ?? null },
      period: { notBefore, notAfter },
      purposes,
      actions,
      grantedAt: granted.blockTime,
      state: isRevoked ? "revoked" : stateAt({ notBefore, notAfter }, clocks),
    });
  }
  return grants;
}

function stateAt({ notBefore, notAfter }: Grant["period"], clocks: readonly number[]): Grant["state"] {
  if (clocks.some((clock) => clock >= notAfter)) return "expired";
  return clocks.some((clock) => clock < notBefore) ? "scheduled" : "active";
}

async function coveredResources(directory: ExamDirectory, patient: Hex): Promise<Map<Hex, Covered>> {
  const covered = new Map<Hex, Covered>();
  for (const { examId } of await directory.ofPatient(patient)) {
    covered.set(examId, { covers: "exam", examId, seriesInstanceUid: null });
    for (const { resource, seriesInstanceUid } of await directory.seriesOf(examId)) {
      covered.set(resource, { covers: "series", examId, seriesInstanceUid });
    }
  }
  return covered;
}

/** What a slot grants, or granted before it was revoked; undefined for a revoke of what never was. */
async function grantBehind(
  database: Database,
  slot: Slot,
): Promise<typeof ledgerEvents.$inferSelect | undefined> {
  if (slot.kind === "granted") return slot;
  const [before] = await database
    .select()
    .from(ledgerEvents)
    .where(
      and(
        eq(ledgerEvents.kind, "granted"),
        eq(ledgerEvents.patient, slot.patient),
        eq(ledgerEvents.resource, slot.resource),
        eq(ledgerEvents.grantee, slot.grantee),
      ),
    )
    .orderBy(desc(ledgerEvents.nonce))
    .limit(1);
  return before;
}
