/**
 * The gateway's way to its archive: any DICOMweb origin server (PS3.18), asked over HTTP.
 *
 * URLs are built from checked parts only, no answer is asked for twice, nothing is compressed on the way (an archive that
 * compresses pixel data spends more time on it than the network), and the archive's credentials stay in here.
 */
import { randomUUID } from "node:crypto";
import { isUid } from "../../protocol/uid.ts";
import { Problem } from "../problem.ts";
import {
  ArchiveConnection,
  type ArchiveOptions,
  type Ask,
  type CallOptions,
  statusOf,
} from "./connection.ts";
import { type Content, contentsOf } from "./content.ts";
import { type DicomDataset, stringOf } from "./dicomJson.ts";
import { tagOf } from "./dictionary.ts";
import { AS_STORED } from "./mediaType.ts";
import { OrthancFrames } from "./orthancFrames.ts";
import type { ContentReceiver } from "./receiver.ts";
import { type StoreResult, storeResult, writeFiles } from "./storing.ts";
import { EXPLICIT_LITTLE_ENDIAN } from "./transferSyntaxes.ts";

export type { ArchiveOptions, CallOptions, Content, StoreResult };

/** One instance's address. */
export interface InstanceReference {
  studyInstanceUid: string;
  seriesInstanceUid: string;
  sopInstanceUid: string;
}

/** What to look for. An absent key matches everything, so give at least one that narrows. */
export interface StudySearch {
  patientId?: string;
  issuerOfPatientId?: string;
  studyInstanceUid?: string;
  /** Keywords of further attributes to answer with. */
  includeFields?: readonly string[];
  limit?: number;
  offset?: number;
}

const DICOM_JSON = "application/dicom+json";
/** Results of one search request. */
const PAGE = 500;

/** The `Authorization` header of HTTP Basic (RFC 7617). */
export function basicAuthorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`, "utf8").toString("base64")}`;
}

/** A client of one archive. Every method throws `Problem`: `archive-unavailable`, `not-found` or `not-acceptable`. */
export class ArchiveClient {
  readonly #connection: ArchiveConnection;
  readonly #orthanc: OrthancFrames | null;

  /** @param options `isOwn`, where it is known to be no Orthanc */
  constructor({ isOwn = false, ...options }: ArchiveOptions & { isOwn?: boolean }) {
    this.#connection = new ArchiveConnection(options);
    this.#orthanc = isOwn ? null : new OrthancFrames(options);
  }

  /** Whether the archive answers a search, which is what everything else rests on. */
  async health(options: CallOptions = {}): Promise<void> {
    await this.searchStudies({ limit: 1 }, options);
  }

  /** One page of studies (QIDO-RS, PS3.18 section 10.6); values match to the letter, without wildcards. */
  async searchStudies(search: StudySearch, options: CallOptions = {}): Promise<DicomDataset[]> {
    const query = studyQuery(search);
    if (search.limit !== undefined) query.set("limit", String(search.limit));
    if (search.offset) query.set("offset", String(search.offset));
    const { results } = await this.#search("studies", query, options);
    return results.filter((study) => isExactly(study, search));
  }

  /** All studies that match, page after page. */
  async *allStudies(search: Omit<StudySearch, "limit" | "offset">, options: CallOptions = {}) {
    for await (const study of this.#searchAll("studies", studyQuery(search), "StudyInstanceUID", options)) {
      if (isExactly(study, search)) yield study;
    }
  }

