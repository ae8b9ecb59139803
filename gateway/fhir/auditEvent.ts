/**
 * Receipts as FHIR R4 AuditEvents, after IHE's Basic Audit Log Patterns (BALP 1.1.3): a permit is a PatientRead or a
 * PatientQuery, and says so. A denial has the same shape, another outcome and an OperationOutcome, as BALP asks of
 * failures; its profiles are for success, so it claims none. What the receipt leaves out is said to be absent.
 */
import type { AuditEvent, AuditEventAgent, AuditEventEntity } from "fhir/r4.js";
import type { Hex } from "../../protocol/hash.ts";
import { PROBLEM_STATUS, type ProblemReason } from "../../protocol/reasons.ts";
import type { Decided } from "../../protocol/receipt.ts";
import type { OpenedReceipt } from "../audit/aboutExams.ts";
import { absent, account, coding, examReference, purposeOfUse, uriIdentifier } from "./coding.ts";
import { operationOutcome } from "./outcome.ts";

/** Where and for whom receipts are told. */
export type AuditEventContext = {
  /** The gateway's public URL. */
  gateway: string;
  custodian: { address: Hex; name: string };
  patient: Hex;
  /** What the custodian calls an address; undefined for one that it does not know. */
  nameOf: (address: Hex) => string | undefined;
};

const PROFILES = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit";

/** A receipt about exams of one patient's. Null where nothing of it could be opened. */
export function auditEventOf(receipt: OpenedReceipt, context: AuditEventContext): AuditEvent | null {
  const [first] = receipt.opened;
  if (!first) return null;
  const { sequence, decided } = receipt;
  const isQuery = !isRead(decided.route);
  const isPermit = decided.reason === "permitted";
  const subtype = [coding("interaction", isQuery ? "search" : "read"), ...transactionOf(decided.route)];
  return {
    resourceType: "AuditEvent",
    id: String(sequence),
    ...(isPermit && { meta: { profile: [`${PROFILES}.${isQuery ? "PatientQuery" : "PatientRead"}`] } }),
    ...(!isPermit && { contained: [{ ...operationOutcome(decided.reason as ProblemReason), id: "why" }] }),
    type: coding("eventType", "rest"),
    subtype,
    action: isQuery ? "E" : "R",
    recorded: new Date(decided.decidedAt).toISOString(),
    ...outcomeOf(decided.reason),
    purposeOfEvent: purposesOf(decided),
    agent: agentsOf(receipt, first.contents, context),
    source: {
      observer: account("Organization", {
        chainId: decided.chainId,
        address: context.custodian.address,
        display: context.custodian.name,
      }),
      type: [coding("source", "4", "Application Server")],
    },
    entity: [
      patientEntity(receipt, context),
      ...(isQuery ? [queryEntity(receipt)] : []),
      ...receipt.opened.flatMap(({ contents: { examId } }) =>
        examId === null ? [] : [examEntity(receipt, examId, isQuery)],
      ),
      ...(isPermit ? [] : [{ type: coding("resource", "OperationOutcome"), what: { reference: "#why" } }]),
    ],
  };
}

/** Whether one exam is asked for, not a list. */
function isRead(route: string): boolean {
  return (
    route === "watch" || route.startsWith("WADO-RS") || (route.startsWith("FHIR") && route.endsWith("read"))
  );
}

/** The session's purpose, and that the glass was broken (BTG) where it was. */
function purposesOf({ purpose, emergency }: Decided) {
  return [purposeOfUse(purpose), ...(emergency ? [purposeOfUse("BTG")] : [])];
}

/** The transaction of IHE Radiology that a DICOMweb route is. */
function transactionOf(route: string) {
  if (route.startsWith("WADO-RS")) return [coding("iheEvent", "RAD-107", "WADO-RS Retrieve")];
  if (route.startsWith("QIDO-RS")) return [coding("iheEvent", "RAD-129", "QIDO-RS Query")];
  return [];
}

function outcomeOf(reason: string): Pick<AuditEvent, "outcome" | "outcomeDesc"> {
  if (reason === "permitted") return { outcome: "0" };
  const status = PROBLEM_STATUS[reason as ProblemReason];
  return { outcome: status < 500 ? "4" : "8", outcomeDesc: reason };
}

/** Client and server swap roles in a query, whose parameters flow the other way. */
function agentsOf(
  { decided }: OpenedReceipt,
  { caller, tokenId }: { caller: Hex; tokenId: string },
  { gateway, patient, nameOf }: AuditEventContext,
): AuditEventAgent[] {
  const { chainId, route } = decided;
  const destination = { coding: [coding("dicom", "110152", "Destination Role ID")] };
  const source = { coding: [coding("dicom", "110153", "Source Role ID")] };
  const [client, server] = isRead(route) ? [destination, source] : [source, destination];
  const token = `urn:ietf:params:oauth:jti:${tokenId}`;
  const name = nameOf(caller);
  const reader = { chainId, address: caller, display: name };
  return [
    {
      type: { coding: [coding("participation", "IRCP", "information recipient")] },
      who: account(caller === patient ? "Patient" : "Practitioner", reader),
      ...(name !== undefined && { name }),
      requestor: true,
      policy: [token],
      purposeOfUse: purposesOf(decided),
    },
    // Which app it was, and on which network, is not recorded.
    { type: client, who: { identifier: uriIdentifier(token) }, requestor: false, network: absent("unknown") },
    {
      type: server,
      who: { identifier: uriIdentifier(gateway) },
      requestor: false,
      network: { address: gateway, type: "5" },
    },
  ];
}

function patientEntity(
  { decided: { chainId } }: OpenedReceipt,
  { patient }: AuditEventContext,
): AuditEventEntity {
  return {
    what: account("Patient", { chainId, address: patient }),
    type: coding("entity", "1", "Person"),
    role: coding("role", "1", "Patient"),
  };
}

/** The exam, with what ties this to the receipt. In a query, BALP has the system object stand for the query itself. */
function examEntity({ decided, digest }: OpenedReceipt, examId: Hex, isQuery: boolean): AuditEventEntity {
  return {
    what: examReference(examId),
    type: isQuery ? coding("resource", "ImagingStudy") : coding("entity", "2", "System Object"),
    role: coding("role", "4", "Domain Resource"),
    detail: [
      { type: "urn:examkey:action", valueString: decided.action },
      { type: "urn:examkey:receipt", valueString: digest },
    ],
  };
}

/** The parameters are not recorded: they may hold UIDs, and names. */
function queryEntity({ decided: { route } }: OpenedReceipt): AuditEventEntity {
  return {
    type: coding("entity", "2", "System Object"),
    role: coding("role", "24", "Query"),
    description: route,
    _query: absent("masked"),
  };
}
