/** `GET /exams/:examId/manifest`: what a reader checks by that what was delivered is what was registered. */
import type { FastifyInstance } from "fastify";
import type { Manifest } from "../../protocol/api.ts";
import type { Hex } from "../../protocol/hash.ts";
import type { Gate } from "../access/gate.ts";
import type { Database } from "../database/database.ts";
import { Problem } from "../problem.ts";
import { examIdOf } from "./examId.ts";
import { describeManifest, manifestOf, rootOf } from "./manifest.ts";

export type ManifestContext = {
  gate: Gate;
  database: Database;
  /** Whether the ledger has yet to be brought to what is kept of an exam. */
  isWaiting: (examId: Hex) => Promise<boolean>;
};

export function registerManifestRoute(app: FastifyInstance, context: ManifestContext): void {
  const { gate, database, isWaiting } = context;

  app.get<{ Params: { examId: string } }>("/exams/:examId/manifest", async (request): Promise<Manifest> => {
    const caller = await gate.signedIn(request);
    const examId = examIdOf(request.params);
    const { exam, series, signal } = await gate.openExam(caller, examId, {
      action: "VIEW",
      route: "manifest",
    });
    const instances = await manifestOf(database, examId);
    if (instances.length === 0) throw new Problem("not-found", "The manifest of this exam is not kept yet.");
    const described = describeManifest(exam.salt, instances, series);
    const manifestRoot = rootOf(exam.salt, instances);
    const isPending = await isWaiting(examId);
    signal.throwIfAborted();
    return { examId, manifestRoot, isPending, ...described };
  });
}
