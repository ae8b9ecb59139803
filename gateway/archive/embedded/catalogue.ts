/** What the embedded archive has: studies, their series, their instances, and the file of each. */

import { isUid } from "../../../protocol/uid.ts";
import type { DicomDataset, DicomElement } from "../dicomJson.ts";
import { stringOf } from "../dicomJson.ts";
import { tagOf } from "../dictionary.ts";
import { ATTRIBUTES, type Level } from "../search.ts";
import { attributesOf } from "./attributes.ts";
import { type DicomFile, UnreadableFile } from "./dicomFile.ts";

/** One instance: where it is, and what a search answers about it. */
export interface Instance {
  sopInstanceUid: string;
  seriesInstanceUid: string;
  studyInstanceUid: string;
  path: string;
  transferSyntaxUid: string;
  attributes: DicomDataset;
}

interface Series {
  seriesInstanceUid: string;
  attributes: DicomDataset;
  instances: Map<string, Instance>;
}

interface Study {
  studyInstanceUid: string;
  attributes: DicomDataset;
  series: Map<string, Series>;
}

/** One answer to a search, before fields that only the file has are added. */
export interface Found {
  attributes: DicomDataset;
  /** An instance that the answer stands for. */
  sample: Instance;
  path: string;
}

/** A file that would mix two patients in one study. */
export class AnothersStudy extends UnreadableFile {}

/** What tells patients apart. */
const PATIENT = ["PatientID", "IssuerOfPatientID"];

/** The index, in memory. The first file with a SOP Instance UID is kept. */
export class Catalogue {
  readonly #studies = new Map<string, Study>();
  readonly #instances = new Map<string, Instance>();

  /** Take a file in. @throws {UnreadableFile} when it lacks what an instance needs; {@link AnothersStudy} */
  add(file: DicomFile): { added: true } | { added: false; keptPath: string } {
    const summary = summarise(file);
    const kept = this.#instances.get(summary.sopInstanceUid);
    if (kept) return { added: false, keptPath: kept.path };
    const { studyInstanceUid, seriesInstanceUid, sopInstanceUid } = summary;
    this.#requireSamePatient(studyInstanceUid, summary.levels.study);
    const study = this.#study(studyInstanceUid, summary.levels.study);
    const series = seriesOf(study, seriesInstanceUid, summary.levels.series);
    const instance: Instance = {
      sopInstanceUid,
      seriesInstanceUid,
      studyInstanceUid,
      path: file.path,
      transferSyntaxUid: file.transferSyntaxUid,
      attributes: summary.levels.instance,
    };
    series.instances.set(sopInstanceUid, instance);
    this.#instances.set(sopInstanceUid, instance);
    return { added: true };
  }

  /** Whether a file can be taken in. @throws {UnreadableFile} as `add` does */
  check(file: DicomFile): void {
    const { studyInstanceUid, levels } = summarise(file);
    this.#requireSamePatient(studyInstanceUid, levels.study);
  }

  /** The file that holds a SOP Instance UID, wherever it is. */
  pathOf(sopInstanceUid: string): string | undefined {
    return this.#instances.get(sopInstanceUid)?.path;
  }

  /** An instance by its whole address: one that lies in another series or study is not found. */
  instance(
    studyInstanceUid: string,
    seriesInstanceUid: string,
    sopInstanceUid: string,
  ): Instance | undefined {
    return this.#studies.get(studyInstanceUid)?.series.get(seriesInstanceUid)?.instances.get(sopInstanceUid);
  }

