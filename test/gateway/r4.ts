/** FHIR's own definitions (R4), to check resources against. */
import { Fhir } from "fhir/fhir.js";

const validator = new Fhir();

/** What R4 itself has to say against a resource. Its warnings are of codes that a value set may be extended by. */
export function faultsOf(resource: object) {
  const { messages } = validator.validate(resource, { errorOnUnexpected: true });
  return messages.filter(({ severity }) => severity === "error");
}
