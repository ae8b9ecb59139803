/** One request on its way through: who asks, what is open to them, and until when. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Action } from "../../protocol/terms.ts";
import type { ArchiveClient } from "../archive/client.ts";
import type { Renderer } from "../archive/rendering/renderer.ts";
import { Problem } from "../problem.ts";
import type { AccessGate, AllowedSeries } from "./access.ts";
import type { PathParams } from "./address.ts";
import { untilClosed } from "./body.ts";
import { type Holdings, isAllowed } from "./holdings.ts";

/** What the routes work with. */
export interface Parts {
  gate: AccessGate;
  archive: ArchiveClient;
  renderer: Renderer;
  holdings: Holdings;
  /** This gateway's DICOMweb root as the caller of a request sees it, without a trailing slash. */
  root: (request: FastifyRequest) => string;
}

export type DicomwebRequest = FastifyRequest<{ Params: PathParams }>;

/** An open study. */
export interface Opened {
  series: AllowedSeries;
  /** Ends with the access, and with the request. */
  signal: AbortSignal;
}

/** The query string's pairs, duplicates and all, but for the token that a viewer may put there. */
export function queryOf(request: FastifyRequest): URLSearchParams {
  const { searchParams } = new URL(request.raw.url ?? "/", "http://gateway");
  searchParams.delete("token");
  return searchParams;
}

/** Authenticate, read the path, and open what it names: a permit is recorded when this resolves. @throws {Problem} */
export async function openStudy<T extends { studyInstanceUid: string; seriesInstanceUid?: string }>(
  { gate }: Parts,
  request: DicomwebRequest,
  reply: FastifyReply,
  { action, route, address }: { action: Action; route: string; address: (params: PathParams) => T },
): Promise<Opened & { address: T }> {
  const caller = await gate.authenticate(request);
  const named = address(request.params);
  const { studyInstanceUid, seriesInstanceUid } = named;
  const open = await gate.open(caller, {
    studyInstanceUid,
    ...(seriesInstanceUid !== undefined && { seriesInstanceUid }),
    action,
    route,
  });
  if (seriesInstanceUid !== undefined && !isAllowed(open.series, seriesInstanceUid)) {
    throw new Problem("not-granted");
  }
  const signal = untilClosed(reply, open.signal);
  signal.throwIfAborted();
  return { address: named, series: open.series, signal };
}
