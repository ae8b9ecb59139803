/**
 * The admin API: enrolment, import, and the log of receipts for whoever checks it, for people at the custodian's own machine. It listens on loopback alone, on a
 * port and with a token made anew for each process, which only this user can read.
 */
import { randomBytes } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from "fastify";
import { z } from "zod";
import type {
  ArchivedPatient,
  AuditAbout,
  Candidates,
  ErasureStep,
  Outbox,
  Progress,
  VerifyStep,
} from "../../protocol/adminApi.ts";
import type { Hex } from "../../protocol/hash.ts";
import type { ArchiveClient } from "../archive/client.ts";
import { studyUidOf } from "../archive/studyUid.ts";
import { exportKeyIds, exportReceipts } from "../audit/export.ts";
import { lastSequence } from "../audit/log.ts";
import { requireBearer } from "../auth/bearer.ts";
import type { Database } from "../database/database.ts";
import type { Erasure } from "../erasure/erasure.ts";
import type { ArchiveFacts } from "../exams/facts.ts";
import { enrolPractitioner } from "../exams/people.ts";
import { logFault, Problem, sendProblem, toProblem } from "../problem.ts";
import type { Enrolment } from "./enrolment.ts";
import type { OutboxWorker, Waiting } from "./outboxWorker.ts";
import { type ArchivePatient, findPatient, listPatients } from "./patients.ts";
import type { Verification } from "./verification.ts";
import type { ArchiveWatcher } from "./watcher.ts";

/** Largest DICOM file that can be imported, in bytes: it is held in memory once. */
const LARGEST_FILE = 2 * 1024 ** 3;

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/)
  .transform((text) => text.toLowerCase() as Hex);
const examIdSchema = z
  .string()
  .regex(/^0x[0-9a-f]{64}$/)
  .transform((text) => text as Hex);
const words = z.string().trim().min(1).max(200);
const patientIdSchema = z.object({ patientId: words, issuer: z.string().trim().max(200).optional() });
const enrolSchema = patientIdSchema.extend({ address, replace: z.boolean().default(false) });
const afterSchema = z.object({ after: z.coerce.number().int() });
const uid = z.string().regex(/^[0-9.]{1,64}$/);
const erasedSchema = z.union([
  z.strictObject({ studyInstanceUid: uid }),
  z.strictObject({ examId: examIdSchema }),
  z.strictObject(patientIdSchema.shape),
]);
const erasureSchema = z.object({ named: erasedSchema, withhold: z.boolean().default(false) });
const practitionerSchema = z.object({ address, name: words, role: words, badge: address.optional() });

export type AdminContext = {
  database: Database;
  archive: ArchiveClient;
  enrolment: Enrolment;
  facts: ArchiveFacts;
  outbox: OutboxWorker;
  verification: Verification;
  erasure: Erasure;
  watcher: ArchiveWatcher;
  /** What receipts are signed and anchored for. */
  ledger: Omit<AuditAbout, "last">;
  /** Files of the embedded archive that could not be read. */
  unreadable: readonly { file: string; reason: string }[];
  dataDir: string;
  log: FastifyBaseLogger;
};

export type AdminServer = { url: string; token: string; close(): Promise<void> };

/** Listen, and leave `{url, token}` in `admin.json` of the data folder for the scripts. */
export async function startAdminServer(context: AdminContext): Promise<AdminServer> {
  const token = randomBytes(32).toString("base64url");
  const app = Fastify({
    loggerInstance: context.log,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
  });
  app.addHook("onRequest", async (request) => requireBearer(request, token));
  app.setErrorHandler((error, request, reply) => {
    const problem = toProblem(error);
    if (problem.status >= 500) logFault(request, problem);
    return sendProblem(reply, problem);
  });
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, new Problem("not-found")));
  registerRoutes(app, context);
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  const file = join(context.dataDir, "admin.json");
  // With PostgreSQL and an archive elsewhere, nothing else is kept here.
  await mkdir(context.dataDir, { recursive: true, mode: 0o700 });
  await rm(file, { force: true });
  await writeFile(file, JSON.stringify({ url, token }), { mode: 0o600 });
  return {
    url,
    token,
    async close() {
      await rm(file, { force: true });
      await app.close();
    },
  };
}

