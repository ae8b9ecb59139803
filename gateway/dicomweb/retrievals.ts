/** Retrievals (WADO-RS, PS3.18 section 10.4): DICOM files, metadata, frames and bulk data of what is open. */
import type { FastifyInstance, FastifyReply } from "fastify";
import type { Content, InstanceReference } from "../archive/client.ts";
import {
  type DicomDataset,
  type DicomElement,
  isDataset,
  numberOfFrames,
  stringOf,
} from "../archive/dicomJson.ts";
import type { CachedFrame } from "../archive/frameCache.ts";
import { AS_STORED } from "../archive/mediaType.ts";
import { MultipartWriter } from "../archive/multipart.ts";
import type { ContentReceiver } from "../archive/receiver.ts";
import { EXPLICIT_LITTLE_ENDIAN } from "../archive/transferSyntaxes.ts";
import { inOrder } from "../inOrder.ts";
import { Problem } from "../problem.ts";
import { acceptBulkData, acceptFile, acceptFrames, acceptJson, type WantedFrames } from "./accept.ts";
import type { AllowedSeries } from "./access.ts";
import { framesOf, instanceOf, type PathParams, seriesOf, studyOf, tagPathOf } from "./address.ts";
import { asParts, sendBody, sendCached, sendOne, sendReceived } from "./body.ts";
import { askAhead, type DicomwebRequest, openStudy, type Parts } from "./context.ts";
import type { HeldInstance } from "./holdings.ts";
import { sendPicture } from "./pictures.ts";
import { rewriteMetadata } from "./rewrite.ts";

/** A study, or a series of it. */
type Address = { studyInstanceUid: string; seriesInstanceUid?: string };

/** Instances whose metadata is asked for at the same time. */
const AHEAD = 8;
const INSTANCE = "/studies/:study/series/:series/instances/:instance";
const GET = { exposeHeadRoute: false };

/** The levels of which many instances are retrieved, by their paths. */
const LEVELS: ReadonlyArray<[path: string, name: string, address: (params: PathParams) => Address]> = [
  ["/studies/:study", "study", (params) => ({ studyInstanceUid: studyOf(params) })],
  ["/studies/:study/series/:series", "series", seriesOf],
];

export function retrievalRoutes(routes: FastifyInstance, parts: Parts): void {
  for (const [path, name, address] of LEVELS) {
    routes.get(path, GET, async (request: DicomwebRequest, reply) => {
      const route = `WADO-RS ${name}`;
      const opened = await openStudy(parts, request, reply, { action: "DOWNLOAD", route, address });
      return sendFiles(parts, request, reply, opened);
    });
    routes.get(`${path}/metadata`, GET, async (request: DicomwebRequest, reply) => {
      const route = `WADO-RS ${name} metadata`;
      const opened = await openStudy(parts, request, reply, { action: "VIEW", route, address });
      return sendMetadata(parts, request, reply, opened);
    });
  }
  instanceRoutes(routes, parts);
  routes.get(`${INSTANCE}/bulkdata/*`, GET, async (request: DicomwebRequest, reply) => {
    const { address, signal } = await openStudy(parts, request, reply, {
      action: "VIEW",
      route: "WADO-RS instance bulk data",
      address: (params) => ({ ...instanceOf(params), tagPath: tagPathOf(params) }),
    });
    const { multipart } = acceptBulkData(request.headers.accept);
    const held = await parts.holdings.instance(address);
    const content = await bulkData(parts, held, address.tagPath, signal);
    return sendOne(reply, content, multipart, signal);
  });
}

