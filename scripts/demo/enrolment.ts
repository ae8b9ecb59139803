import { type ArchivedPatient, candidatesSchema } from "../../protocol/adminApi.ts";
import { count, type Desk, DeskError } from "../desk.ts";
import { describeOutcome } from "../outcome.ts";
import { deal, SAMPLE_OWNERS } from "./deal.ts";
import type { Player } from "./players.ts";
import { note, step } from "./progress.ts";

/** There is nothing to show: what was found, and the way out. */
export class NothingToServe extends Error {
  override readonly name = "NothingToServe";
}

/**
 * Enrols the practitioners, and deals the archive's patients to the demo's. Says who gets what.
 * @param dicom the folder that the exams come from; null for the samples, which are dealt as listed
 * @throws {NothingToServe} when no exam names its patient
 */
export async function enrolPlayers(
  desk: Desk,
  players: readonly Player[],
  dicom: string | null,
): Promise<void> {
  for (const { kind, address, name, role, badge } of players) {
    if (kind === "practitioner")
      await desk.ask("/practitioners", { address, name, role, badge: badge?.address });
  }
  const { patients, withoutPatientId } = candidatesSchema.parse(await desk.ask("/patients/candidates"));
  for (const { modalities, description, studyInstanceUid } of withoutPatientId) {
    note(
      `not enrolled, since it names no patient: ${modalities.join("/")} ${description ?? ""} (${studyInstanceUid})`,
    );
  }
  if (patients.length === 0) {
    throw new NothingToServe(
      `No exam in ${dicom} names its patient. Give --dicom a folder of DICOM files that do.`,
    );
  }
  const owners = players.filter(({ kind }) => kind === "patient");
  for (const { candidate, owner } of deal(patients, owners, dicom === null ? SAMPLE_OWNERS : {})) {
    owner.exams += await enrolPatient(desk, candidate, owner);
  }
}

/** Ties a patient id to its owner, whomever an earlier run tied it to. Returns how many exams are registered. */
async function enrolPatient(desk: Desk, patient: ArchivedPatient, owner: Player): Promise<number> {
  const { patientId, issuer, enrolledTo } = patient;
  const isMoved = enrolledTo !== null && enrolledTo !== owner.address.toLowerCase();
  const failures: string[] = [];
  const enrol = async () => {
    let exams = 0;
    for await (const line of desk.follow("/patients", {
      patientId,
      issuer,
      address: owner.address,
      replace: true,
    })) {
      if (line.event !== "exam") continue;
      if (line.outcome === "failed") failures.push(describeOutcome(line));
      else exams += 1;
    }
    return exams;
  };
  try {
    return await step(
      "exams",
      `patient ${patientId} ${isMoved ? "moves" : "belongs"} to ${owner.name}`,
      enrol,
      (exams) =>
        `${count(exams, "exam")}: ${patient.studies.flatMap(({ modalities }) => modalities).join(", ")}`,
    );
  } catch (error) {
    if (!(error instanceof DeskError)) throw error;
    failures.push(error.message);
    return 0;
  } finally {
    for (const failure of failures) note(`not registered: ${failure}`);
  }
}
