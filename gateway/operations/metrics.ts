/** What Prometheus reads. Counts and times only: no address, no exam, no path. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { type Listener, openListener } from "../listener.ts";

/** Seconds. A frame takes milliseconds, a study that is downloaded minutes. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];

/** What is looked up when somebody asks. */
export type Readings = {
  /** Seconds between the head's time and the clock; null where no head was read yet. */
  headAge(): number | null;
  openExams(): number;
  watchStreams(): number;
};

export class Metrics {
  readonly #registry = new Registry();
  readonly #decisions = new Counter({
    name: "examkey_decisions_total",
    help: "Decisions that were recorded, by kind of question and reason",
    labelNames: ["route", "reason"] as const,
    registers: [this.#registry],
  });
  readonly #recording = new Gauge({
    name: "examkey_audit_queue",
    help: "Decisions that wait to be recorded",
    registers: [this.#registry],
  });
  readonly #problems = new Counter({
    name: "examkey_problems_total",
    help: "Requests that were refused or failed, by reason",
    labelNames: ["reason"] as const,
    registers: [this.#registry],
  });
  readonly #cuts = new Counter({
    name: "examkey_cut_answers_total",
    help: "Answers that ended before they were whole: access ended, the archive failed, or the client went away",
    registers: [this.#registry],
  });
  readonly #archiveErrors = new Counter({
    name: "examkey_archive_errors_total",
    help: "Requests to the archive that failed, also in the middle of a body",
    registers: [this.#registry],
  });
  readonly #relaySendings = new Counter({
    name: "examkey_relay_sendings_total",
    help: "Transactions given to a node for patients, those in the place of a stuck one included",
    registers: [this.#registry],
  });
  readonly #relayed = new Counter({
    name: "examkey_relayed_acts_total",
    help: "Patients' acts that were mined, or refused by the ledger after they were taken, by what became of them",
    labelNames: ["outcome"] as const,
    registers: [this.#registry],
  });
  readonly #relayQueue = new Gauge({
    name: "examkey_relay_queue",
    help: "Patients' acts that no block has yet",
    registers: [this.#registry],
  });
  readonly #durations = new Histogram({
    name: "examkey_http_request_duration_seconds",
    help: "From a request to the last byte of its answer, but for watch streams",
    labelNames: ["method", "route", "status"] as const,
    buckets: BUCKETS,
    registers: [this.#registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
  }

  /** Look these up at each scrape. */
  observe({ headAge, openExams, watchStreams }: Readings): void {
    const gauge = (name: string, help: string, read: () => number | null) =>
      new Gauge({
        name,
        help,
        registers: [this.#registry],
        collect() {
          this.set(read() ?? Number.NaN);
        },
      });
    gauge("examkey_chain_head_age_seconds", "Age of the chain's head by this machine's clock", headAge);
    gauge("examkey_open_exams", "Permits whose answers are under way", openExams);
    gauge("examkey_watch_streams", "Streams that tell viewers when access ends", watchStreams);
  }

  /** Count a decision once it is recorded, and those that are being recorded until then. */
  async recording<T>(
    { route, reason }: { route: string; reason: string },
    record: () => Promise<T>,
  ): Promise<T> {
    this.#recording.inc();
    try {
      const recorded = await record();
      this.#decisions.inc({ route, reason });
      return recorded;
    } finally {
      this.#recording.dec();
    }
  }

  problem(reason: string): void {
    this.#problems.inc({ reason });
  }

  archiveError(): void {
    this.#archiveErrors.inc();
  }

  /** How many of patients' acts no block has yet. */
  relayQueue(length: number): void {
    this.#relayQueue.set(length);
  }

  relaySent(): void {
    this.#relaySendings.inc();
  }

  /** @param outcome `mined`, or the reason of a refusal */
  relayEnded(outcome: string): void {
    this.#relayed.inc({ outcome });
  }

  /** Called when an answer is over, whole or not. */
  answered({ method, routeOptions }: FastifyRequest, reply: FastifyReply): void {
    if (!reply.raw.writableFinished) this.#cuts.inc();
    if (reply.getHeader("content-type") === "text/event-stream") return;
    const labels = { method, route: routeOptions.url ?? "none", status: String(reply.statusCode) };
    this.#durations.observe(labels, reply.elapsedTime / 1000);
  }

  /** The text that Prometheus reads, and its media type. */
  async text(): Promise<{ type: string; body: string }> {
    return { type: this.#registry.contentType, body: await this.#registry.metrics() };
  }
}

/** Serve `/metrics`, and nothing else, on a port of its own: it is for the custodian's own monitoring. */
export async function serveMetrics(metrics: Metrics, host: string, port: number): Promise<Listener> {
  const listener = await openListener(host, port, { host: "METRICS_HOST", port: "METRICS_PORT" });
  listener.serve(async ({ url, method }, response) => {
    if (url !== "/metrics" || method !== "GET") return response.writeHead(404).end();
    const { type, body } = await metrics.text();
    return response.writeHead(200, { "content-type": type, "cache-control": "no-store" }).end(body);
  });
  return listener;
}
