/**
 * The gateway's way to its archive: any DICOMweb origin server (PS3.18), asked over HTTP.
 *
 * URLs are built from checked parts only, nothing is retried, nothing is compressed on the way (an archive that
 * compresses pixel data spends more time on it than the network), and the archive's credentials stay in here.
 */
import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import { Pool } from "undici";
import { isUid } from "../../protocol/uid.ts";
import { Problem } from "../problem.ts";
import { type DicomDataset, itemsOf, numberOf, stringOf } from "./dicomJson.ts";
import { tagOf } from "./dictionary.ts";
import { AS_STORED, parseMediaType } from "./mediaType.ts";
import { MultipartError, type Part, readMultipart } from "./multipart.ts";

/** Where an archive is, and what opens it. */
export interface ArchiveOptions {
  /** The DICOMweb root, with or without a trailing slash. */
  url: string;
  /** The whole `Authorization` header, such as `Basic …`; see {@link basicAuthorization}. */
  authorization?: string;
  /** How long to wait for a connection, for headers, and between chunks of a body, in milliseconds. */
  timeout?: number;
}

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

/** Options that every call takes. */
export interface CallOptions {
  signal?: AbortSignal;
}

/** Bytes with what they are. `bytes` is read once, and before anything else is asked of the same answer. */
export interface Content {
  /** The media type without parameters. */
  mediaType: string;
  /** The transfer syntax that the archive names, or null. */
  transferSyntaxUid: string | null;
  bytes: AsyncIterable<Uint8Array>;
}

/** What the archive did with each instance of a store (PS3.18 section 10.5.3, PS3.3 section C.12). */
export interface StoreResult {
  stored: Array<{ sopInstanceUid: string }>;
  /** `code` is (0008,1197) Failure Reason; the UID is null where the archive could not even read it. */
  failed: Array<{ sopInstanceUid: string | null; code: number; reason: string }>;
}

const DICOM_JSON = "application/dicom+json";
const EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1";
const PAGE = 500;
/** More JSON than this in one answer is refused: it is one page of a search, or one instance's metadata. */
const MAX_JSON = 64 * 1024 * 1024;

/** The `Authorization` header of HTTP Basic (RFC 7617). */
export function basicAuthorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`, "utf8").toString("base64")}`;
}

/** A client of one archive. Every method throws `Problem`: `archive-unavailable`, `not-found` or `not-acceptable`. */
export class ArchiveClient {
  readonly #root: URL;
  readonly #authorization: string | undefined;
  readonly #pool: Pool;

