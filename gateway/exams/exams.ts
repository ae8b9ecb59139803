/** Exams in plain words, for the person who owns them or was granted them. */
import { getAddress } from "ethers";
import type { Exam } from "../../protocol/api.ts";
import type { Hex } from "../../protocol/hash.ts";
import type { VisibleExam } from "../access/gate.ts";
import type { Grantees } from "../access/grantees.ts";
import type { Reader } from "../access/judge.ts";
import type { Database } from "../database/database.ts";
import { pathOf } from "../dicomweb/address.ts";
import { inOrder } from "../inOrder.ts";
import type { Site } from "../site.ts";
import { accessOf } from "./basis.ts";
import type { CustodianName } from "./custodianName.ts";
import { type ExamDirectory, seriesPointer } from "./directory.ts";
import type { ArchiveFacts, SeriesFacts } from "./facts.ts";

export type ExamsContext = {
  database: Database;
  directory: ExamDirectory;
  facts: ArchiveFacts;
  custodianName: CustodianName;
  site: Site;
  genesisHash: Hex;
  grantees: Pick<Grantees, "namesOf">;
};

/** How many exams are described at once. */
const AT_ONCE = 8;

/** Who is told of exams: somebody who owns or may see them, or a guardian of their owner's. */
export type Listener = Reader & { isGuardian?: boolean };

/** What the caller owns or may see, newest first. @throws {Problem} `archive-unavailable`, `chain-unavailable` */
export async function describeExams(
  context: ExamsContext,
  caller: Listener,
  visible: readonly VisibleExam[],
): Promise<{ exams: Exam[]; grantsForgotten: boolean }> {
  const custodianName = await context.custodianName.read();
  const described = inOrder(visible, AT_ONCE, (one) => describe(context, caller, one, custodianName));
  const exams = await Array.fromAsync(described);
  const owned = visible.filter(({ exam }) => relationTo(exam, caller) !== "grantee");
  return {
    exams: exams.sort((a, b) => (b.studyDate ?? "").localeCompare(a.studyDate ?? "")),
    grantsForgotten: owned.some(({ exam }) => exam.firstGenesisHash !== context.genesisHash),
  };
}

function relationTo({ patient }: VisibleExam["exam"], { address, isGuardian }: Listener): Exam["relation"] {
  if (patient === address) return "owner";
  return isGuardian ? "guardian" : "grantee";
}

async function describe(
  context: ExamsContext,
  caller: Listener,
  visible: VisibleExam,
  custodianName: string,
): Promise<Exam> {
  const { exam, facts, series: allowed } = visible;
  const relation = relationTo(exam, caller);
  const inArchive = await context.facts.series(exam.studyInstanceUid);
  const shown = inArchive.filter((one) => allowed === "all" || allowed.has(one.seriesInstanceUid));
  const uids = shown.map(({ seriesInstanceUid }) => seriesInstanceUid);
  const written = await context.directory.writeDown(exam, uids);
  const told = inOrder(shown, AT_ONCE, async (one) => {
    const { seriesInstanceUid, modality, description } = one;
    const { resource, commitment } = seriesPointer(exam, seriesInstanceUid);
    const counted = written.find((known) => known.resource === resource)?.images;
    return {
      seriesInstanceUid,
      seriesResource: resource,
      seriesCommitment: commitment,
      modality,
      description,
      // What came after the exam was last registered is counted here.
      numberOfImages: counted ?? (await context.facts.images(exam.studyInstanceUid, seriesInstanceUid)),
    };
  });
  const series = await Array.fromAsync(told);
  return {
    examId: exam.examId,
    relation,
    custodian: { address: getAddress(exam.custodian), name: custodianName },
    patient: {
      address: getAddress(exam.patient),
      name: facts.patientName ?? `Patient ${facts.patientId}`,
      birthDate: relation === "guardian" ? null : facts.birthDate,
    },
    commitment: exam.commitment,
    studyInstanceUid: exam.studyInstanceUid,
    modalities: [...new Set(shown.map(({ modality }) => modality).filter(Boolean))],
    bodyPart: shown.find(({ bodyPart }) => bodyPart)?.bodyPart ?? null,
    studyDate: facts.studyDate,
    description: facts.description,
    numberOfImages: series.reduce((sum, one) => sum + one.numberOfImages, 0),
    series,
    picture: relation === "guardian" ? null : await pictureOf(context, exam.studyInstanceUid, shown),
    access: relation === "grantee" ? await accessOf(context, caller, visible, written) : null,
  };
}

/** The middle picture of the first series that has one. */
async function pictureOf(
  { facts, site }: ExamsContext,
  studyInstanceUid: string,
  series: readonly SeriesFacts[],
): Promise<string | null> {
  for (const { seriesInstanceUid } of series) {
    const instance = await facts.picture(studyInstanceUid, seriesInstanceUid);
    if (!instance) continue;
    return `${site.url}/dicomweb${pathOf(studyInstanceUid, seriesInstanceUid, instance)}/rendered`;
  }
  return null;
}
