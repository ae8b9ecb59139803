/** The embedded archive's retrievals (WADO-RS, PS3.18 section 10.4): files, metadata, frames and bulk data. */

import { stat } from "node:fs/promises";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Problem } from "../../problem.ts";
import { AS_STORED, parseMediaTypes } from "../mediaType.ts";
import { MultipartWriter } from "../multipart.ts";
import { streamed } from "../stream.ts";
import { attributesOf, elementAt, wordOf } from "./attributes.ts";
import { fileSource } from "./byteSource.ts";
import type { Instance } from "./catalogue.ts";
import { swapStream } from "./endian.ts";
import type { OpenFile } from "./openFiles.ts";
import { type Holdings, instancePath } from "./searchRoutes.ts";

type Params = { study: string; series: string; instance: string };
type FramesParams = Params & { frames: string };
type BulkParams = Params & { "*": string };

const INSTANCE = "/studies/:study/series/:series/instances/:instance";

/** One part of a multipart answer. */
interface OutgoingPart {
  headers: Record<string, string>;
  bytes: () => AsyncIterable<Uint8Array>;
}

export class Retrieval {
  readonly #holdings: Holdings;

  constructor(holdings: Holdings) {
    this.#holdings = holdings;
  }

  routes(routes: FastifyInstance): void {
    for (const path of ["/studies/:study", "/studies/:study/series/:series", INSTANCE]) {
      routes.get<{ Params: Partial<Params> }>(path, (request, reply) => this.#files(request, reply));
      routes.get<{ Params: Partial<Params> }>(`${path}/metadata`, (request, reply) =>
        this.#metadata(request.params, reply),
      );
    }
    routes.get<{ Params: FramesParams }>(`${INSTANCE}/frames/:frames`, (request, reply) =>
      this.#frames(request, reply),
    );
    routes.get<{ Params: BulkParams }>(`${INSTANCE}/bulkdata/*`, (request, reply) =>
      this.#bulkData(request.params, reply),
    );
  }

  async #files(request: FastifyRequest<{ Params: Partial<Params> }>, reply: FastifyReply) {
    const instances = this.#instances(request.params);
    const wanted = transferSyntaxWanted(request, "application/dicom");
    const parts = instances.map(({ path, transferSyntaxUid }) => {
      requireSyntax(wanted, transferSyntaxUid);
      const headers = { "Content-Type": `application/dicom; transfer-syntax=${transferSyntaxUid}` };
      return { headers, bytes: () => wholeFile(path) };
    });
    return sendParts(reply, "application/dicom", parts);
  }

  async #metadata(params: Partial<Params>, reply: FastifyReply) {
    const instances = this.#instances(params);
    reply.type("application/dicom+json");
    return reply.send(streamed(jsonArray(instances, (instance) => this.#attributes(instance))));
  }

  async #frames(request: FastifyRequest<{ Params: FramesParams }>, reply: FastifyReply) {
    const table = await (await this.#open(request.params)).frames();
    const numbers = request.params.frames.split(",").map(Number);
    if (numbers.some((number) => !Number.isInteger(number) || number < 1))
      throw new Problem("malformed-request");
    if (numbers.some((number) => number > table.count)) throw new Problem("not-found");
    requireSyntax(transferSyntaxWanted(request, table.mediaType), table.transferSyntaxUid);
    const contentType = `${table.mediaType}; transfer-syntax=${table.transferSyntaxUid}`;
    const parts = numbers.map((number) => ({
      headers: { "Content-Type": contentType },
      bytes: () => table.read(number),
    }));
    return sendParts(reply, table.mediaType, parts);
  }

  async #bulkData(params: BulkParams, reply: FastifyReply) {
    const opened = await this.#open(params);
    const tagPath = params["*"].toUpperCase();
    if (tagPath === "7FE00010" && opened.file.pixelData?.hadUndefinedLength)
      return this.#allFrames(opened, reply);
    const found = elementAt(opened.file, tagPath);
    if (!found || found.element.items) throw new Problem("not-found");
    const { element, vr } = found;
    const word = opened.file.bigEndian ? wordOf(vr) : 1;
    const bytes = () => {
      const stored = opened.file.source.stream(element.dataOffset, element.dataOffset + element.length);
      return word > 1 ? swapStream(stored, word) : stored;
    };
    return sendParts(reply, OCTETS, [{ headers: { "Content-Type": OCTETS }, bytes }]);
  }

  async #allFrames(opened: OpenFile, reply: FastifyReply) {
    const table = await opened.frames();
    const parts = Array.from({ length: table.count }, (_, index) => ({
      headers: { "Content-Type": `${table.mediaType}; transfer-syntax=${table.transferSyntaxUid}` },
      bytes: () => table.read(index + 1),
    }));
    return sendParts(reply, table.mediaType, parts);
  }

  async #attributes(instance: Instance) {
    const { file } = await this.#holdings.files.open(instance.path);
    const root = `${this.#holdings.url()}/${instancePath(instance)}`;
    return attributesOf(file, (tagPath) => `${root}/bulkdata/${tagPath}`);
  }

  async #open({ study, series, instance }: Params): Promise<OpenFile> {
    const found = this.#holdings.catalogue.instance(study, series, instance);
    if (!found) throw new Problem("not-found");
    return this.#holdings.files.open(found.path);
  }

  #instances({ study = "", series, instance }: Partial<Params>): Instance[] {
    const all = [...this.#holdings.catalogue.instancesOf(study, series)];
    const found =
      instance === undefined ? all : all.filter(({ sopInstanceUid }) => sopInstanceUid === instance);
    if (found.length === 0) throw new Problem("not-found");
    return found;
  }
}

const OCTETS = "application/octet-stream";

/** The transfer syntax that the caller insists on, or null where the stored one will do. */
function transferSyntaxWanted(request: FastifyRequest, mediaType: string): string | null {
  const accept = parseMediaTypes(request.headers.accept ?? "*/*");
  if (accept === null) throw new Problem("not-acceptable");
  const wanted = accept.map(({ parameters }) => parameters.get("transfer-syntax") ?? AS_STORED);
  const types = accept.map(({ name, parameters }) => parameters.get("type") ?? name);
  const known = ["*/*", "multipart/related", OCTETS, mediaType];
  if (!types.some((type) => known.includes(type.toLowerCase()))) throw new Problem("not-acceptable");
  return wanted.includes(AS_STORED) ? null : (wanted[0] ?? null);
}

function requireSyntax(wanted: string | null, stored: string): void {
  if (wanted !== null && wanted !== stored) throw new Problem("not-acceptable");
}

async function* wholeFile(path: string): AsyncGenerator<Uint8Array> {
  const { size } = await stat(path);
  yield* fileSource(path, size).stream(0, size);
}

function sendParts(reply: FastifyReply, type: string, parts: readonly OutgoingPart[]) {
  const writer = new MultipartWriter();
  async function* body() {
    for (const { headers, bytes } of parts) {
      yield writer.head(headers);
      yield* bytes();
    }
    yield writer.tail();
  }
  return reply.type(writer.contentType(type)).send(streamed(body()));
}

/** A JSON array, one element at a time. */
async function* jsonArray<T>(items: readonly T[], render: (item: T) => Promise<unknown>) {
  let lead = "[";
  for (const item of items) {
    yield Buffer.from(`${lead}${JSON.stringify(await render(item))}`);
    lead = ",";
  }
  yield Buffer.from(lead === "[" ? "[]" : "]");
}