/** What viewers ask for most: the archive is asked while the permit is being recorded. */
function instanceRoutes(routes: FastifyInstance, parts: Parts): void {
  routes.get(INSTANCE, GET, async (request: DicomwebRequest, reply) => {
    const opening = { action: "DOWNLOAD", route: "WADO-RS instance", address: instanceOf } as const;
    const { answer } = await askAhead(parts, request, reply, opening, async ({ address, signal }) => {
      const { transferSyntax, multipart } = acceptFile(request.headers.accept);
      const held = await parts.holdings.instance(address);
      return { file: await parts.archive.retrieve(held, { transferSyntax, signal }), multipart };
    });
    const { file, multipart } = answer;
    const { transferSyntaxUid } = file;
    return sendReceived(reply, file, multipart, { mediaType: "application/dicom", transferSyntaxUid });
  });
  routes.get(`${INSTANCE}/metadata`, GET, async (request: DicomwebRequest, reply) => {
    const opening = { action: "VIEW", route: "WADO-RS instance metadata", address: instanceOf } as const;
    const { answer } = await askAhead(parts, request, reply, opening, async ({ address, signal }) => {
      acceptJson(request.headers.accept);
      const held = await parts.holdings.instance(address);
      const dataset = await verifiedMetadata(parts, held, signal);
      return JSON.stringify([rewriteMetadata(dataset, held, parts.root(request))]);
    });
    return reply.type("application/dicom+json").send(answer);
  });
  routes.get(`${INSTANCE}/frames/*`, GET, async (request: DicomwebRequest, reply) => {
    const opening = {
      action: "VIEW",
      route: "WADO-RS instance frames",
      address: (params: PathParams) => ({ ...instanceOf(params), ...framesOf(params) }),
    } as const;
    const { answer, signal } = await askAhead(parts, request, reply, opening, async ({ address, signal }) => {
      const held = await parts.holdings.instance(address);
      const { frames, picture } = address;
      const [only, ...more] = frames;
      if (picture !== null || only === undefined || more.length > 0) return { held, frames, picture };
      return receiveFrame(parts, request, held, only, signal);
    });
    if ("cached" in answer) return sendCached(reply, answer.cached, answer.multipart);
    if ("content" in answer) return sendReceived(reply, answer.content, answer.multipart);
    const { held, frames, picture } = answer;
    if (picture === null) return sendFrames(parts, request, reply, held, frames, signal);
    const [frame, ...more] = frames;
    if (frame === undefined || more.length > 0) {
      throw new Problem("malformed-request", "One frame is drawn at a time.");
    }
    return sendPicture(parts, request, reply, { resource: picture, instance: held, frame, signal });
  });
}

interface OpenedAddress {
  address: Address;
  series: AllowedSeries;
  signal: AbortSignal;
}

/** All instances that are named and allowed, series by series, as the archive lists them now. */
async function* heldInstances(
  { holdings }: Parts,
  { address, series, signal }: OpenedAddress,
): AsyncGenerator<HeldInstance, void, undefined> {
  const { studyInstanceUid, seriesInstanceUid } = address;
  if (seriesInstanceUid !== undefined) {
    yield* await holdings.instances(studyInstanceUid, seriesInstanceUid);
  } else {
    for (const each of await holdings.series(studyInstanceUid, series, { signal })) {
      yield* await holdings.instances(studyInstanceUid, each.seriesInstanceUid);
    }
  }
}

/** DICOM files, each asked for by itself: what is sent is what was allowed, and memory does not grow with the study. */
async function sendFiles(parts: Parts, request: DicomwebRequest, reply: FastifyReply, opened: OpenedAddress) {
  const { transferSyntax, multipart } = acceptFile(request.headers.accept);
  const { signal } = opened;
  async function* files(): AsyncGenerator<Content, void, undefined> {
    for await (const held of heldInstances(parts, opened)) {
      const file = await parts.archive.retrieve(held, { transferSyntax, signal });
      const { transferSyntaxUid, bytes } = file;
      yield { mediaType: "application/dicom", transferSyntaxUid, bytes };
    }
  }
  if (!multipart) throw new Problem("not-acceptable", "Several files come as multipart/related.");
  const writer = new MultipartWriter();
  return sendBody(reply, writer.contentType("application/dicom"), asParts(writer, files()), signal);
}

/** Metadata as one JSON array, instance after instance. */
async function sendMetadata(
  parts: Parts,
  request: DicomwebRequest,
  reply: FastifyReply,
  opened: OpenedAddress,
) {
  acceptJson(request.headers.accept);
  const { signal } = opened;
  const held: HeldInstance[] = [];
  for await (const instance of heldInstances(parts, opened)) held.push(instance);
  const root = parts.root(request);
  const datasets = inOrder(held, AHEAD, async (instance) => {
    const dataset = await verifiedMetadata(parts, instance, signal);
    return JSON.stringify(rewriteMetadata(dataset, instance, root));
  });
  async function* array() {
    let lead = "[";
    for await (const text of datasets) {
      yield Buffer.from(`${lead}${text}`);
      lead = ",";
    }
    yield Buffer.from("]");
  }
  return sendBody(reply, "application/dicom+json", array(), signal);
}

/** Metadata that is what was asked for, by the UIDs in it. @throws {Problem} `not-found` */
async function verifiedMetadata(parts: Parts, instance: InstanceReference, signal: AbortSignal) {
  const dataset = await parts.metadataCache.get(parts.archive, instance, { signal });
  const same =
    stringOf(dataset, "StudyInstanceUID") === instance.studyInstanceUid &&
    stringOf(dataset, "SeriesInstanceUID") === instance.seriesInstanceUid &&
    stringOf(dataset, "SOPInstanceUID") === instance.sopInstanceUid;
  if (!same) throw new Problem("not-found");
  return dataset;
}

