/**
 * What the archive has of an exam, by its own account: which series a study has, which instances a series has.
 *
 * Every address is checked against this before it is used, since an archive may resolve a path more loosely than it
 * should, and give an instance under a study that it does not belong to.
 */
import type { ArchiveClient, CallOptions, InstanceReference } from "../archive/client.ts";
import { type DicomDataset, numberOf, numberOfFrames, stringOf } from "../archive/dicomJson.ts";
import { Problem } from "../problem.ts";
import type { AllowedSeries } from "./access.ts";

/** One instance, as its series lists it. */
export interface HeldInstance extends InstanceReference {
  /** Null where the listing does not say: the object has no pixels, or the archive lists too little. */
  frames: number | null;
  /** Instance Number, or null. */
  number: number | null;
  /** Empty where the listing has none. */
  patientId: string;
}

/** One series, as its study lists it. */
export interface HeldSeries {
  studyInstanceUid: string;
  seriesInstanceUid: string;
  number: number | null;
}

type Listing = { at: number; instances: Promise<ReadonlyMap<string, HeldInstance>> };

/** A listing is trusted for this long, in milliseconds: where an instance belongs hardly ever changes. */
const FRESH = 30_000;
const MAX_LISTINGS = 256;
const INSTANCE_FIELDS = ["InstanceNumber", "NumberOfFrames", "Rows", "Columns", "PatientID"];

export class Holdings {
  readonly #archive: ArchiveClient;
  readonly #listings = new Map<string, Listing>();

  constructor(archive: ArchiveClient) {
    this.#archive = archive;
  }

  /** The series of a study that are allowed, by Series Number. @throws {Problem} `not-found` when there are none. */
  async series(studyInstanceUid: string, allowed: AllowedSeries, call: CallOptions): Promise<HeldSeries[]> {
    const listed = await this.#archive.searchSeries(studyInstanceUid, call);
    const held = listed.flatMap((dataset) => {
      const seriesInstanceUid = stringOf(dataset, "SeriesInstanceUID");
      if (seriesInstanceUid === null || !belongs(dataset, "StudyInstanceUID", studyInstanceUid)) return [];
      if (!isAllowed(allowed, seriesInstanceUid)) return [];
      return [{ studyInstanceUid, seriesInstanceUid, number: numberOf(dataset, "SeriesNumber") }];
    });
    if (held.length === 0) throw new Problem("not-found");
    return held.sort(byNumber);
  }

  /** The instances of a series, as it is now, by Instance Number. @throws {Problem} `not-found` when there are none. */
  async instances(studyInstanceUid: string, seriesInstanceUid: string): Promise<HeldInstance[]> {
    const listing = await this.#list(studyInstanceUid, seriesInstanceUid).instances;
    if (listing.size === 0) throw new Problem("not-found");
    return [...listing.values()].sort(byNumber);
  }

  /** The instance, if it is in the series and study that it is asked for under. @throws {Problem} `not-found` */
  async instance(reference: InstanceReference): Promise<HeldInstance> {
    const { studyInstanceUid, seriesInstanceUid, sopInstanceUid } = reference;
    const known = this.#listings.get(`${studyInstanceUid}/${seriesInstanceUid}`);
    const recent = known && Date.now() - known.at < FRESH ? await known.instances : undefined;
    const held =
      recent?.get(sopInstanceUid) ??
      // It may have come since.
      (await this.#list(studyInstanceUid, seriesInstanceUid).instances).get(sopInstanceUid);
    if (!held) throw new Problem("not-found");
    return held;
  }

  #list(studyInstanceUid: string, seriesInstanceUid: string): Listing {
    const key = `${studyInstanceUid}/${seriesInstanceUid}`;
    const listing = { at: Date.now(), instances: this.#ask(studyInstanceUid, seriesInstanceUid) };
    this.#listings.delete(key);
    this.#listings.set(key, listing);
    listing.instances.catch(() => {
      if (this.#listings.get(key) === listing) this.#listings.delete(key);
    });
    for (const [oldest, { at }] of this.#listings) {
      if (this.#listings.size <= MAX_LISTINGS && Date.now() - at < FRESH) break;
      this.#listings.delete(oldest);
    }
    return listing;
  }

  /** Not tied to one caller's request: others may wait for the same answer. */
  async #ask(
    studyInstanceUid: string,
    seriesInstanceUid: string,
  ): Promise<ReadonlyMap<string, HeldInstance>> {
    const listed = await this.#archive.searchInstances(studyInstanceUid, seriesInstanceUid, {
      includeFields: INSTANCE_FIELDS,
    });
    const held = new Map<string, HeldInstance>();
    for (const dataset of listed) {
      const sopInstanceUid = stringOf(dataset, "SOPInstanceUID");
      const here =
        belongs(dataset, "StudyInstanceUID", studyInstanceUid) &&
        belongs(dataset, "SeriesInstanceUID", seriesInstanceUid);
      if (sopInstanceUid === null || !here) continue;
      const frames = numberOfFrames(dataset) || null;
      const number = numberOf(dataset, "InstanceNumber");
      const patientId = stringOf(dataset, "PatientID") ?? "";
      const reference = { studyInstanceUid, seriesInstanceUid, sopInstanceUid };
      held.set(sopInstanceUid, { ...reference, frames, number, patientId });
    }
    return held;
  }
}

/** Whether a series may be seen. */
export function isAllowed(allowed: AllowedSeries, seriesInstanceUid: string): boolean {
  return allowed === "all" || allowed.has(seriesInstanceUid);
}

/** A result may leave out what the path already says; what it does say must agree. */
export function belongs(dataset: DicomDataset, keyword: string, uid: string): boolean {
  return (stringOf(dataset, keyword) ?? uid) === uid;
}

function byNumber(a: { number: number | null }, b: { number: number | null }): number {
  return (a.number ?? Number.MAX_SAFE_INTEGER) - (b.number ?? Number.MAX_SAFE_INTEGER);
}
