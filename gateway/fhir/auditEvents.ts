/** `GET /fhir/AuditEvent`: what is recorded about a patient's exams, to that patient. */

import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Hex } from "../../protocol/hash.ts";
import type { Gate } from "../access/gate.ts";
import { type Page, receiptsAbout } from "../audit/aboutExams.ts";
import type { Database } from "../database/database.ts";
import type { Decider } from "../decision/decider.ts";
import type { CustodianName } from "../exams/custodianName.ts";
import type { ExamDirectory } from "../exams/directory.ts";
import { stillOwned } from "../exams/ownership.ts";
import { listPeople } from "../exams/people.ts";
import { Problem } from "../problem.ts";
import type { Site } from "../site.ts";
import { type AuditEventContext, auditEventOf } from "./auditEvent.ts";
import { searchset } from "./bundle.ts";
import { EXAM_IDENTIFIER, FHIR_JSON } from "./coding.ts";

export type AuditEventRoutesContext = {
  database: Database;
  directory: ExamDirectory;
  gate: Gate;
  decider: Decider;
  custodianName: CustodianName;
  site: Site;
  custodian: Hex;
};

/** Resources in one answer, at most, and unless told. */
const MOST = 200;
const USUAL = 50;

/** Parameters of R4 that are understood, and the place to go on from; others are ignored, as the self link shows. */
const searchSchema = z.object({
  "entity:identifier": z.string().regex(EXAM_IDENTIFIER).optional(),
  _count: z.coerce.number().int().min(1).max(MOST).default(USUAL),
  before: z.coerce.number().int().positive().default(Number.MAX_SAFE_INTEGER),
});

export function auditEventRoutes(routes: FastifyInstance, context: AuditEventRoutesContext): void {
  const { database, gate } = context;

  routes.get("/AuditEvent", async (request, reply) => {
    const { address } = await gate.signedIn(request);
    const search = searchSchema.safeParse(request.query);
    if (!search.success) {
      throw new Problem("malformed-request", "Understood are entity:identifier, _count and before.");
    }
    const { "entity:identifier": exam, _count: limit, before } = search.data;
    const own = await ownExams(context, address);
    const exams = exam === undefined ? own : own.filter((examId) => exam.endsWith(examId));
    const { events, next } = await read(address, exams, { before, limit });
    const link = (page: number) => {
      const parameters = new URLSearchParams({ _count: String(limit), before: String(page) });
      if (exam !== undefined) parameters.set("entity:identifier", exam);
      return `${root()}?${parameters}`;
    };
    const links = [
      { relation: "self", url: link(before) },
      ...(next === null ? [] : [{ relation: "next", url: link(next) }]),
    ];
    const bundle = searchset(root(), links, events);
    return reply.type(FHIR_JSON).send(JSON.stringify(bundle));
  });

  routes.get<{ Params: { id: string } }>("/AuditEvent/:id", async (request, reply) => {
    const { address } = await gate.signedIn(request);
    const { id } = request.params;
    if (!/^[1-9]\d{0,14}$/.test(id)) throw new Problem("not-found");
    const page = { before: Number(id) + 1, limit: 1 };
    const { events } = await read(address, await ownExams(context, address), page);
    const [event] = events;
    // Somebody else's and one that there is not are alike.
    if (event?.id !== id) throw new Problem("not-found");
    return reply.type(FHIR_JSON).send(JSON.stringify(event));
  });

  const root = () => `${context.site.url}/fhir/AuditEvent`;

  async function read(patient: Hex, examIds: readonly Hex[], page: Page) {
    const { found, next } = await receiptsAbout(database, examIds, page);
    const about = await eventContext(patient);
    return { events: found.flatMap((receipt) => auditEventOf(receipt, about) ?? []), next };
  }

  async function eventContext(patient: Hex): Promise<AuditEventContext> {
    const people = new Map((await listPeople(database)).map((one) => [one.address.toLowerCase(), one.name]));
    const { custodian, custodianName, site } = context;
    return {
      gateway: site.url,
      custodian: { address: custodian, name: await custodianName.read() },
      patient,
      nameOf: (address) => people.get(address),
    };
  }
}

/** The ids of the exams that somebody owns, and has not handed over. */
async function ownExams({ directory, decider }: AuditEventRoutesContext, patient: Hex): Promise<Hex[]> {
  const own = await stillOwned(decider, await directory.ofPatient(patient));
  return own.map(({ examId }) => examId);
}
