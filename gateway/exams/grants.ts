/** A patient's grants in plain words, ended ones included. */
import { and, desc, eq } from "drizzle-orm";
import { getAddress } from "ethers";
import type { Grant, Person } from "../../protocol/api.ts";
import type { Hex } from "../../protocol/hash.ts";
import { ALL_EXAMS_RESOURCE, addressOfGrantee, examsAtResource } from "../../protocol/ids.ts";
import { unpackTerms } from "../../protocol/terms.ts";
import type { Grantees } from "../access/grantees.ts";
import { lastRevokeAll, type Slot, slotsOfPatient } from "../access/slots.ts";
import type { Database } from "../database/database.ts";
import { ledgerEvents } from "../database/schema.ts";
import type { ExamDirectory } from "./directory.ts";
import { listPeople } from "./people.ts";

export type GrantsContext = {
  database: Database;
  directory: ExamDirectory;
  custodian: Hex;
  grantees: Pick<Grantees, "readersOf">;
};

/** Who is known by name, and whose blinded grantees are. */
type Known = { people: ReadonlyMap<string, Person>; blinded: ReadonlyMap<Hex, Hex> };

/** What a resource covers. */
type Covered = Pick<Grant, "covers" | "examId" | "seriesInstanceUid">;

/**
 * Every slot that the patient wrote for something of theirs here, newest first. A slot that was only ever revoked is no
 * grant: it is among the exceptions of the wider ones.
 * @param clocks seconds since 1970-01-01 UTC: a grant is active where every clock says so
 */
export async function listGrants(
  context: GrantsContext,
  patient: Hex,
  clocks: readonly number[],
): Promise<Grant[]> {
  const { database } = context;
  const covered = await coveredResources(context, patient);
  const people = new Map((await listPeople(database)).map((person) => [person.address, person]));
  const known = { people, blinded: await context.grantees.readersOf(patient) };
  const revokedAllAt = await lastRevokeAll(database, patient);
  const slots = await slotsOfPatient(database, patient);
  const grants: Grant[] = [];
  for (const slot of slots) {
    const covers = covered.get(slot.resource);
    const granted = covers && (await grantBehind(database, slot));
    if (!covers || !granted?.terms) continue;
    const { notBefore, notAfter, purposes, actions } = unpackTerms(BigInt(granted.terms));
    const isRevoked = slot.kind === "revoked" || granted.blockTime <= revokedAllAt;
    grants.push({
      resource: slot.resource,
      ...covers,
      exceptions: exceptionsTo(slot, slots, covered),
      grantee: granteeInWords(slot.grantee, known),
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

function granteeInWords(word: Hex, { people, blinded }: Known): Grant["grantee"] {
  const reader = addressOfGrantee(word) ?? blinded.get(word);
  const address = reader === undefined ? null : getAddress(reader);
  const person = address === null ? undefined : people.get(address);
  return { word, address, name: person?.name ?? null, role: person?.role ?? null };
}

async function coveredResources(
  { directory, custodian }: GrantsContext,
  patient: Hex,
): Promise<Map<Hex, Covered>> {
  const covered = new Map<Hex, Covered>([
    [ALL_EXAMS_RESOURCE, { covers: "all", examId: null, seriesInstanceUid: null }],
    [examsAtResource(custodian), { covers: "custodian", examId: null, seriesInstanceUid: null }],
  ]);
  for (const { examId } of await directory.ofPatient(patient)) {
    covered.set(examId, { covers: "exam", examId, seriesInstanceUid: null });
    for (const { resource, seriesInstanceUid } of await directory.seriesOf(examId)) {
      covered.set(resource, { covers: "series", examId, seriesInstanceUid });
    }
  }
  return covered;
}

/** Resources within what a slot covers that its grantee was revoked. */
function exceptionsTo(slot: Slot, slots: readonly Slot[], covered: ReadonlyMap<Hex, Covered>): Hex[] {
  const wide = covered.get(slot.resource);
  return slots.flatMap(({ kind, grantee, resource }) => {
    const narrow = covered.get(resource);
    const isRevoked = kind === "revoked" && grantee === slot.grantee;
    return isRevoked && wide && narrow && isWithin(narrow, wide) ? [resource] : [];
  });
}

/** From the narrowest to the widest. */
const WIDTHS: readonly Grant["covers"][] = ["series", "exam", "custodian", "all"];

function isWithin(narrow: Covered, wide: Covered): boolean {
  const isNarrower = WIDTHS.indexOf(narrow.covers) < WIDTHS.indexOf(wide.covers);
  return isNarrower && (wide.examId === null || wide.examId === narrow.examId);
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
