import type { Exam, ExamSeries } from "../../../protocol/api.ts";
import type { Hex } from "../../../protocol/hash.ts";
import { examId, seriesResource } from "../../../protocol/ids.ts";
import { sameAddress } from "../../words/index.ts";

/** The gateway shows one exam and names another: nothing may be signed for it. */
export class ResourceMismatchError extends Error {
  override readonly name = "ResourceMismatchError";
}

/**
 * The resource that a grant names, computed anew from its parts and never taken from the gateway's word: a gateway that
 * is wrong, or lies, could otherwise have the patient open another exam than the one on the screen.
 * @param series Null for the whole exam.
 * @throws {ResourceMismatchError} where what the gateway said does not add up
 */
export function resourceOf(
  exam: Exam,
  series: ExamSeries | null,
  { patient, custodian }: { patient: string; custodian: string },
): Hex {
  if (!sameAddress(exam.patient.address, patient)) {
    throw new ResourceMismatchError("This exam belongs to another account than the one that is connected.");
  }
  if (!sameAddress(exam.custodian.address, custodian)) {
    throw new ResourceMismatchError("This exam names another custodian than the gateway that shows it.");
  }
  const id = examId({ custodian, patient, commitment: exam.commitment as Hex });
  if (id !== exam.examId) {
    throw new ResourceMismatchError("This exam’s id does not match its parts.");
  }
  if (!series) return id;
  const resource = seriesResource(id, series.seriesCommitment as Hex);
  if (resource !== series.seriesResource) {
    throw new ResourceMismatchError("This series’ id does not match its parts.");
  }
  return resource;
}
