import type { Exam, Grant } from "../../../protocol/api.ts";
import type { Hex } from "../../../protocol/hash.ts";
import {
  ALL_EXAMS_RESOURCE,
  addressOfGrantee,
  examId,
  examsAtResource,
  seriesResource,
} from "../../../protocol/ids.ts";
import { sameAddress } from "../../words/index.ts";

/** The gateway shows one exam and names another: nothing may be signed for it. */
export class ResourceMismatchError extends Error {
  override readonly name = "ResourceMismatchError";
}

/**
 * The resource that a grant names, computed anew from its parts and never taken from the gateway's word: a gateway that
 * is wrong, or lies, could otherwise have the patient open another exam than the one on the screen.
 * @param seriesInstanceUid Null for the whole exam.
 * @throws {ResourceMismatchError} where what the gateway said does not add up
 */
export function resourceOf(
  exam: Exam,
  seriesInstanceUid: string | null,
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
  if (seriesInstanceUid === null) return id;
  const series = exam.series.find((one) => one.seriesInstanceUid === seriesInstanceUid);
  if (!series) throw new ResourceMismatchError("This series is no longer in the exam.");
  const resource = seriesResource(id, series.seriesCommitment as Hex);
  if (resource !== series.seriesResource) {
    throw new ResourceMismatchError("This series’ id does not match its parts.");
  }
  return resource;
}

/**
 * The resource that a revoke names. One of a series that the archive has no more cannot be computed: it is taken as the
 * gateway names it, since a revoke opens nothing, and revoking the whole exam instead would leave it as it is.
 * @throws {ResourceMismatchError} where what the gateway said does not add up
 */
export function revokedResourceOf(
  exam: Exam | null,
  { covers, resource, seriesInstanceUid }: Pick<Grant, "covers" | "resource" | "seriesInstanceUid">,
  parts: { patient: string; custodian: string },
): Hex {
  if (covers === "all") return ALL_EXAMS_RESOURCE;
  if (covers === "custodian") return examsAtResource(parts.custodian);
  if (!exam) throw new ResourceMismatchError("This grant names an exam that the gateway does not show.");
  if (covers === "exam") return resourceOf(exam, null, parts);
  const isListed = exam.series.some((one) => one.seriesInstanceUid === seriesInstanceUid);
  return isListed ? resourceOf(exam, seriesInstanceUid, parts) : (resource as Hex);
}

/**
 * The grantee that a revoke names. A blinded one is taken as the gateway names it, since a revoke opens nothing.
 * @throws {ResourceMismatchError} where it is an address, and not the one that is shown
 */
export function revokedGranteeOf({ word, address }: Pick<Grant["grantee"], "word" | "address">): Hex {
  const plain = addressOfGrantee(word);
  if (plain !== null && (address === null || !sameAddress(plain, address))) {
    throw new ResourceMismatchError("This person’s name on the ledger does not match their address.");
  }
  return word as Hex;
}

/**
 * Whether an exam is the custodian's own, by its id. A gateway that tells of another custodian's could put its own
 * pictures in their place.
 */
export function isHeldBy(exam: Pick<Exam, "examId" | "patient" | "commitment">, custodian: string): boolean {
  return (
    examId({ custodian, patient: exam.patient.address, commitment: exam.commitment as Hex }) === exam.examId
  );
}