function registerRoutes(app: FastifyInstance, context: AdminContext): void {
  const { archive, database, enrolment, erasure, facts, outbox, verification, watcher } = context;
  const describe = async (patient: ArchivePatient): Promise<ArchivedPatient> => ({
    ...patient,
    enrolledTo: await enrolment.enrolledTo(patient),
  });
  const describeWaiting = async (waiting: Waiting) => {
    const { examId, studyInstanceUid, state, since, sentAt, why } = waiting;
    // What waits is told also where the archive cannot say what it is.
    const study = await facts.study(studyInstanceUid).catch(() => null);
    const { description = null, studyDate = null } = study ?? {};
    return { examId, act: actIn(state), description, studyDate, since, sentAt, why };
  };

  app.get("/patients/candidates", async (): Promise<Candidates> => {
    const { patients, withoutPatientId } = await listPatients(archive);
    const described = await Promise.all(patients.map(describe));
    return { patients: described, withoutPatientId, unreadable: context.unreadable };
  });

  app.post("/patients/preview", async (request) => {
    const { patientId, issuer } = parse(patientIdSchema, request.body);
    return describe(await findPatient(archive, { patientId, issuer }));
  });

  app.post("/patients", async (request, reply) => {
    const { patientId, issuer, address: patient, replace } = parse(enrolSchema, request.body);
    const progress = enrolment.enrol({ patientId, issuer, address: patient, replace });
    return reply.type("application/x-ndjson").send(await streamProgress(progress));
  });

  app.post("/practitioners", async (request) => {
    const person = parse(practitionerSchema, request.body);
    await enrolPractitioner(database, person);
    return person;
  });

  app.get("/audit", async (): Promise<AuditAbout> => {
    return { ...context.ledger, last: await lastSequence(database) };
  });

  app.get("/audit/receipts", async (request) => {
    const { after } = parse(afterSchema, request.query);
    return { receipts: await exportReceipts(database, after) };
  });

  app.get("/audit/keys", async (request) => {
    const { after } = parse(z.object({ after: z.string().default("") }), request.query);
    return { keyIds: await exportKeyIds(database, after) };
  });

  app.get("/outbox", async (): Promise<Outbox> => {
    const waiting = (await outbox.waiting()).map(describeWaiting);
    return { fault: outbox.fault?.detail ?? null, waiting: await Promise.all(waiting) };
  });

  app.post("/exams/refresh", async (_request, reply) => {
    return reply.type("application/x-ndjson").send(await streamProgress(enrolment.refresh()));
  });

  app.post("/exams/verify", async (request, reply) => {
    const { examId = null } = parse(z.object({ examId: examIdSchema.optional() }), request.body);
    return reply.type("application/x-ndjson").send(await streamProgress(verification.verify(examId)));
  });

  app.post("/exams/accept", async (request, reply) => {
    const { examId } = parse(z.object({ examId: examIdSchema }), request.body);
    return reply.type("application/x-ndjson").send(await streamProgress(enrolment.accept(examId)));
  });

  app.get("/erasures", async () => ({ underWay: await erasure.underWay() }));

  app.post("/erasures/preview", async (request) => erasure.preview(parse(erasedSchema, request.body)));

  app.post("/erasures", async (request, reply) => {
    const { named, withhold } = parse(erasureSchema, request.body);
    return reply.type("application/x-ndjson").send(await streamProgress(erasure.erase(named, withhold)));
  });

  app.post("/erasures/release", async (request) => {
    const { studyInstanceUid } = parse(z.object({ studyInstanceUid: uid }), request.body);
    await erasure.release(studyInstanceUid);
    // As if it had just arrived: the watcher looks again at what it could not submit in an hour only.
    watcher.stored(studyInstanceUid);
    return {};
  });

  const asBuffer = { parseAs: "buffer" as const, bodyLimit: LARGEST_FILE };
  app.addContentTypeParser("application/dicom", asBuffer, async (_request: unknown, body: Buffer) => body);
  app.post("/instances", { bodyLimit: LARGEST_FILE }, async (request) => {
    if (!Buffer.isBuffer(request.body))
      throw new Problem("malformed-request", "Send one application/dicom file.");
    const result = await archive.store([request.body]);
    facts.forget();
    const studyInstanceUid = studyUidOf(request.body);
    if (result.stored.length > 0 && studyInstanceUid) watcher.stored(studyInstanceUid);
    return result;
  });
}

/**
 * One JSON document a line. What fails before the first line is an answer of its own; later, a last line with
 * the problem.
 */
async function streamProgress(
  progress: AsyncGenerator<Progress | VerifyStep | ErasureStep>,
): Promise<Readable> {
  const first = await progress.next();
  async function* lines() {
    try {
      if (!first.done) yield `${JSON.stringify(first.value)}\n`;
      for await (const line of progress) yield `${JSON.stringify(line)}\n`;
    } catch (error) {
      yield `${JSON.stringify({ event: "problem", problem: toProblem(error) })}\n`;
    }
  }
  return Readable.from(lines());
}

/** What is to be done on the ledger about an exam in that state. */
function actIn(state: Waiting["state"]): Outbox["waiting"][number]["act"] {
  return state === "pending" ? "register" : "amend";
}

function parse<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "body"}: ${message}`);
  throw new Problem("malformed-request", wrong.join("; "));
}
