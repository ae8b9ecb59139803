/** `/healthz`: the process is alive. `/readyz`: what it rests on is there, each part by name. */
import { setTimeout as delay } from "node:timers/promises";
import { sql } from "drizzle-orm";
import type { FastifyInstance } from "fastify";
import type { Readiness } from "../../protocol/api.ts";
import type { ProblemReason } from "../../protocol/reasons.ts";
import type { ArchiveClient } from "../archive/client.ts";
import type { Chain } from "../chain/chain.ts";
import type { Database } from "../database/database.ts";
import { binding } from "../database/schema.ts";
import { toProblem } from "../problem.ts";

/** Milliseconds that a part may take to answer. */
const PATIENCE = 2_000;

/** Milliseconds that a finding is kept: anybody may ask, and each asking would write to the database. */
const KEPT = 1_000;

export type HealthContext = {
  database: Database;
  chain: Pick<Chain, "headNow">;
  archive: Pick<ArchiveClient, "health">;
};

export function registerHealthRoutes(app: FastifyInstance, context: HealthContext): void {
  let kept: { checks: Promise<Readiness["checks"]>; at: number } | null = null;

  app.get("/healthz", async () => ({ status: "alive" }));

  app.get("/readyz", async (_request, reply) => {
    const now = performance.now();
    if (!kept || now - kept.at > KEPT) kept = { checks: checkAll(context), at: now };
    const checks = await kept.checks;
    const isReady = Object.values(checks).every((finding) => finding === "ok");
    if (!isReady) reply.code(503).header("retry-after", "2");
    return { status: isReady ? "ready" : "not-ready", checks } satisfies Readiness;
  });
}

async function checkAll({ database, chain, archive }: HealthContext): Promise<Readiness["checks"]> {
  const [databaseFinding, chainFinding, archiveFinding] = await Promise.all([
    findingOf("database-unavailable", () => canWrite(database)),
    findingOf("chain-unavailable", async () => chain.headNow()),
    findingOf("archive-unavailable", (signal) => archive.health({ signal })),
  ]);
  return { database: databaseFinding, chain: chainFinding, archive: archiveFinding };
}

/** A write that changes nothing: a database that is full or read-only still reads, and then nothing can be recorded. */
async function canWrite(database: Database): Promise<void> {
  await database.update(binding).set({ chainId: sql`${binding.chainId}` });
}

/** `ok`, or why not; what takes too long is down. */
async function findingOf(
  otherwise: ProblemReason,
  check: (signal: AbortSignal) => Promise<unknown>,
): Promise<ProblemReason | "ok"> {
  const late = new AbortController();
  const tooLate = delay(PATIENCE, otherwise, { signal: late.signal, ref: false }).catch(() => otherwise);
  const answer = check(AbortSignal.timeout(PATIENCE)).then(
    () => "ok" as const,
    (error: unknown) => {
      const { reason } = toProblem(error);
      return reason === "internal-error" ? otherwise : reason;
    },
  );
  const finding = await Promise.race([answer, tooLate]);
  late.abort();
  return finding;
}
