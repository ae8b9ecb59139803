/** One request on its way through: who asks, what is open to them, and until when. */
import { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Action } from "../../protocol/terms.ts";
import type { ArchiveClient } from "../archive/client.ts";
import type { FrameCache } from "../archive/frameCache.ts";
import type { MetadataCache } from "../archive/metadataCache.ts";
import type { Renderer } from "../archive/rendering/renderer.ts";
import { Problem } from "../problem.ts";
import type { AccessGate, AllowedSeries, OpenExam } from "./access.ts";
import type { PathParams } from "./address.ts";
import { untilClosed } from "./body.ts";
import { type Holdings, isAllowed } from "./holdings.ts";

/** What the routes work with. */
export interface Parts {
  gate: AccessGate;
  archive: ArchiveClient;
  renderer: Renderer;
  holdings: Holdings;
  frameCache: FrameCache;
  metadataCache: MetadataCache;
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

/** How a route opens what its path names. */
type Opening<T> = { action: Action; route: string; address: (params: PathParams) => T };

/** Authenticate, read the path, and open what it names: a permit is recorded when this resolves. @throws {Problem} */
export async function openStudy<T extends { studyInstanceUid: string; seriesInstanceUid?: string }>(
  { gate }: Parts,
  request: DicomwebRequest,
  reply: FastifyReply,
  { action, route, address }: Opening<T>,
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
  return { address: named, series: open.series, signal: within(open, seriesInstanceUid, reply) };
}

/**
 * As `openStudy`, for one series or less; the archive is asked, by `ask`, while the permit is being recorded. What it
 * answered, or how it failed, is told once the permit is.
 */
export async function askAhead<T extends { studyInstanceUid: string; seriesInstanceUid: string }, A>(
  { gate }: Parts,
  request: DicomwebRequest,
  reply: FastifyReply,
  { action, route, address }: Opening<T>,
  ask: (opened: Opened & { address: T }) => Promise<A>,
): Promise<{ answer: A; signal: AbortSignal }> {
  const caller = await gate.authenticate(request);
  const named = address(request.params);
  const { studyInstanceUid, seriesInstanceUid } = named;
  const open = await gate.openAhead(caller, { studyInstanceUid, seriesInstanceUid, action, route });
  const asked = (async () => {
    const signal = within(open, seriesInstanceUid, reply);
    return { signal, answer: await ask({ address: named, series: open.series, signal }) };
  })();
  // Only now is the record waited for: until here, others could join its commit.
  await Promise.allSettled([asked]);
  try {
    await open.recorded();
  } catch (error) {
    await asked.then(letGo, () => undefined);
    throw error;
  }
  return asked;
}

/** What will not be given on is not read either. */
function letGo({ answer }: { answer: unknown }): void {
  const parts = typeof answer === "object" && answer !== null ? Object.values(answer) : [];
  for (const part of parts) if (part instanceof Readable) part.destroy();
}

/** What ends with the access and the request. @throws {Problem} where the series is not among those that are open */
function within(
  { series, signal }: OpenExam,
  seriesInstanceUid: string | undefined,
  reply: FastifyReply,
): AbortSignal {
  if (seriesInstanceUid !== undefined && !isAllowed(series, seriesInstanceUid))
    throw new Problem("not-granted");
  const ends = untilClosed(reply, signal);
  ends.throwIfAborted();
  return ends;
}
