/** `GET /fhir/ImagingStudy` and `GET /fhir/Endpoint`: the exams that the caller may see, and where their images are. */
import type { FastifyInstance } from "fastify";
import type { ImagingStudy } from "fhir/r4.js";
import { z } from "zod";
import type { Hex } from "../../protocol/hash.ts";
import type { Gate, VisibleExam } from "../access/gate.ts";
import type { CustodianName } from "../exams/custodianName.ts";
import { type ArchiveFacts, isSamePatient } from "../exams/facts.ts";
import { inOrder } from "../inOrder.ts";
import { Problem } from "../problem.ts";
import type { Site } from "../site.ts";
import { searchset } from "./bundle.ts";
import { EXAM_IDENTIFIER, FHIR_JSON } from "./coding.ts";
import { ENDPOINT_ID, endpointOf, examIdBehind, imagingStudyOf } from "./imagingStudy.ts";

export type ImagingStudyRoutesContext = {
  gate: Gate;
  facts: ArchiveFacts;
  custodianName: CustodianName;
  site: Site;
  custodian: Hex;
  chainId: number;
};

/** How many exams, and how many series of each, the archive is asked about at once. */
const AT_ONCE = 8;

/** What is understood of R4's parameters; others are ignored, as the self link shows. */
const searchSchema = z.object({ identifier: z.string().regex(EXAM_IDENTIFIER).optional() });

export function imagingStudyRoutes(routes: FastifyInstance, context: ImagingStudyRoutesContext): void {
  const { gate, facts, custodian, chainId, custodianName, site } = context;

  routes.get("/ImagingStudy", async (request, reply) => {
    const caller = await gate.signedIn(request);
    const search = searchSchema.safeParse(request.query);
    if (!search.success)
      throw new Problem("malformed-request", "`identifier` names an exam: urn:examkey:exam:0x….");
    const { identifier } = search.data;
    const about = { action: "VIEW", route: "FHIR ImagingStudy search" } as const;
    const studies = await gate.visibleExams(caller, about, (found) => {
      const asked = found.filter(({ exam }) => identifier?.endsWith(exam.examId) ?? true);
      return Array.fromAsync(inOrder(asked, AT_ONCE, describe));
    });
    const query = identifier === undefined ? "" : `?${new URLSearchParams({ identifier })}`;
    const root = `${site.url}/fhir/ImagingStudy`;
    const bundle = searchset(root, [{ relation: "self", url: `${root}${query}` }], studies);
    return reply.type(FHIR_JSON).send(JSON.stringify(bundle));
  });

  routes.get<{ Params: { id: string } }>("/ImagingStudy/:id", async (request, reply) => {
    const caller = await gate.signedIn(request);
    const examId = examIdBehind(request.params.id);
    if (examId === null) throw new Problem("not-found");
    const { exam, series, signal } = await gate.openExam(caller, examId, {
      action: "VIEW",
      route: "FHIR ImagingStudy read",
    });
    const study = await facts.study(exam.studyInstanceUid);
    if (!study) throw new Problem("not-found");
    if (!isSamePatient(exam, study)) throw new Problem("patient-changed");
    const described = await describe({ exam, series, facts: study });
    signal.throwIfAborted();
    return reply.type(FHIR_JSON).send(JSON.stringify(described));
  });

  routes.get<{ Params: { id: string } }>("/Endpoint/:id", async (request, reply) => {
    await gate.signedIn(request);
    if (request.params.id !== ENDPOINT_ID) throw new Problem("not-found");
    const name = await custodianName.read();
    const endpoint = endpointOf(site.url, { chainId, address: custodian, name });
    return reply.type(FHIR_JSON).send(JSON.stringify(endpoint));
  });

  async function describe({
    exam,
    series: allowed,
    facts: study,
  }: Pick<VisibleExam, "exam" | "series" | "facts">): Promise<ImagingStudy> {
    const inArchive = await facts.series(exam.studyInstanceUid);
    const shown = inArchive.filter((one) => allowed === "all" || allowed.has(one.seriesInstanceUid));
    const counted = inOrder(shown, AT_ONCE, async (one) => ({
      ...one,
      instances: await facts.instances(exam.studyInstanceUid, one.seriesInstanceUid),
    }));
    return imagingStudyOf({
      examId: exam.examId,
      studyInstanceUid: exam.studyInstanceUid,
      chainId,
      patient: { address: exam.patient, name: study.patientName ?? `Patient ${study.patientId}` },
      studyDate: study.studyDate,
      description: study.description,
      series: await Array.fromAsync(counted),
    });
  }
}
