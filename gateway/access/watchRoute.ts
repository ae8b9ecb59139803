/** `GET /exams/:examId/watch`: tells a viewer the moment access ends, as server-sent events. */
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import { examIdOf } from "../exams/examId.ts";
import type { Limits } from "../operations/limits.ts";
import { Problem, toProblem } from "../problem.ts";
import type { Gate } from "./gate.ts";

/** Milliseconds between comments that keep the stream alive, and show a viewer that it still is. */
const HEARTBEAT = 2_000;

/** What the route needs. `closing` aborts with the problem that ends every stream. */
export type WatchContext = { gate: Gate; limits: Pick<Limits, "takeStream">; closing: AbortSignal };

export function registerWatchRoute(app: FastifyInstance, { gate, limits, closing }: WatchContext): void {
  app.get<{ Params: { examId: string } }>("/exams/:examId/watch", async (request, reply) => {
    const caller = await gate.signedIn(request);
    const examId = examIdOf(request.params);
    reply.raw.once("close", limits.takeStream(request));
    const open = await gate.openExam(caller, examId, { action: "VIEW", route: "watch" });
    reply.header("content-type", "text/event-stream");
    // Proxies that buffer would hold the news back.
    reply.header("x-accel-buffering", "no");
    const signal = AbortSignal.any([open.signal, closing]);
    return reply.send(Readable.from(events({ ...open, signal }, caller.token.expiresAt)));
  });
}

/**
 * `permitted`, heartbeats for as long as that holds, then `ended` with the problem. The token's end is one, too: a
 * viewer goes on with a renewed one.
 * @param expiresAt when the token runs out, in seconds since 1970-01-01 UTC
 */
async function* events(
  { validUntil, signal }: { validUntil: number; signal: AbortSignal },
  expiresAt: number,
): AsyncGenerator<string> {
  yield `event: permitted\ndata: ${JSON.stringify({ validUntil })}\n\n`;
  for (;;) {
    const left = expiresAt * 1000 - Date.now();
    const ended = await delay(Math.max(0, Math.min(HEARTBEAT, left)), false, { signal }).catch(() => true);
    if (ended) return yield endedBy(toProblem(signal.reason));
    if (left <= HEARTBEAT) return yield endedBy(new Problem("token-expired"));
    yield ": still permitted\n\n";
  }
}

function endedBy(problem: Problem): string {
  return `event: ended\ndata: ${JSON.stringify(problem)}\n\n`;
}
