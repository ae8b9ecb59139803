/** What the archive says of an exam, kept for a few seconds. */
import type { ArchiveClient } from "../archive/client.ts";
import {
  type DicomDataset,
  numberOf,
  numberOfFrames,
  personNameOf,
  stringOf,
  stringsOf,
} from "../archive/dicomJson.ts";
import { countImages, listInstances } from "../enrolment/contents.ts";
import { Remembered } from "../remembered.ts";

/** A study as the archive lists it. Dates are DICOM DA, as stored. */
export type StudyFacts = {
  studyInstanceUid: string;
  patientId: string;
  /** Empty where the archive names none. */
  issuer: string;
  patientName: string | null;
  birthDate: string | null;
  studyDate: string | null;
  description: string | null;
  modalities: string[];
  numberOfInstances: number | null;
};

/** A series as the archive lists it. */
export type SeriesFacts = {
  seriesInstanceUid: string;
  number: number | null;
  modality: string;
  description: string;
  bodyPart: string | null;
};

/** What is in a series: frames, and the instances that hold them. */
type SeriesCounts = { images: number; instances: number };

export const STUDY_FIELDS = [
  "PatientID",
  "IssuerOfPatientID",
  "PatientName",
  "PatientBirthDate",
  "StudyDate",
  "StudyDescription",
  "ModalitiesInStudy",
  "NumberOfStudyRelatedInstances",
] as const;

const SERIES_FIELDS = ["Modality", "SeriesNumber", "SeriesDescription", "BodyPartExamined"] as const;

/** Milliseconds: how long a study that moved to another patient may still be taken for what it was. */
const STUDY_KEPT = 3_000;
/** Milliseconds: words and pictures on cards may lag a little. */
const SERIES_KEPT = 15_000;

/** A patient, as archives tell them apart. */
export type PatientKey = Pick<StudyFacts, "patientId" | "issuer">;

/** Whether both are the same patient's: an exam, say, and what the archive has of it. */
export function isSamePatient(one: PatientKey, other: PatientKey): boolean {
  return one.patientId === other.patientId && one.issuer === other.issuer;
}

/** Facts from one search result; null where the archive answered with something else than was asked. */
export function readStudyFacts(dataset: DicomDataset): StudyFacts | null {
  const studyInstanceUid = stringOf(dataset, "StudyInstanceUID");
  if (!studyInstanceUid) return null;
  return {
    studyInstanceUid,
    patientId: stringOf(dataset, "PatientID") ?? "",
    issuer: stringOf(dataset, "IssuerOfPatientID") ?? "",
    patientName: personNameOf(dataset, "PatientName"),
    birthDate: stringOf(dataset, "PatientBirthDate"),
    studyDate: stringOf(dataset, "StudyDate"),
    description: stringOf(dataset, "StudyDescription"),
    modalities: stringsOf(dataset, "ModalitiesInStudy"),
    numberOfInstances: numberOf(dataset, "NumberOfStudyRelatedInstances"),
  };
}

export class ArchiveFacts {
  readonly #archive: ArchiveClient;
  readonly #studies = new Remembered<StudyFacts | null>(STUDY_KEPT);
  readonly #series = new Remembered<SeriesFacts[]>(SERIES_KEPT);
  readonly #counts = new Remembered<SeriesCounts>(SERIES_KEPT);
  readonly #pictures = new Remembered<string | null>(SERIES_KEPT);

  readonly #listeners: (() => void)[] = [];

  constructor(archive: ArchiveClient) {
    this.#archive = archive;
  }

