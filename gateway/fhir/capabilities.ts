/** `GET /fhir/metadata`: what this server understands, to anybody (R4, 3.1.0.10). */
import type { FastifyInstance } from "fastify";
import type { CapabilityStatement, CapabilityStatementRestResource } from "fhir/r4.js";
import packageJson from "../../package.json" with { type: "json" };
import type { CustodianName } from "../exams/custodianName.ts";
import type { Site } from "../site.ts";
import { FHIR_JSON } from "./coding.ts";

export type CapabilityContext = { site: Site; custodianName: CustodianName };

/** When what is said here last changed. */
const CHANGED = "2026-11-29";

type SearchParameters = Record<string, [type: "token" | "number", documentation: string]>;

export function capabilityRoute(routes: FastifyInstance, { site, custodianName }: CapabilityContext): void {
  routes.get("/metadata", async (_, reply) => {
    const statement = capabilityStatement(`${site.url}/fhir`, await custodianName.read());
    return reply.type(FHIR_JSON).send(JSON.stringify(statement));
  });
}

function capabilityStatement(url: string, custodian: string): CapabilityStatement {
  return {
    resourceType: "CapabilityStatement",
    status: "active",
    date: CHANGED,
    kind: "instance",
    software: { name: "ExamKey gateway", version: packageJson.version },
    implementation: { description: `Imaging exams and who reads them, at ${custodian}`, url },
    fhirVersion: "4.0.1",
    format: ["application/fhir+json"],
    rest: [
      {
        mode: "server",
        security: {
          cors: true,
          description:
            "A bearer token in the header (RFC 6750), of a session that was signed in to with a wallet (EIP-4361). What is told depends on who asks: patients are told of what is theirs, others of what the ledger's grants open to them.",
        },
        resource: [
          searchable("AuditEvent", "To patients: what was recorded about their exams.", {
            "entity:identifier": ["token", "One exam, as urn:examkey:exam:0x…."],
            _count: ["number", "Resources in one answer, 200 at most."],
          }),
          searchable("Consent", "To patients: their own grants, ended ones included.", {
            status: ["token", "active or inactive."],
          }),
          searchable("ImagingStudy", "The exams that the caller may see now, as far as they may.", {
            identifier: ["token", "One exam, as urn:examkey:exam:0x…."],
          }),
          {
            type: "Endpoint",
            documentation: "Where the images of the exams are, by DICOMweb.",
            interaction: [{ code: "read" }],
          },
        ],
      },
    ],
  };
}

function searchable(
  type: CapabilityStatementRestResource["type"],
  documentation: string,
  parameters: SearchParameters,
): CapabilityStatementRestResource {
  return {
    type,
    documentation,
    interaction: [{ code: "read" }, { code: "search-type" }],
    searchParam: Object.entries(parameters).map(([name, [kind, meaning]]) => ({
      name,
      type: kind,
      documentation: meaning,
    })),
  };
}
