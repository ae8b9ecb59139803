/** Rendered pictures (WADO-RS, PS3.18 section 10.4.1.1.7) of a study, a series, an instance or a frame. */
import type { FastifyInstance, FastifyReply } from "fastify";
import type { InstanceReference } from "../archive/client.ts";
import { readRenderOptions } from "../archive/rendering/options.ts";
import { Problem } from "../problem.ts";
import { instanceOf, seriesOf, studyOf } from "./address.ts";
import { type DicomwebRequest, openStudy, type Parts, queryOf } from "./context.ts";
import type { HeldInstance } from "./holdings.ts";

const GET = { exposeHeadRoute: false };

export function renderedRoutes(routes: FastifyInstance, parts: Parts): void {
  routes.get("/studies/:study/rendered", GET, async (request: DicomwebRequest, reply) => {
    const { address, series, signal } = await openStudy(parts, request, reply, {
      action: "VIEW",
      route: "WADO-RS rendered study",
      address: (params) => ({ studyInstanceUid: studyOf(params) }),
    });
    const held = await parts.holdings.series(address.studyInstanceUid, series, { signal });
    // The series with the most pictures stands for the study: localizers and reports have few or none.
    let most: HeldInstance[] = [];
    for (const { studyInstanceUid, seriesInstanceUid } of held) {
      const instances = await parts.holdings.instances(studyInstanceUid, seriesInstanceUid);
      if (pictures(instances).length > pictures(most).length || most.length === 0) most = instances;
    }
    return sendRendered(parts, request, reply, { instance: middle(most), frame: "middle", signal });
  });
  routes.get("/studies/:study/series/:series/rendered", GET, async (request: DicomwebRequest, reply) => {
    const { address, signal } = await openStudy(parts, request, reply, {
      action: "VIEW",
      route: "WADO-RS rendered series",
      address: seriesOf,
    });
    const instances = await parts.holdings.instances(address.studyInstanceUid, address.seriesInstanceUid);
    return sendRendered(parts, request, reply, { instance: middle(instances), frame: "middle", signal });
  });
  routes.get(
    "/studies/:study/series/:series/instances/:instance/rendered",
    GET,
    async (request: DicomwebRequest, reply) => {
      const { address, signal } = await openStudy(parts, request, reply, {
        action: "VIEW",
        route: "WADO-RS rendered instance",
        address: instanceOf,
      });
      const instance = await parts.holdings.instance(address);
      return sendRendered(parts, request, reply, { instance, frame: "middle", signal });
    },
  );
}

/** Draw and send. What cannot be drawn is a placeholder that says so, in the picture and in a warning. */
export async function sendRendered(
  { renderer }: Parts,
  request: DicomwebRequest,
  reply: FastifyReply,
  { instance, frame, signal }: { instance: InstanceReference; frame: number | "middle"; signal: AbortSignal },
): Promise<FastifyReply> {
  const options = readRenderOptions(queryOf(request), request.headers.accept);
  const picture = await renderer.picture({ instance, frame, options, signal });
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
