/**
 * Pictures of a study, a series, an instance or a frame: rendered (WADO-RS, PS3.18 section 10.4.1.1.3) and as thumbnails
 * (section 10.4.1.1.5). Each is drawn here, the same over every archive.
 */
import type { FastifyInstance, FastifyReply } from "fastify";
import type { InstanceReference } from "../archive/client.ts";
import { readRenderOptions, readThumbnailOptions } from "../archive/rendering/options.ts";
import { Problem } from "../problem.ts";
import { instanceOf, type PathParams, type PictureResource, seriesOf, studyOf } from "./address.ts";
import { sendOne } from "./body.ts";
import { type DicomwebRequest, type Opened, openStudy, type Parts, queryOf } from "./context.ts";
import { documentIn, takesDocument } from "./documents.ts";
import type { HeldInstance } from "./holdings.ts";

/** A study, a series or an instance, and how one of its instances is chosen to stand for it. */
type Level<Address> = {
  path: string;
  name: string;
  address(params: PathParams): Address;
  instance(parts: Parts, opened: Opened & { address: Address }): Promise<HeldInstance>;
};

type StudyAddress = { studyInstanceUid: string };
type SeriesAddress = StudyAddress & { seriesInstanceUid: string };

/** One picture to send. */
type Wanted = {
  resource: PictureResource;
  instance: HeldInstance;
  frame: number | "middle";
  signal: AbortSignal;
};

const RESOURCES = ["rendered", "thumbnail"] as const satisfies readonly PictureResource[];
const GET = { exposeHeadRoute: false };

const STUDY: Level<StudyAddress> = {
  path: "/studies/:study",
  name: "study",
  address: (params) => ({ studyInstanceUid: studyOf(params) }),
  async instance({ holdings }, { address, series, signal }) {
    // The series with the most pictures stands for the study: localizers and reports have few or none.
    let most: HeldInstance[] = [];
    for (const held of await holdings.series(address.studyInstanceUid, series, { signal })) {
      const instances = await holdings.instances(held.studyInstanceUid, held.seriesInstanceUid);
      if (pictures(instances).length > pictures(most).length || most.length === 0) most = instances;
    }
    return middle(most);
  },
};
const SERIES: Level<SeriesAddress> = {
  path: "/studies/:study/series/:series",
  name: "series",
  address: seriesOf,
  instance: async ({ holdings }, { address }) =>
    middle(await holdings.instances(address.studyInstanceUid, address.seriesInstanceUid)),
};
const INSTANCE: Level<InstanceReference> = {
  path: "/studies/:study/series/:series/instances/:instance",
  name: "instance",
  address: instanceOf,
  instance: ({ holdings }, { address }) => holdings.instance(address),
};

/** Those of frames stand with the frames themselves. */
export function pictureRoutes(routes: FastifyInstance, parts: Parts): void {
  for (const resource of RESOURCES) {
    pictureRoute(routes, parts, resource, STUDY);
    pictureRoute(routes, parts, resource, SERIES);
    pictureRoute(routes, parts, resource, INSTANCE);
  }
}

function pictureRoute<Address extends StudyAddress>(
  routes: FastifyInstance,
  parts: Parts,
  resource: PictureResource,
  level: Level<Address>,
): void {
  routes.get(`${level.path}/${resource}`, GET, async (request: DicomwebRequest, reply) => {
    const route = `WADO-RS ${resource} ${level.name}`;
    const opened = await openStudy(parts, request, reply, { action: "VIEW", route, address: level.address });
    const instance = await level.instance(parts, opened);
    const { signal } = opened;
    return sendPicture(parts, request, reply, { resource, instance, frame: "middle", signal });
  });
}

/**
 * Draw and send. What cannot be drawn is a placeholder that says so, in the picture and in a warning; a PDF is sent as it
 * is to who takes one.
 */
export async function sendPicture(
  { archive, renderer }: Parts,
  request: DicomwebRequest,
  reply: FastifyReply,
  { resource, instance, frame, signal }: Wanted,
): Promise<FastifyReply> {
  const isThumbnail = resource === "thumbnail";
  const read = isThumbnail ? readThumbnailOptions : readRenderOptions;
  const [query, { accept }] = [queryOf(request), request.headers];
  if (instance.frames === null && frame === "middle" && !isThumbnail && takesDocument(query, accept)) {
    const document = await documentIn(archive, instance, signal);
    if (document) return sendOne(reply, document, false, signal);
  }
  const options = read(query, accept);
  const picture = await renderer.picture({ instance, frame, options, nameless: isThumbnail, signal });
  if (picture.missing !== null) reply.header("warning", `299 examkey "${picture.missing}"`);
  return reply.type(options.type).send(Buffer.from(picture.bytes));
}

function pictures(instances: readonly HeldInstance[]): HeldInstance[] {
  return instances.filter(({ frames }) => frames !== null);
}

/** The middle one of those that have pictures, or of all where none has. */
function middle(instances: readonly HeldInstance[]): HeldInstance {
  const shown = pictures(instances);
  const from = shown.length > 0 ? shown : instances;
  const found = from[Math.floor((from.length - 1) / 2)];
  if (!found) throw new Problem("not-found");
  return found;
}
