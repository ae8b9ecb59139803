/** The embedded archive's searches (QIDO-RS, PS3.18 section 10.6). */
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { DicomDataset } from "../dicomJson.ts";
import { tagOf } from "../dictionary.ts";
import { type Level, matches, readSearch, type Search } from "../search.ts";
import { attributesOf } from "./attributes.ts";
import type { Catalogue, Found } from "./catalogue.ts";
import type { OpenFiles } from "./openFiles.ts";

/** What the embedded archive's routes work on. */
export interface Holdings {
  catalogue: Catalogue;
  files: OpenFiles;
  /** The DICOMweb root's URL, known once the server listens. */
  url: () => string;
}

type Params = { study?: string; series?: string };

/** All six search resources (PS3.18 table 10.6.1-2). */
export function searchRoutes(routes: FastifyInstance, holdings: Holdings): void {
  const at = (path: string, level: Level) =>
    routes.get<{ Params: Params }>(path, async (request, reply) => {
      reply.type("application/dicom+json");
      return JSON.stringify(
        await search(holdings, level, request.params, readSearch(queryOf(request), level)),
      );
    });
  at("/studies", "study");
  at("/series", "series");
  at("/instances", "instance");
  at("/studies/:study/series", "series");
  at("/studies/:study/instances", "instance");
  at("/studies/:study/series/:series/instances", "instance");
}

function queryOf(request: FastifyRequest): URLSearchParams {
  return new URL(request.raw.url ?? "/", "http://archive").searchParams;
}

async function search(holdings: Holdings, level: Level, { study, series }: Params, asked: Search) {
  const results: DicomDataset[] = [];
  let skipped = 0;
  for (const found of holdings.catalogue.entries(level, study, series)) {
    if (results.length >= asked.limit) break;
    if (!matches(found.attributes, asked.keys)) continue;
    if (skipped < asked.offset) skipped += 1;
    else results.push(await answer(holdings, found, asked));
  }
  return results;
}

/** The indexed attributes, and those that only the file has, where they are wanted. */
async function answer(
  { files, url }: Holdings,
  { attributes, sample, path }: Found,
  { includeFields }: Search,
): Promise<DicomDataset> {
  const known = { ...attributes, [tagOf("RetrieveURL")]: { vr: "UR", Value: [`${url()}/${path}`] } };
  const missing = includeFields === "all" || includeFields.some((tag) => !(tag in known));
  if (!missing) return known;
  const { file } = await files.open(sample.path);
  const all = attributesOf(file, (tagPath) => `${url()}/${instancePath(sample)}/bulkdata/${tagPath}`);
  const wanted = Object.entries(all).filter(
    ([tag]) => includeFields === "all" || includeFields.includes(tag),
  );
  return { ...Object.fromEntries(wanted), ...known };
}

/** An instance's resource, below the root. */
export function instancePath(instance: Found["sample"]): string {
  const { studyInstanceUid, seriesInstanceUid, sopInstanceUid } = instance;
  return `studies/${studyInstanceUid}/series/${seriesInstanceUid}/instances/${sopInstanceUid}`;
}
