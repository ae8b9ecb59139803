/** Searches and metadata of one exam, over DICOMweb. */
import { api } from "dicomweb-client";
import { type Instance, number, text } from "./dicomJson.ts";
import { failureOf, ReadFailure } from "./failures.ts";
import { withPalette } from "./palette.ts";
import { type Stack, stackOf } from "./slices.ts";

/** A series as the archive lists it. */
export interface ListedSeries {
  seriesInstanceUid: string;
  number: number | null;
  modality: string;
  description: string;
}

/** One exam in a DICOMweb archive behind a gateway. Every request carries the token of its own moment. */
export class ExamArchive {
  readonly #root: string;
  readonly #studyInstanceUid: string;
  readonly #getToken: () => Promise<string>;
  readonly #client: api.DICOMwebClient;
  readonly #inFlight = new Set<XMLHttpRequest>();
  #closed = false;

  constructor(root: string, studyInstanceUid: string, getToken: () => Promise<string>) {
    this.#root = root.replace(/\/$/, "");
    this.#studyInstanceUid = studyInstanceUid;
    this.#getToken = getToken;
    this.#client = new api.DICOMwebClient({ url: this.#root, singlepart: false, verbose: false });
  }

  /** Absolute URL of a series. */
  seriesUrl(seriesInstanceUid: string): string {
    return `${this.#root}/studies/${this.#studyInstanceUid}/series/${seriesInstanceUid}`;
  }

  /** The exam's series, in their order. */
  async listSeries(): Promise<ListedSeries[]> {
    const found = await this.#ask<Instance[]>((request, client) =>
      client.searchForSeries({
        studyInstanceUID: this.#studyInstanceUid,
        queryParams: { includefield: "0008103E" },
        request,
      }),
    );
    return (Array.isArray(found) ? found : []).map(listed).sort((a, b) => (a.number ?? 0) - (b.number ?? 0));
  }

  /** A series' stack of pictures, with all that decoding needs in place. */
  async readStack(seriesInstanceUid: string): Promise<Stack> {
    const instances = await this.#ask<Instance[]>((request, client) =>
      client.retrieveSeriesMetadata({
        studyInstanceUID: this.#studyInstanceUid,
        seriesInstanceUID: seriesInstanceUid,
        request,
      }),
    );
    const complete = await Promise.all(
      instances.map((instance) => withPalette(instance, (uri) => this.#bulk(uri, seriesInstanceUid))),
    );
    return stackOf(complete, this.seriesUrl(seriesInstanceUid));
  }

  /** A small rendered picture of an instance, JPEG. */
  async thumbnail(seriesInstanceUid: string, sopInstanceUid: string): Promise<Blob> {
    const [bytes = new ArrayBuffer()] = await this.#ask<ArrayBuffer[]>((request, client) =>
      client.retrieveInstanceRendered({
        studyInstanceUID: this.#studyInstanceUid,
        seriesInstanceUID: seriesInstanceUid,
        sopInstanceUID: sopInstanceUid,
        mediaTypes: [{ mediaType: "image/jpeg" }],
        queryParams: { viewport: "160,160" },
        request,
      }),
    );
    return new Blob([bytes], { type: "image/jpeg" });
  }

  /** Abort what can be aborted, and answer nothing any more. */
  close(): void {
    this.#closed = true;
    for (const request of this.#inFlight) request.abort();
    this.#inFlight.clear();
  }

  /** Bulk data URIs may be relative to the series' metadata (PS3.18 F.2.2), and must stay under the gateway. */
  async #bulk(uri: string, seriesInstanceUid: string): Promise<ArrayBuffer> {
    const url = new URL(uri, `${this.seriesUrl(seriesInstanceUid)}/metadata`);
    if (url.origin !== new URL(this.#root, location.href).origin) {
      throw new ReadFailure("unavailable", "The image's colour table lies outside the gateway.");
    }
    const parts = await this.#ask<ArrayBuffer[]>((request, client) =>
      client.retrieveBulkData({
        BulkDataURI: url.href,
        mediaTypes: [{ mediaType: "application/octet-stream" }],
        request,
      }),
    );
    const [bytes] = parts;
    if (!bytes) throw new ReadFailure("undecodable", "The image's colour table is missing.");
    return bytes;
  }

  async #ask<Answer>(
    send: (request: { instance: XMLHttpRequest }, client: Client) => Promise<unknown>,
  ): Promise<Answer> {
    const token = await this.#getToken();
    if (this.#closed) throw new ReadFailure("aborted", "The exam was closed.");
    const instance = new XMLHttpRequest();
    this.#inFlight.add(instance);
    // The client reads its headers anew at each request, so a renewed token is used at once.
    this.#client.headers = { authorization: `Bearer ${token}` };
    try {
      const answer = (await send({ instance }, this.#client as unknown as Client)) as Answer;
      if (this.#closed) throw new ReadFailure("aborted", "The exam was closed.");
      return answer;
    } catch (error) {
      if (this.#closed) throw new ReadFailure("aborted", "The exam was closed.");
      throw asFailure(error);
    } finally {
      this.#inFlight.delete(instance);
    }
  }
}

/** What is used of dicomweb-client; its own types demand arguments that its code takes as optional. */
interface Client {
  searchForSeries(options: object): Promise<unknown>;
  retrieveSeriesMetadata(options: object): Promise<unknown>;
  retrieveInstanceRendered(options: object): Promise<unknown>;
  retrieveBulkData(options: object): Promise<unknown>;
}

function listed(instance: Instance): ListedSeries {
  return {
    seriesInstanceUid: text(instance, "SeriesInstanceUID"),
    number: number(instance, "SeriesNumber") ?? null,
    modality: text(instance, "Modality"),
    description: text(instance, "SeriesDescription"),
  };
}

function asFailure(error: unknown): ReadFailure {
  if (error instanceof ReadFailure) return error;
  if (error instanceof Error && "status" in error && typeof error.status === "number") {
    return failureOf(error.status, "response" in error ? error.response : null);
  }
  return new ReadFailure("unavailable", "The archive's answer could not be understood.");
}