/** What is accepted of frames that are there; in which syntaxes the archive is asked for them. @throws {Problem} */
async function wantedFrames(
  parts: Parts,
  request: DicomwebRequest,
  held: HeldInstance,
  frames: readonly number[],
  signal: AbortSignal,
): Promise<WantedFrames & { syntaxes: string[] }> {
  const wanted = acceptFrames(request.headers.accept);
  if (!wanted.multipart && frames.length > 1) {
    throw new Problem("not-acceptable", "Several frames come as multipart/related.");
  }
  const count = held.frames ?? numberOfFrames(await verifiedMetadata(parts, held, signal));
  if (frames.some((frame) => frame > count)) throw new Problem("not-found");
  return { ...wanted, syntaxes: wanted.decoded ? [AS_STORED, EXPLICIT_LITTLE_ENDIAN] : [AS_STORED] };
}

/** One frame as it is stored, or as the archive decodes it where the caller insists. */
async function receiveFrame(
  parts: Parts,
  request: DicomwebRequest,
  held: HeldInstance,
  frame: number,
  signal: AbortSignal,
): Promise<{ multipart: boolean } & ({ content: ContentReceiver } | { cached: CachedFrame })> {
  const wanted = await wantedFrames(parts, request, held, [frame], signal);
  const { multipart } = wanted;
  const { frameCache } = parts;
  for (const transferSyntax of wanted.syntaxes) {
    const reference = { ...held, frame, transferSyntax };
    const cached = frameCache.get(reference);
    if (cached && wanted.accepts(cached.mediaType, cached.transferSyntaxUid)) return { cached, multipart };
    const { generation } = frameCache;
    const content = await parts.archive.frame(held, frame, { transferSyntax, signal });
    const { mediaType, transferSyntaxUid } = content;
    if (wanted.accepts(mediaType, transferSyntaxUid)) {
      if ((content.length ?? 1) <= frameCache.largest)
        content.keep(frameCache.largest, (bytes) =>
          frameCache.set(reference, { mediaType, transferSyntaxUid, bytes }, generation),
        );
      return { content, multipart };
    }
    content.destroy();
  }
  throw notStoredSo();
}

/** As `receiveFrame`, for several, sent in multipart. */
async function sendFrames(
  parts: Parts,
  request: DicomwebRequest,
  reply: FastifyReply,
  held: HeldInstance,
  frames: readonly number[],
  signal: AbortSignal,
) {
  const wanted = await wantedFrames(parts, request, held, frames, signal);
  for (const transferSyntax of wanted.syntaxes) {
    const contents = parts.archive.frames(held, frames, { transferSyntax, signal });
    const first = await contents.next();
    if (first.done) throw new Problem("not-found");
    const { mediaType, transferSyntaxUid } = first.value;
    if (!wanted.accepts(mediaType, transferSyntaxUid)) {
      await contents.return();
      continue;
    }
    const writer = new MultipartWriter();
    async function* all() {
      if (!first.done) yield first.value;
      yield* contents;
    }
    return sendBody(reply, writer.contentType(mediaType), asParts(writer, all()), signal);
  }
  throw notStoredSo();
}

function notStoredSo(): Problem {
  return new Problem("not-acceptable", "The frames are stored in a form that was not asked for.");
}

/** A value by its place in the instance's metadata, which says where the archive keeps it. */
async function bulkData(parts: Parts, held: HeldInstance, tagPath: readonly string[], signal: AbortSignal) {
  const element = elementAt(await verifiedMetadata(parts, held, signal), tagPath);
  if (element?.BulkDataURI !== undefined)
    return parts.archive.bulkData(held, element.BulkDataURI, { signal });
  if (element?.InlineBinary === undefined) throw new Problem("not-found");
  const bytes = Buffer.from(element.InlineBinary, "base64");
  async function* inline() {
    yield bytes;
  }
  return { mediaType: "application/octet-stream", transferSyntaxUid: null, bytes: inline() };
}

function elementAt(
  dataset: DicomDataset,
  [tag = "", item, ...rest]: readonly string[],
): DicomElement | undefined {
  const element = dataset[tag];
  if (item === undefined) return element;
  const inner = element?.Value?.[Number(item) - 1];
  return isDataset(inner) ? elementAt(inner, rest) : undefined;
}
