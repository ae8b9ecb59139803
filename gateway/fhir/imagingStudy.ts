/**
 * Exams as FHIR R4 ImagingStudies. They hold what the caller may see and nothing besides: series that are closed to them
 * are neither listed nor counted. Pixels are behind the Endpoint, by WADO-RS (PS3.18).
 */
import type { Coding, Endpoint, ImagingStudy } from "fhir/r4.js";
import type { Hex } from "../../protocol/hash.ts";
import type { SeriesFacts } from "../exams/facts.ts";
import { account, coding, uriIdentifier } from "./coding.ts";

/** A gateway has one DICOMweb root, so one Endpoint. */
export const ENDPOINT_ID = "dicomweb";

/** An exam as its ImagingStudy tells it. Dates are DICOM DA. */
export type DescribedStudy = {
  examId: Hex;
  studyInstanceUid: string;
  chainId: number;
  patient: { address: Hex; name: string };
  studyDate: string | null;
  description: string | null;
  /** Those that are open to the caller; `instances` as the archive counts them. */
  series: (SeriesFacts & { instances: number })[];
};

/** The id of an exam's ImagingStudy: FHIR allows 64 characters, which are the digits of the exam's id. */
export function imagingStudyId(examId: Hex): string {
  return examId.slice(2);
}

/** The exam's id behind an ImagingStudy's; null where it is none. */
export function examIdBehind(id: string): Hex | null {
  return /^[0-9a-f]{64}$/.test(id) ? `0x${id}` : null;
}

export function imagingStudyOf(study: DescribedStudy): ImagingStudy {
  const { examId, studyInstanceUid, chainId, patient, description, series } = study;
  const started = dateOf(study.studyDate);
  const modalities = [...new Set(series.map(({ modality }) => modality).filter(Boolean))];
  return {
    resourceType: "ImagingStudy",
    id: imagingStudyId(examId),
    identifier: [
      { system: "urn:dicom:uid", value: `urn:oid:${studyInstanceUid}` },
      uriIdentifier(`urn:examkey:exam:${examId}`),
    ],
    status: "available",
    ...(modalities.length > 0 && { modality: modalities.map(modalityOf) }),
    subject: account("Patient", { chainId, address: patient.address, display: patient.name }),
    ...(started !== null && { started }),
    endpoint: [{ reference: `Endpoint/${ENDPOINT_ID}` }],
    numberOfSeries: series.length,
    numberOfInstances: series.reduce((sum, { instances }) => sum + instances, 0),
    ...(description && { description }),
    series: series.map((one) => ({
      uid: one.seriesInstanceUid,
      ...(one.number !== null && one.number >= 0 && { number: one.number }),
      modality: modalityOf(one.modality),
      ...(one.description && { description: one.description }),
      numberOfInstances: one.instances,
    })),
  };
}

/** Where DICOMweb is spoken. @param gateway its public URL */
export function endpointOf(
  gateway: string,
  { chainId, address, name }: { chainId: number; address: Hex; name: string },
): Endpoint {
  return {
    resourceType: "Endpoint",
    id: ENDPOINT_ID,
    status: "active",
    connectionType: coding("connection", "dicom-wado-rs"),
    name: `${name}: DICOMweb`,
    managingOrganization: account("Organization", { chainId, address, display: name }),
    payloadType: [{ text: "DICOM" }],
    payloadMimeType: ["application/dicom"],
    address: `${gateway}/dicomweb`,
  };
}

/** A series says which modality it is; of one that does not, it is "other", as DICOM calls it. */
function modalityOf(modality: string): Coding {
  return coding("dicom", modality || "OT");
}

/** A DICOM DA, or one of before 1993 with full stops (PS3.5, 6.2), as a FHIR date; null where it is no day of the calendar. */
function dateOf(date: string | null): string | null {
  const [, year, month, day] = /^(\d{4})\.?(\d{2})\.?(\d{2})$/.exec(date ?? "") ?? [];
  const written = `${year}-${month}-${day}`;
  const time = new Date(`${written}T00:00:00Z`);
  const isDay = !Number.isNaN(time.getTime()) && time.toISOString().startsWith(written);
  return isDay ? written : null;
}
