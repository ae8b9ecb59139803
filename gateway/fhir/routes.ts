/** `<gateway>/fhir`: a FHIR R4 server for reading. Refusals are OperationOutcomes. */
import type { FastifyInstance } from "fastify";
import { logFault, refuse, toProblem } from "../problem.ts";
import { type AuditEventRoutesContext, auditEventRoutes } from "./auditEvents.ts";
import { type CapabilityContext, capabilityRoute } from "./capabilities.ts";
import { FHIR_JSON } from "./coding.ts";
import { type ConsentRoutesContext, consentRoutes } from "./consents.ts";
import { type ImagingStudyRoutesContext, imagingStudyRoutes } from "./imagingStudies.ts";
import { operationOutcome } from "./outcome.ts";

type FhirContext = AuditEventRoutesContext &
  ImagingStudyRoutesContext &
  ConsentRoutesContext &
  CapabilityContext;

export function registerFhirRoutes(app: FastifyInstance, context: FhirContext): void {
  app.register(
    async (routes) => {
      routes.setErrorHandler((error, request, reply) => {
        const problem = toProblem(error);
        if (problem.status >= 500) logFault(request, problem);
        const outcome = operationOutcome(problem.reason, problem.detail);
        return refuse(reply, problem).type(FHIR_JSON).send(JSON.stringify(outcome));
      });
      capabilityRoute(routes, context);
      auditEventRoutes(routes, context);
      imagingStudyRoutes(routes, context);
      consentRoutes(routes, context);
    },
    { prefix: "/fhir" },
  );
}