  constructor({ url, authorization, timeout = 30_000 }: ArchiveOptions) {
    this.#root = new URL(url.endsWith("/") ? url : `${url}/`);
    this.#authorization = authorization;
    this.#pool = new Pool(this.#root.origin, {
      connections: 64,
      connect: { timeout },
      headersTimeout: timeout,
      bodyTimeout: timeout,
      // Orthanc closes an idle connection after one second; stop using it a little before.
      keepAliveTimeoutThreshold: 300,
    });
  }

  /** Whether the archive answers a search, which is what everything else rests on. */
  async health(options: CallOptions = {}): Promise<void> {
    await this.searchStudies({ limit: 1 }, options);
  }

  /** One page of studies (QIDO-RS, PS3.18 section 10.6); values match to the letter, without wildcards. */
  async searchStudies(search: StudySearch, options: CallOptions = {}): Promise<DicomDataset[]> {
    const query = new URLSearchParams();
    appendKey(query, "PatientID", search.patientId);
    appendKey(query, "IssuerOfPatientID", search.issuerOfPatientId);
    appendKey(query, "StudyInstanceUID", search.studyInstanceUid);
    appendFields(query, ["IssuerOfPatientID", ...(search.includeFields ?? [])]);
    if (search.limit !== undefined) query.set("limit", String(search.limit));
    if (search.offset) query.set("offset", String(search.offset));
    const { results } = await this.#search("studies", query, options);
    return results.filter((study) => isExactly(study, search));
  }

  /** All studies that match, page after page. */
  async *allStudies(search: Omit<StudySearch, "limit" | "offset">, options: CallOptions = {}) {
    const query = new URLSearchParams();
    appendKey(query, "PatientID", search.patientId);
    appendKey(query, "IssuerOfPatientID", search.issuerOfPatientId);
    appendKey(query, "StudyInstanceUID", search.studyInstanceUid);
    appendFields(query, ["IssuerOfPatientID", ...(search.includeFields ?? [])]);
    for await (const study of this.#searchAll("studies", query, "StudyInstanceUID", options)) {
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
    const response = await this.#get(`${instancePath(instance)}/metadata`, DICOM_JSON, options);
    const [dataset] = asDatasets(await readJson(response.body));
    if (dataset === undefined) throw new Problem("not-found");
    return dataset;
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
    const path = `${instancePath(instance)}/frames/${frames.map(frameNumber).join(",")}`;
    const ask = (syntax: string) =>
      this.#get(
        path,
        `multipart/related; type="application/octet-stream"; transfer-syntax=${syntax}`,
        options,
      );
    const answer = await ask(transferSyntax).catch((error: unknown) => {
      // Orthanc fails on deflated instances when asked for them as stored; the decoded frame has the same bytes.
      if (transferSyntax === AS_STORED && statusOf(error) === 500) return ask(EXPLICIT_LITTLE_ENDIAN);
      throw error;
    });
    yield* contentsOf(answer);
  }

  /** One instance as a DICOM file (PS3.10), as it is stored or in the transfer syntax that is named. */
  async retrieve(
    instance: InstanceReference,
    { transferSyntax = AS_STORED, ...options }: CallOptions & { transferSyntax?: string } = {},
  ): Promise<Content> {
    const accept = `multipart/related; type="application/dicom"; transfer-syntax=${transferSyntax}`;
    return firstContent(await this.#get(instancePath(instance), accept, options));
  }

  /**
   * The bytes behind a `BulkDataURI` of that instance's own metadata. One that leads anywhere else than below the
   * instance, in this archive, is not followed.
   */
  async bulkData(instance: InstanceReference, uri: string, options: CallOptions = {}): Promise<Content> {
    const path = this.#bulkDataPath(instance, uri);
    const accept = 'multipart/related; type="application/octet-stream"';
    return firstContent(await this.#get(path, accept, options));
  }

  /** Store DICOM files, each given whole (STOW-RS, PS3.18 section 10.5). Those refused do not disturb the others. */
  async store(
    files: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    options: CallOptions = {},
  ): Promise<StoreResult> {
    const boundary = `examkey-${randomUUID()}`;
    const sent = { files: 0 };
    const response = await this.#request("studies", {
      method: "POST",
      headers: {
        accept: DICOM_JSON,
        "content-type": `multipart/related; type="application/dicom"; boundary=${boundary}`,
      },
      body: writeFiles(files, boundary, sent),
      expected: [200, 202, 400, 409],
      options,
    });
    const body = await readJson(response.body).catch(() => null);
    const [result] = asDatasets(body);
    return storeResult(result ?? {}, sent.files);
  }

  /** Close all connections at once. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  #bulkDataPath(instance: InstanceReference, uri: string): string {
    const base = new URL(`${instancePath(instance)}/`, this.#root);
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
    const response = await this.#get(`${path}${suffix}`, DICOM_JSON, options);
    const results = response.status === 204 ? [] : asDatasets(await readJson(response.body));
    // PS3.18 section 8.3.4.4: a server that gives fewer than it has says so with warning 299.
    return { results, truncated: String(response.headers.warning ?? "").startsWith("299") };
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

  #get(path: string, accept: string, options: CallOptions): Promise<Answer> {
    return this.#request(path, { method: "GET", headers: { accept }, expected: [200, 204, 206], options });
  }

  async #request(path: string, { method, headers, body, expected, options }: Ask): Promise<Answer> {
    const response = await this.#pool
      .request({
        path: `${this.#root.pathname}${path}`,
        method,
        headers: {
          ...headers,
          "accept-encoding": "identity",
          ...(this.#authorization && { authorization: this.#authorization }),
        },
        body: body ? Readable.from(body) : null,
        signal: options.signal ?? null,
      })
      .catch((error: unknown) => {
        throw asProblem(error, options.signal);
      });
    if (expected.includes(response.statusCode)) {
      return {
        status: response.statusCode,
        headers: response.headers,
        body: guarded(response.body, options.signal),
      };
    }
    await response.body.dump().catch(() => undefined);
    throw refusal(response.statusCode);
  }
}

interface Ask {
  method: "GET" | "POST";
  headers: Record<string, string>;
  body?: AsyncIterable<Uint8Array>;
  expected: readonly number[];
  options: CallOptions;
}

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: AsyncIterable<Uint8Array>;
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

/** The archive answered, but not with what was asked for. */
class ArchiveRefusal extends Error {
  override readonly name = "ArchiveRefusal";
  readonly status: number;

  constructor(status: number) {
    super(`the archive answered ${status}`);
    this.status = status;
  }
}

function statusOf(error: unknown): number | undefined {
  return error instanceof Problem && error.cause instanceof ArchiveRefusal ? error.cause.status : undefined;
}

/** What the archive's status means to the gateway's caller. */
function refusal(status: number): Problem {
  const cause = new ArchiveRefusal(status);
  if (status === 404 || status === 410) return new Problem("not-found", undefined, { cause });
  if (status === 406) return new Problem("not-acceptable", undefined, { cause });
  if (status === 401 || status === 403) {
    return new Problem("archive-unavailable", "The archive does not let the gateway in.", { cause });
  }
  return new Problem("archive-unavailable", "The archive could not answer.", { cause });
}

