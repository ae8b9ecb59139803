export { belongsTo, fetchDiscovery, type Gateway, type Mismatch, mismatchOf } from "./gateway.ts";
export { GatewayError, ownProblem, problemOf, toProblem } from "./problem.ts";
export { ask, askJson, type RequestOptions } from "./request.ts";