  /** All series of a study. */
  async searchSeries(
    studyInstanceUid: string,
    { includeFields, ...options }: CallOptions & { includeFields?: readonly string[] } = {},
  ): Promise<DicomDataset[]> {
    const query = new URLSearchParams();
    appendFields(query, includeFields);
    const path = `studies/${uid(studyInstanceUid)}/series`;
    return collect(this.#searchAll(path, query, "SeriesInstanceUID", options));
  }

  /** All instances of a series. */
  async searchInstances(
    studyInstanceUid: string,
    seriesInstanceUid: string,
    { includeFields, ...options }: CallOptions & { includeFields?: readonly string[] } = {},
  ): Promise<DicomDataset[]> {
    const query = new URLSearchParams();
    appendFields(query, includeFields);
    const path = `studies/${uid(studyInstanceUid)}/series/${uid(seriesInstanceUid)}/instances`;
    return collect(this.#searchAll(path, query, "SOPInstanceUID", options));
  }

  /** One instance's attributes (PS3.18 section 10.4.1.1.2), without its pixels. */
  async metadata(instance: InstanceReference, options: CallOptions = {}): Promise<DicomDataset> {
    return (await this.sizedMetadata(instance, options)).dataset;
  }

  /** As `metadata`, with the bytes that it came in. */
  async sizedMetadata(
    instance: InstanceReference,
    options: CallOptions = {},
  ): Promise<{ dataset: DicomDataset; size: number }> {
    const path = `${instancePath(instance)}/metadata`;
    const { json, size } = await this.#connection.json(path, asking(DICOM_JSON, options));
    const [dataset] = asDatasets(json);
    if (dataset === undefined) throw new Problem("not-found");
    return { dataset, size };
  }

  /**
   * Frames in the order asked for, counted from 1. `transferSyntax` is {@link AS_STORED} (the stored bytes, whatever
   * their syntax; deflated and big-endian ones come as little endian) or the UID that the archive should decode to.
   */
  async *frames(
    instance: InstanceReference,
    frames: readonly number[],
    { transferSyntax = AS_STORED, ...options }: CallOptions & { transferSyntax?: string } = {},
  ): AsyncGenerator<Content, void, undefined> {
    const ask = (accept: string) =>
      this.#connection.request(framesPath(instance, frames), asking(accept, options));
    yield* contentsOf(await orDecoded(transferSyntax, ask));
  }

  /**
   * One frame, counted from 1, as `frames` gives it: nothing of it comes before it is let flow.
   * @param instance with the patient id that it is listed with, where that is known: an Orthanc then gives it sooner
   */
  async frame(
    instance: InstanceReference & { patientId?: string },
    frame: number,
    { transferSyntax = AS_STORED, ...options }: CallOptions & { transferSyntax?: string } = {},
  ): Promise<ContentReceiver> {
    const { patientId } = instance;
    frameNumber(frame);
    if (this.#orthanc && transferSyntax === AS_STORED && patientId !== undefined) {
      const sooner = await this.#orthanc.frame({ ...instance, patientId }, frame, options);
      if (sooner) return sooner;
    }
    const ask = (accept: string) =>
      this.#connection.receive(framesPath(instance, [frame]), asking(accept, options));
    return orDecoded(transferSyntax, ask);
  }

  /** One instance as a DICOM file (PS3.10), as it is stored or in the transfer syntax that is named. */
  retrieve(
    instance: InstanceReference,
    { transferSyntax = AS_STORED, ...options }: CallOptions & { transferSyntax?: string } = {},
  ): Promise<ContentReceiver> {
    const accept = `multipart/related; type="application/dicom"; transfer-syntax=${transferSyntax}`;
    return this.#connection.receive(instancePath(instance), asking(accept, options));
  }

  /**
   * The bytes behind a `BulkDataURI` of that instance's own metadata. One that leads anywhere else than below the
   * instance, in this archive, is not followed.
   */
  async bulkData(
    instance: InstanceReference,
    uri: string,
    options: CallOptions = {},
  ): Promise<ContentReceiver> {
    const path = this.#bulkDataPath(instance, uri);
    return this.#connection.receive(
      path,
      asking('multipart/related; type="application/octet-stream"', options),
    );
  }

  /** Store DICOM files, each given whole (STOW-RS, PS3.18 section 10.5). Those refused do not disturb the others. */
  async store(
    files: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    options: CallOptions = {},
  ): Promise<StoreResult> {
    const boundary = `examkey-${randomUUID()}`;
    const sent = { files: 0 };
    const headers = {
      accept: DICOM_JSON,
      "content-type": `multipart/related; type="application/dicom"; boundary=${boundary}`,
    };
    const ask = { headers, expected: [200, 202, 400, 409], options };
    const { json } = await this.#connection.json("studies", ask, writeFiles(files, boundary, sent));
    const [result] = asDatasets(json);
    return storeResult(result ?? {}, sent.files);
  }

  /** Trust nothing that was learnt of instances before: something was stored. */
  forget(): void {
    this.#orthanc?.forget();
  }

  /** Close all connections at once. */
  async close(): Promise<void> {
    await Promise.all([this.#connection.close(), this.#orthanc?.close()]);
  }

  #bulkDataPath(instance: InstanceReference, uri: string): string {
    const base = new URL(`${instancePath(instance)}/`, this.#connection.root);
    const target = new URL(uri, base);
    const below = target.pathname.startsWith(base.pathname)
      ? target.pathname.slice(base.pathname.length)
      : "";
    // The URL parser has resolved dot segments; what could still climb or confuse is refused by the alphabet.
    if (!/^[A-Za-z0-9]+(\/[A-Za-z0-9]+)*$/.test(below)) {
      throw new Problem("archive-unavailable", "The archive keeps this value where the gateway does not go.");
    }
    return `${instancePath(instance)}/${below}`;
  }

  async #search(path: string, query: URLSearchParams, options: CallOptions) {
    const suffix = query.size > 0 ? `?${query}` : "";
    const { headers, json } = await this.#connection.json(`${path}${suffix}`, asking(DICOM_JSON, options));
    // PS3.18 section 8.3.4.4: a server that gives fewer than it has says so with warning 299.
    return { results: asDatasets(json), truncated: String(headers.warning ?? "").startsWith("299") };
  }

  async *#searchAll(path: string, query: URLSearchParams, key: string, options: CallOptions) {
    const seen = new Set<string>();
    for (let offset = 0; ; ) {
      query.set("limit", String(PAGE));
      query.set("offset", String(offset));
      const { results, truncated } = await this.#search(path, query, options);
      const before = seen.size;
      for (const result of results) {
        const id = stringOf(result, key);
        if (id === null || seen.has(id)) continue;
        seen.add(id);
        yield result;
      }
      // An archive that ignores the offset repeats itself: stop when nothing new comes.
      if (seen.size === before || (results.length < PAGE && !truncated)) return;
      offset += results.length;
    }
  }
}

function asking(accept: string, options: CallOptions): Ask {
  return { headers: { accept }, expected: [200, 204, 206], options };
}

/** Orthanc fails on deflated instances when asked for frames as they are stored; the decoded frame has the same bytes. */
async function orDecoded<T>(transferSyntax: string, ask: (accept: string) => Promise<T>): Promise<T> {
  const accept = (syntax: string) =>
    `multipart/related; type="application/octet-stream"; transfer-syntax=${syntax}`;
  try {
    return await ask(accept(transferSyntax));
  } catch (error) {
    if (transferSyntax !== AS_STORED || statusOf(error) !== 500) throw error;
    return ask(accept(EXPLICIT_LITTLE_ENDIAN));
  }
}

function framesPath(instance: InstanceReference, frames: readonly number[]): string {
  return `${instancePath(instance)}/frames/${frames.map(frameNumber).join(",")}`;
}

function uid(text: string): string {
  if (!isUid(text)) throw new Problem("malformed-uid");
  return text;
}

function frameNumber(frame: number): number {
  if (!Number.isSafeInteger(frame) || frame < 1)
    throw new Problem("malformed-request", "Frames count from 1.");
  return frame;
}

function instancePath({ studyInstanceUid, seriesInstanceUid, sopInstanceUid }: InstanceReference): string {
  return `studies/${uid(studyInstanceUid)}/series/${uid(seriesInstanceUid)}/instances/${uid(sopInstanceUid)}`;
}

function studyQuery(search: StudySearch): URLSearchParams {
  const query = new URLSearchParams();
  appendKey(query, "PatientID", search.patientId);
  appendKey(query, "IssuerOfPatientID", search.issuerOfPatientId);
  appendKey(query, "StudyInstanceUID", search.studyInstanceUid);
  appendFields(query, ["IssuerOfPatientID", ...(search.includeFields ?? [])]);
  return query;
}

/** An empty value would match everything, so a key that is given must hold something. */
function appendKey(query: URLSearchParams, keyword: string, value: string | undefined): void {
  if (value === undefined) return;
  if (value.trim() === "") throw new Problem("malformed-request", `${keyword} is empty.`);
  query.set(keyword, value);
}

function appendFields(query: URLSearchParams, keywords: readonly string[] = []): void {
  for (const keyword of keywords) query.append("includefield", keyword === "all" ? keyword : tagOf(keyword));
}

/** Matching has wildcards, and archives that ignore case: what comes back must be what was asked for, to the letter. */
function isExactly(study: DicomDataset, search: StudySearch): boolean {
  const same = (keyword: string, wanted: string | undefined) =>
    wanted === undefined || stringOf(study, keyword) === wanted.trim();
  return (
    same("PatientID", search.patientId) &&
    same("IssuerOfPatientID", search.issuerOfPatientId) &&
    same("StudyInstanceUID", search.studyInstanceUid)
  );
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** DICOM JSON is an array of data sets; some servers answer a store with one alone. */
function asDatasets(json: unknown): DicomDataset[] {
  const list = Array.isArray(json) ? json : [json];
  return list.filter((item): item is DicomDataset => typeof item === "object" && item !== null);
}