  /** The instances of a study, or of one of its series, in the order in which they were found. */
  *instancesOf(studyInstanceUid: string, seriesInstanceUid?: string): Generator<Instance> {
    for (const series of this.#seriesWithin(studyInstanceUid, seriesInstanceUid))
      yield* series.instances.values();
  }

  /** Everything at a level, below what is named. */
  *entries(level: Level, studyInstanceUid?: string, seriesInstanceUid?: string): Generator<Found> {
    const named = studyInstanceUid === undefined ? undefined : this.#studies.get(studyInstanceUid);
    const studies = studyInstanceUid === undefined ? this.#studies.values() : named ? [named] : [];
    for (const study of studies) {
      const ofStudy = { ...study.attributes, ...countsOf(study) };
      const studyPath = `studies/${study.studyInstanceUid}`;
      if (level === "study") {
        const sample = firstInstance(study);
        if (sample) yield { attributes: ofStudy, sample, path: studyPath };
        continue;
      }
      for (const series of this.#seriesWithin(study.studyInstanceUid, seriesInstanceUid)) {
        const ofSeries = { ...ofStudy, ...series.attributes, ...countOf(series) };
        const seriesPath = `${studyPath}/series/${series.seriesInstanceUid}`;
        if (level === "series") {
          const [sample] = series.instances.values();
          if (sample) yield { attributes: ofSeries, sample, path: seriesPath };
          continue;
        }
        for (const sample of series.instances.values()) {
          const path = `${seriesPath}/instances/${sample.sopInstanceUid}`;
          yield { attributes: { ...ofSeries, ...sample.attributes }, sample, path };
        }
      }
    }
  }

  #seriesWithin(studyInstanceUid: string, seriesInstanceUid?: string): Iterable<Series> {
    const study = this.#studies.get(studyInstanceUid);
    if (!study) return [];
    if (seriesInstanceUid === undefined) return study.series.values();
    const series = study.series.get(seriesInstanceUid);
    return series ? [series] : [];
  }

  /** Else who reads one patient's study would read the other's images. */
  #requireSamePatient(studyInstanceUid: string, attributes: DicomDataset): void {
    const known = this.#studies.get(studyInstanceUid);
    const differs = (keyword: string) =>
      stringOf(known?.attributes ?? {}, keyword) !== stringOf(attributes, keyword);
    if (known && PATIENT.some(differs))
      throw new AnothersStudy("its Study Instance UID is that of another patient's study");
  }

  #study(studyInstanceUid: string, attributes: DicomDataset): Study {
    const known = this.#studies.get(studyInstanceUid);
    if (known) return known;
    const study: Study = { studyInstanceUid, attributes, series: new Map() };
    this.#studies.set(studyInstanceUid, study);
    return study;
  }
}

function seriesOf(study: Study, seriesInstanceUid: string, attributes: DicomDataset): Series {
  const known = study.series.get(seriesInstanceUid);
  if (known) return known;
  const series: Series = { seriesInstanceUid, attributes, instances: new Map() };
  study.series.set(seriesInstanceUid, series);
  return series;
}

function summarise(file: DicomFile) {
  const all = attributesOf(file, () => "");
  const uid = (keyword: string) => {
    const value = stringOf(all, keyword);
    if (value === null) throw new UnreadableFile(`it has no ${keyword}`);
    if (!isUid(value)) throw new UnreadableFile(`its ${keyword} is not a UID`);
    return value;
  };
  return {
    sopInstanceUid: uid("SOPInstanceUID"),
    seriesInstanceUid: uid("SeriesInstanceUID"),
    studyInstanceUid: uid("StudyInstanceUID"),
    levels: {
      study: pick(all, ATTRIBUTES.study),
      series: pick(all, ATTRIBUTES.series),
      instance: pick(all, ATTRIBUTES.instance),
    },
  };
}

function pick(dataset: DicomDataset, keywords: readonly string[]): DicomDataset {
  const entries = keywords.map(tagOf).flatMap((tag): Array<[string, DicomElement]> => {
    const element = dataset[tag];
    return element ? [[tag, element]] : [];
  });
  return Object.fromEntries(entries);
}

function firstInstance(study: Study): Instance | undefined {
  for (const series of study.series.values())
    for (const instance of series.instances.values()) return instance;
  return undefined;
}

function countsOf(study: Study): DicomDataset {
  const series = [...study.series.values()];
  const modalities = new Set(series.flatMap(({ attributes }) => stringOf(attributes, "Modality") ?? []));
  const instances = series.reduce((sum, each) => sum + each.instances.size, 0);
  return {
    [tagOf("ModalitiesInStudy")]: { vr: "CS", Value: [...modalities].sort() },
    [tagOf("NumberOfStudyRelatedSeries")]: { vr: "IS", Value: [series.length] },
    [tagOf("NumberOfStudyRelatedInstances")]: { vr: "IS", Value: [instances] },
  };
}

function countOf(series: Series): DicomDataset {
  return { [tagOf("NumberOfSeriesRelatedInstances")]: { vr: "IS", Value: [series.instances.size] } };
}
