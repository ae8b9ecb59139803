/** `<gateway>/fhir`: a FHIR R4 server for reading. Refusals are OperationOutcomes. */
import type { FastifyInstance } from "fastify";
import { logFault, refuse, toProblem } from "../problem.ts";
import { type AuditEventRoutesContext, auditEventRoutes } from "./auditEvents.ts";
import { FHIR_JSON } from "./coding.ts";
import { operationOutcome } from "./outcome.ts";

export function registerFhirRoutes(app: FastifyInstance, context: AuditEventRoutesContext): void {
  app.register(
    async (routes) => {
      routes.setErrorHandler((error, request, reply) => {
        const problem = toProblem(error);
        if (problem.status >= 500) logFault(request, problem);
        const outcome = operationOutcome(problem.reason, problem.detail);
        return refuse(reply, problem).type(FHIR_JSON).send(JSON.stringify(outcome));
      });
      auditEventRoutes(routes, context);
    },
    { prefix: "/fhir" },
  );
}
