export { belongsTo, fetchDiscovery, type Gateway, type Mismatch, mismatchOf } from "./gateway.ts";
export { GatewayError, ownProblem, toProblem } from "./problem.ts";
export { ask, askJson } from "./request.ts";
