/** Patients as the archive knows them. */
import type { ArchiveClient } from "../archive/client.ts";
import { readStudyFacts, STUDY_FIELDS, type StudyFacts } from "../exams/facts.ts";
import { Problem } from "../problem.ts";

/** A patient id with its issuer (empty where the archive names none). */
export type PatientId = { patientId: string; issuer: string };

/** What the archive holds under one patient id. More than one name or birth date is for a person to look at. */
export type ArchivePatient = PatientId & { names: string[]; birthDates: string[]; studies: StudyFacts[] };

/** Everybody in the archive, and the studies that name nobody. @throws {Problem} `archive-unavailable` */
export async function listPatients(
  archive: ArchiveClient,
): Promise<{ patients: ArchivePatient[]; withoutPatientId: StudyFacts[] }> {
  const patients = new Map<string, ArchivePatient>();
  const withoutPatientId: StudyFacts[] = [];
  for await (const dataset of archive.allStudies({ includeFields: STUDY_FIELDS })) {
    const study = readStudyFacts(dataset);
    if (!study) continue;
    if (study.patientId) add(patients, study);
    else withoutPatientId.push(study);
  }
  return { patients: [...patients.values()], withoutPatientId };
}

/**
 * One patient's studies. Where no issuer is given, the archive must name the same one throughout.
 * @throws {Problem} `not-found`, `malformed-request` where the issuer is ambiguous, `archive-unavailable`
 */
export async function findPatient(
  archive: ArchiveClient,
  { patientId, issuer }: { patientId: string; issuer: string | undefined },
): Promise<ArchivePatient> {
  const patients = new Map<string, ArchivePatient>();
  for await (const dataset of archive.allStudies({ patientId, includeFields: STUDY_FIELDS })) {
    const study = readStudyFacts(dataset);
    // Archives match wildcards, and some match without regard to case: only the very id counts.
    if (study?.patientId === patientId) add(patients, study);
  }
  const found = [...patients.values()];
  const chosen = issuer === undefined ? found : found.filter((patient) => patient.issuer === issuer);
  if (chosen.length > 1) {
    const issuers = chosen.map((patient) => patient.issuer || "(none)").join(", ");
    throw new Problem(
      "malformed-request",
      `The id ${patientId} was issued by several: ${issuers}. Name the issuer.`,
    );
  }
  if (!chosen[0]) throw new Problem("not-found", `The archive has no exam of patient ${patientId}.`);
  return chosen[0];
}

function add(patients: Map<string, ArchivePatient>, study: StudyFacts): void {
  const { patientId, issuer } = study;
  const key = JSON.stringify([patientId, issuer]);
  const patient = patients.get(key) ?? { patientId, issuer, names: [], birthDates: [], studies: [] };
  patients.set(key, patient);
  patient.studies.push(study);
  addOnce(patient.names, study.patientName);
  addOnce(patient.birthDates, study.birthDate);
}

function addOnce(list: string[], value: string | null): void {
  if (value && !list.includes(value)) list.push(value);
}
