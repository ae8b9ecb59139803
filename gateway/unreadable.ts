/** What cannot be read as HTTP: it reaches no route, and is refused with a problem all the same. */
import type { Socket } from "node:net";
import type { ProblemReason } from "../protocol/reasons.ts";
import { PROBLEM_TYPE, Problem } from "./problem.ts";

/** What Node's parser found, where that has a reason of its own. */
const REASONS: Record<string, ProblemReason> = { HPE_HEADER_OVERFLOW: "too-large" };

/** Answer a connection whose bytes are no request, as Fastify's `clientErrorHandler`, and close it. */
export function refuseUnreadable({ code }: { code?: string }, socket: Socket): void {
  // Who has gone needs no answer, and who sent nothing in time has asked for nothing.
  if (code === "ECONNRESET" || code === "ERR_HTTP_REQUEST_TIMEOUT" || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = new Problem(REASONS[code ?? ""] ?? "malformed-request");
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} Refused`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Cache-Control: private, no-store",
    "X-Content-Type-Options: nosniff",
    "Connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
