/**
 * Grants as FHIR R4 Consents (privacy consents, opt-in). R4 defines `active` as "to be followed or enforced" and `inactive`
 * as "terminated or replaced": a grant that is revoked or whose period is over is inactive. One that has yet to begin is
 * active, since it was agreed to and will be followed; when, its period says.
 */
import { createHash } from "node:crypto";
import type { CodeableConcept, Consent, ConsentProvision, ConsentProvisionData, Reference } from "fhir/r4.js";
import type { Grant } from "../../protocol/api.ts";
import type { Hex } from "../../protocol/hash.ts";
import { type Action, LATEST } from "../../protocol/terms.ts";
import { account, coding, examReference, uriIdentifier } from "./coding.ts";
import { imagingStudyId } from "./imagingStudy.ts";

/** Where and whose grants are told. */
export type ConsentContext = {
  chainId: number;
  ledger: Hex;
  custodian: { address: Hex; name: string };
  patient: Hex;
};

/** FHIR's nearest code beside the ledger's own: looking is access, taking a copy is to collect, passing on to disclose. */
const ACTION_CODES: Record<Action, string> = { VIEW: "access", DOWNLOAD: "collect", SHARE: "disclose" };

/** The last moment that a FHIR dateTime can name, in seconds since 1970-01-01 UTC. */
const LAST_DATE = Date.UTC(9999, 11, 31, 23, 59, 59) / 1000;

/** The id of a slot's Consent: its state changes, its id does not. */
export function consentId({ resource, grantee }: Pick<Grant, "resource" | "grantee">): string {
  return createHash("sha256").update(`${resource} ${grantee.word}`).digest("hex");
}

export function consentOf(grant: Grant, context: ConsentContext): Consent {
  const { chainId, ledger, custodian, patient } = context;
  const isLive = grant.state === "active" || grant.state === "scheduled";
  const granter = account("Patient", { chainId, address: patient });
  return {
    resourceType: "Consent",
    id: consentId(grant),
    status: isLive ? "active" : "inactive",
    scope: { coding: [coding("scope", "patient-privacy")] },
    category: [{ coding: [coding("loinc", "59284-0", "Consent Document")] }],
    patient: granter,
    dateTime: instant(grant.grantedAt),
    performer: [granter],
    organization: [account("Organization", { chainId, address: custodian.address, display: custodian.name })],
    policy: [{ uri: `urn:examkey:ledger:eip155:${chainId}:${ledger}` }],
    policyRule: { coding: [coding("act", "OPTIN")] },
    provision: provisionOf(grant, context),
  };
}

/** The rule of the grant itself; R4 gives a type to nested rules alone, which here are what the patient kept out of it. */
function provisionOf(grant: Grant, { chainId }: ConsentContext): ConsentProvision {
  const { period, grantee, purposes, actions, exceptions } = grant;
  const data = dataOf(grant);
  return {
    period: periodOf(period),
    actor: [{ role: { coding: [coding("participation", "IRCP")] }, reference: granteeOf(grantee, chainId) }],
    action: actions.map(actionOf),
    purpose: purposes.map((purpose) => coding("purpose", purpose)),
    ...(data && { data: [data] }),
    ...(exceptions.length > 0 && {
      provision: exceptions.map((resource) => ({ type: "deny", data: [resourceData(resource as Hex)] })),
    }),
  };
}

/** What it covers: nothing is named where that is every exam. */
function dataOf({ covers, examId, resource }: Grant): ConsentProvisionData | null {
  if (covers === "all" || covers === "custodian") return null;
  if (covers === "series" || examId === null) return resourceData(resource as Hex);
  const reference = `ImagingStudy/${imagingStudyId(examId as Hex)}`;
  return { meaning: "instance", reference: { reference, ...examReference(examId as Hex) } };
}

/** A series, or an exam that was kept out of a wider grant, by what the ledger calls it. */
function resourceData(resource: Hex): ConsentProvisionData {
  return {
    meaning: "instance",
    reference: { identifier: uriIdentifier(`urn:examkey:resource:${resource}`) },
  };
}

/** Whom it is for; one whose address nobody has told this gateway, by the blinded name. */
function granteeOf({ word, address, name }: Grant["grantee"], chainId: number): Reference {
  const display = name ?? undefined;
  if (address !== null) return account("Practitioner", { chainId, address: address as Hex, display });
  return { identifier: uriIdentifier(`urn:examkey:grantee:${word}`) };
}

function actionOf(action: Action): CodeableConcept {
  return { coding: [coding("action", action), coding("consentAction", ACTION_CODES[action])] };
}

/**
 * The ledger's period ends before `notAfter`, FHIR's with its end. The longest that the ledger knows is beyond FHIR's
 * calendar: it has no end.
 */
function periodOf({ notBefore, notAfter }: Grant["period"]): NonNullable<ConsentProvision["period"]> {
  const hasEnd = notAfter <= Math.min(LATEST, LAST_DATE);
  return { start: instant(notBefore), ...(hasEnd && { end: instant(notAfter - 1) }) };
}

function instant(seconds: number): string {
  return new Date(Math.min(seconds, LAST_DATE) * 1000).toISOString();
}