/** A failure on the way. An abort keeps its own reason. */
function asProblem(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  if (error instanceof Problem) return error;
  return new Problem("archive-unavailable", undefined, { cause: error });
}

/** A body whose failures are problems. */
async function* guarded(body: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined) {
  try {
    yield* body;
  } catch (error) {
    throw asProblem(error, signal);
  }
}

async function readJson(body: AsyncIterable<Uint8Array>): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_JSON) throw new Problem("archive-unavailable", "The archive's answer is too long.");
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString("utf8");
  try {
    return text === "" ? [] : JSON.parse(text);
  } catch (cause) {
    throw new Problem("archive-unavailable", "The archive's answer cannot be read.", { cause });
  }
}

/** DICOM JSON is an array of data sets; some servers answer a store with one alone. */
function asDatasets(json: unknown): DicomDataset[] {
  const list = Array.isArray(json) ? json : [json];
  return list.filter((item): item is DicomDataset => typeof item === "object" && item !== null);
}

/** The parts of a multipart answer, or the one thing that is not multipart. */
async function* contentsOf({ headers, body }: Answer): AsyncGenerator<Content, void, undefined> {
  const type = parseMediaType(String(headers["content-type"] ?? ""));
  const boundary = type?.parameters.get("boundary");
  if (type?.name !== "multipart/related" || !boundary) {
    yield content(String(headers["content-type"] ?? ""), body);
    return;
  }
  try {
    for await (const part of readMultipart(body, boundary)) yield content(contentTypeOf(part), part.bytes);
  } catch (error) {
    if (!(error instanceof MultipartError)) throw error;
    throw new Problem("archive-unavailable", "The archive's answer broke off.", { cause: error });
  }
}

function contentTypeOf(part: Part): string {
  return part.headers.get("content-type") ?? "application/octet-stream";
}

function content(contentType: string, bytes: AsyncIterable<Uint8Array>): Content {
  const type = parseMediaType(contentType);
  const transferSyntaxUid = type?.parameters.get("transfer-syntax") ?? null;
  const octets = type?.name === "application/octet-stream";
  return {
    mediaType: type?.name ?? "application/octet-stream",
    // PS3.18 table 8.7.3-2: uncompressed bytes are Explicit VR Little Endian unless they say otherwise.
    transferSyntaxUid: transferSyntaxUid ?? (octets ? EXPLICIT_LITTLE_ENDIAN : null),
    bytes,
  };
}

/** The first part; the rest of the answer is let go once its bytes are read, or dropped. */
async function firstContent(answer: Answer): Promise<Content> {
  const contents = contentsOf(answer);
  const first = await contents.next();
  if (first.done) throw new Problem("not-found");
  const { bytes } = first.value;
  async function* released() {
    try {
      yield* bytes;
    } finally {
      await contents.return();
    }
  }
  return { ...first.value, bytes: released() };
}

async function* writeFiles(
  files: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  boundary: string,
  sent: { files: number },
) {
  for await (const file of files) {
    sent.files += 1;
    yield Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`, "latin1");
    yield file;
    yield Buffer.from("\r\n", "latin1");
  }
  yield Buffer.from(`--${boundary}--\r\n`, "latin1");
}

function storeResult(result: DicomDataset, files: number): StoreResult {
  const stored = itemsOf(result, "ReferencedSOPSequence").map((item) => ({
    sopInstanceUid: stringOf(item, "ReferencedSOPInstanceUID") ?? "",
  }));
  const failed = itemsOf(result, "FailedSOPSequence").map((item) => {
    const code = numberOf(item, "FailureReason") ?? 0x0110;
    const sopInstanceUid = stringOf(item, "ReferencedSOPInstanceUID") || null;
    return { sopInstanceUid, code, reason: failureReason(code) };
  });
  // Orthanc says nothing at all of a file that it cannot parse.
  const silent = Math.max(0, files - stored.length - failed.length);
  const refused = { sopInstanceUid: null, code: 0xc000, reason: failureReason(0xc000) };
  return { stored, failed: [...failed, ...Array.from({ length: silent }, () => refused)] };
}

/** PS3.18 table I.2-2 and PS3.7 annex C, in plain words. */
function failureReason(code: number): string {
  if (code === 0x0110) return "the archive failed while storing it";
  if (code === 0x0111) return "the archive already holds another instance with this UID";
  if (code === 0x0122) return "the archive does not take this kind of object";
  if (code === 0x0124) return "the archive does not allow this";
  if (code >> 8 === 0xa7) return "the archive is out of space";
  if (code >> 8 === 0xa9) return "the object does not agree with its kind";
  if (code >> 12 === 0xc) return "the file cannot be understood as DICOM";
  return `the archive refused it with code ${code.toString(16).padStart(4, "0").toUpperCase()}H`;
}