  /**
   * A study; null where the archive has it no more. Where two patients' have one UID, what is listed under it is both's, and
   * the study is given as nobody's.
   * @throws {Problem} `archive-unavailable`
   */
  study(studyInstanceUid: string): Promise<StudyFacts | null> {
    return this.#studies.get(studyInstanceUid, async () => {
      const found = await this.#archive.searchStudies({
        studyInstanceUid,
        includeFields: STUDY_FIELDS,
        limit: 2,
      });
      const [study, ...others] = found
        .map(readStudyFacts)
        .filter((one) => one?.studyInstanceUid === studyInstanceUid);
      if (!study) return null;
      const isOnes = others.every((other) => other && isSamePatient(study, other));
      return isOnes ? study : { ...study, patientId: "", issuer: "" };
    });
  }

  /** A study's series, in the order of their numbers. @throws {Problem} `archive-unavailable` */
  series(studyInstanceUid: string): Promise<SeriesFacts[]> {
    return this.#series.get(studyInstanceUid, async () => {
      const found = await this.#archive.searchSeries(studyInstanceUid, { includeFields: SERIES_FIELDS });
      return found.map(readSeriesFacts).sort(byNumber);
    });
  }

  /** How many images a series has: frames, not instances. @throws {Problem} `archive-unavailable` */
  async images(studyInstanceUid: string, seriesInstanceUid: string): Promise<number> {
    return (await this.#count(studyInstanceUid, seriesInstanceUid)).images;
  }

  /** How many instances a series has. @throws {Problem} `archive-unavailable` */
  async instances(studyInstanceUid: string, seriesInstanceUid: string): Promise<number> {
    return (await this.#count(studyInstanceUid, seriesInstanceUid)).instances;
  }

  /** The instance in the middle of a series that has pictures; null where it has none. @throws {Problem} `archive-unavailable` */
  picture(studyInstanceUid: string, seriesInstanceUid: string): Promise<string | null> {
    return this.#pictures.get(`${studyInstanceUid} ${seriesInstanceUid}`, async () => {
      const instances = await this.#archive.searchInstances(studyInstanceUid, seriesInstanceUid, {
        includeFields: ["Rows", "Columns", "NumberOfFrames", "InstanceNumber"],
      });
      const inOrder = instances.sort(
        (a, b) => (numberOf(a, "InstanceNumber") ?? 0) - (numberOf(b, "InstanceNumber") ?? 0),
      );
      const listed = inOrder.filter((instance) => numberOfFrames(instance) > 0);
      const middle = (list: DicomDataset[]) => list[Math.floor(list.length / 2)];
      const shown = middle(listed) ?? middle(inOrder);
      const sopInstanceUid = shown ? stringOf(shown, "SOPInstanceUID") : null;
      if (!sopInstanceUid || listed.length > 0) return sopInstanceUid;
      // What lists no rows has no pixels, or is listed by an archive that says too little.
      const metadata = await this.#archive.metadata({ studyInstanceUid, seriesInstanceUid, sopInstanceUid });
      return numberOfFrames(metadata) > 0 ? sopInstanceUid : null;
    });
  }

  /** Told whenever the archive is to be asked anew. */
  onForget(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Ask the archive anew: something was stored. */
  forget(): void {
    for (const listener of this.#listeners) listener();
    this.#studies.clear();
    this.#series.clear();
    this.#counts.clear();
    this.#pictures.clear();
  }

  #count(studyInstanceUid: string, seriesInstanceUid: string): Promise<SeriesCounts> {
    return this.#counts.get(`${studyInstanceUid} ${seriesInstanceUid}`, async () => {
      const listed = await listInstances(this.#archive, studyInstanceUid, seriesInstanceUid);
      return { images: countImages(listed), instances: listed.length };
    });
  }
}

function readSeriesFacts(dataset: DicomDataset): SeriesFacts {
  return {
    seriesInstanceUid: stringOf(dataset, "SeriesInstanceUID") ?? "",
    number: numberOf(dataset, "SeriesNumber"),
    modality: stringOf(dataset, "Modality") ?? "",
    description: stringOf(dataset, "SeriesDescription") ?? "",
    bodyPart: stringOf(dataset, "BodyPartExamined"),
  };
}

function byNumber(a: SeriesFacts, b: SeriesFacts): number {
  return (a.number ?? Number.MAX_SAFE_INTEGER) - (b.number ?? Number.MAX_SAFE_INTEGER);
}
