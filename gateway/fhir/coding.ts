/** The codes, and the names, that this gateway's FHIR resources (R4) use. */
import { getAddress } from "ethers";
import type { Coding, Identifier, Reference } from "fhir/r4.js";
import type { Hex } from "../../protocol/hash.ts";
import type { Purpose } from "../../protocol/terms.ts";

/** FHIR's media type in JSON. */
export const FHIR_JSON = "application/fhir+json; charset=utf-8";

/** An exam as searches name it: by its identifier, with or without the system that it is of. */
export const EXAM_IDENTIFIER = /^(urn:ietf:rfc:3986\|)?urn:examkey:exam:0x[0-9a-f]{64}$/;

const SYSTEMS = {
  act: "http://terminology.hl7.org/CodeSystem/v3-ActCode",
  action: "urn:examkey:action",
  consentAction: "http://terminology.hl7.org/CodeSystem/consentaction",
  loinc: "http://loinc.org",
  scope: "http://terminology.hl7.org/CodeSystem/consentscope",
  connection: "http://terminology.hl7.org/CodeSystem/endpoint-connection-type",
  dicom: "http://dicom.nema.org/resources/ontology/DCM",
  eventType: "http://terminology.hl7.org/CodeSystem/audit-event-type",
  interaction: "http://hl7.org/fhir/restful-interaction",
  iheEvent: "urn:ihe:event-type-code",
  participation: "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
  purpose: "http://terminology.hl7.org/CodeSystem/v3-ActReason",
  source: "http://terminology.hl7.org/CodeSystem/security-source-type",
  entity: "http://terminology.hl7.org/CodeSystem/audit-entity-type",
  role: "http://terminology.hl7.org/CodeSystem/object-role",
  resource: "http://hl7.org/fhir/resource-types",
} as const;

export function coding(system: keyof typeof SYSTEMS, code: string, display?: string): Coding {
  return { system: SYSTEMS[system], code, ...(display !== undefined && { display }) };
}

/** An HL7 PurposeOfUse, as the grant and the token have it, or "break the glass". */
export function purposeOfUse(purpose: Purpose | "BTG") {
  return { coding: [coding("purpose", purpose)] };
}

/** An identifier that is a URI. */
export function uriIdentifier(value: string): Identifier {
  return { system: "urn:ietf:rfc:3986", value };
}

/** Who has an address on the ledger's chain, as a DID (did:pkh over CAIP-10). @param display a name that the reader of it knows */
export function account(
  type: "Patient" | "Practitioner" | "Organization",
  { chainId, address, display }: { chainId: number; address: Hex; display?: string | undefined },
): Reference {
  const identifier = uriIdentifier(`did:pkh:eip155:${chainId}:${getAddress(address)}`);
  return { type, identifier, ...(display !== undefined && { display }) };
}

/** An exam, by its id on the ledger: never by its Study Instance UID. */
export function examReference(examId: Hex): Reference {
  return { type: "ImagingStudy", identifier: uriIdentifier(`urn:examkey:exam:${examId}`) };
}

/** Stands where a profile wants an element that this gateway does not record, or does not tell. */
export function absent(why: "unknown" | "masked") {
  const url = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";
  return { extension: [{ url, valueCode: why }] };
}
