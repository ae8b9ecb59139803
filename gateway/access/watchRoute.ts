/** `GET /exams/:examId/watch`: tells a viewer the moment access ends, as server-sent events. */
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import type { Hex } from "../../protocol/hash.ts";
import { Problem, toProblem } from "../problem.ts";
import type { Gate } from "./gate.ts";

/** Milliseconds between comments that keep the stream alive, and show a viewer that it still is. */
const HEARTBEAT = 2_000;

export function registerWatchRoute(app: FastifyInstance, gate: Gate): void {
  app.get<{ Params: { examId: string } }>("/exams/:examId/watch", async (request, reply) => {
    const caller = await gate.authenticate(request);
    const { examId } = request.params;
    if (!/^0x[0-9a-f]{64}$/.test(examId)) throw new Problem("malformed-request", "That is not an exam's id.");
    const open = await gate.openExam(caller, examId as Hex, { action: "VIEW", route: "watch" });
    reply.header("content-type", "text/event-stream");
    // Proxies that buffer would hold the news back.
    reply.header("x-accel-buffering", "no");
    return reply.send(Readable.from(events(open)));
  });
}

/** `permitted`, heartbeats for as long as that holds, then `ended` with the problem. */
async function* events({
  validUntil,
  signal,
}: {
  validUntil: number;
  signal: AbortSignal;
}): AsyncGenerator<string> {
  yield `event: permitted\ndata: ${JSON.stringify({ validUntil })}\n\n`;
  while (!signal.aborted) {
    const ended = await delay(HEARTBEAT, false, { signal }).catch(() => true);
    if (!ended) yield ": still permitted\n\n";
  }
  yield `event: ended\ndata: ${JSON.stringify(toProblem(signal.reason))}\n\n`;
}
