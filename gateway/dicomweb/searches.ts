/**
 * Searches (QIDO-RS, PS3.18 section 10.6).
 *
 * They start from the exams that the caller may see, never from the archive's list: the archive is asked for each by
 * its UID, and the caller's keys, paging included, are applied here.
 */
import type { FastifyInstance, FastifyReply } from "fastify";
import type { CallOptions } from "../archive/client.ts";
import { type DicomDataset, numberOf, stringOf } from "../archive/dicomJson.ts";
import { tagOf } from "../archive/dictionary.ts";
import {
  ATTRIBUTES,
  attributesUpTo,
  type Level,
  matches,
  readSearch,
  type Search,
} from "../archive/search.ts";
import { inOrder } from "../inOrder.ts";
import { acceptJson } from "./accept.ts";
import type { AllowedSeries, VisibleStudy } from "./access.ts";
import { pathOf, seriesOf, studyOf } from "./address.ts";
import { untilClosed } from "./body.ts";
import { type DicomwebRequest, openStudy, type Parts, queryOf } from "./context.ts";
import { belongs, isAllowed } from "./holdings.ts";
import { rewriteResult } from "./rewrite.ts";

/** Studies asked for at the same time. */
const AHEAD = 6;
const COUNTS = ["NumberOfSeriesRelatedInstances"];
/** What an archive may say in any result of all that it has: more than the caller may know of. */
const OF_PATIENT = [
  "NumberOfPatientRelatedStudies",
  "NumberOfPatientRelatedSeries",
  "NumberOfPatientRelatedInstances",
];
/** What only the study's own record says here: an archive may repeat it for series, counting those not shared. */
const OF_STUDY = [
  "ModalitiesInStudy",
  "SOPClassesInStudy",
  "NumberOfStudyRelatedSeries",
  "NumberOfStudyRelatedInstances",
];

/** All six search resources (PS3.18 table 10.6.1-2). */
export function searchRoutes(routes: FastifyInstance, parts: Parts): void {
  for (const [path, level] of [
    ["/studies", "study"],
    ["/series", "series"],
    ["/instances", "instance"],
  ] as const) {
    routes.get(path, { exposeHeadRoute: false }, async (request: DicomwebRequest, reply) => {
      const caller = await parts.gate.authenticate(request);
      acceptJson(request.headers.accept);
      const search = readSearch(queryOf(request), level);
      // A list, once sent, is sent: there is no access to follow while it is read.
      const signal = untilClosed(reply, new AbortController().signal);
      const searching = new Searching(parts, { level, search, root: parts.root(request) }, { signal });
      const about = { action: "VIEW", route: `QIDO-RS ${path.slice(1)}` } as const;
      const results = await parts.gate.visible(caller, about, (studies) =>
        page(searching.run(studies), search),
      );
      return send(reply, results);
    });
  }
  for (const [path, level] of [
    ["series", "series"],
    ["instances", "instance"],
  ] as const) {
    routes.get(
      `/studies/:study/${path}`,
      { exposeHeadRoute: false },
      async (request: DicomwebRequest, reply) => {
        const { address, series, signal } = await openStudy(parts, request, reply, {
          action: "VIEW",
          route: `QIDO-RS study ${path}`,
          address: (params) => ({ studyInstanceUid: studyOf(params) }),
        });
        return within(parts, request, reply, level, [{ ...address, series }], signal);
      },
    );
  }
  routes.get(
    "/studies/:study/series/:series/instances",
    { exposeHeadRoute: false },
    async (request: DicomwebRequest, reply) => {
      const { address, signal } = await openStudy(parts, request, reply, {
        action: "VIEW",
        route: "QIDO-RS series instances",
        address: seriesOf,
      });
      const study = {
        studyInstanceUid: address.studyInstanceUid,
        series: new Set([address.seriesInstanceUid]),
      };
      return within(parts, request, reply, "instance", [study], signal);
    },
  );
}

async function within(
  parts: Parts,
  request: DicomwebRequest,
  reply: FastifyReply,
  level: Level,
  studies: VisibleStudy[],
  signal: AbortSignal,
) {
  acceptJson(request.headers.accept);
  const search = readSearch(queryOf(request), level);
  const searching = new Searching(parts, { level, search, root: parts.root(request) }, { signal });
  const results = await page(searching.run(studies), search);
  signal.throwIfAborted();
  return send(reply, results);
}

function send(reply: FastifyReply, results: readonly DicomDataset[]): FastifyReply {
  return reply.type("application/dicom+json").send(JSON.stringify(results));
}

/** What was asked for of what is found. */
async function page(found: AsyncIterable<DicomDataset>, { limit, offset }: Search): Promise<DicomDataset[]> {
  const results: DicomDataset[] = [];
  let skipped = 0;
  if (limit > 0) {
    for await (const result of found) {
      if (skipped < offset) {
        skipped += 1;
        continue;
      }
      results.push(result);
      if (results.length >= limit) break;
    }
  }
  return results;
}

/** One search, walking down from studies to the level that is wanted. */
class Searching {
  readonly #parts: Parts;
  readonly #level: Level;
  readonly #search: Search;
  readonly #root: string;
  readonly #call: CallOptions;
  /** What to ask the archive for at every level: keys can only be applied to what is there. */
  readonly #fields: string[];

  /** @param root the DICOMweb root as the caller sees it */
  constructor(
    parts: Parts,
    { level, search, root }: { level: Level; search: Search; root: string },
    call: CallOptions,
  ) {
    this.#parts = parts;
    this.#root = root;
    this.#level = level;
    this.#search = search;
    this.#call = call;
    const wanted = search.includeFields === "all" ? ["all"] : search.includeFields;
    this.#fields = [...new Set([...search.keys.map(({ tag }) => tag), ...wanted])];
  }

  async *run(studies: readonly VisibleStudy[]): AsyncGenerator<DicomDataset, void, undefined> {
    const listed = inOrder(studies, AHEAD, async (study) => ({ study, record: await this.#study(study) }));
    for await (const { study, record } of listed) {
      if (record === null || !this.#matchesSoFar(record, "study")) continue;
      if (this.#level === "study") yield this.#result(record, study.studyInstanceUid);
      else yield* this.#series(study, record);
    }
  }

  async *#series({ studyInstanceUid, series: allowed }: VisibleStudy, study: DicomDataset) {
    for (const listed of await this.#listSeries(studyInstanceUid, allowed)) {
      const series = { ...study, ...listed };
      if (!this.#matchesSoFar(series, "series")) continue;
      const seriesInstanceUid = stringOf(series, "SeriesInstanceUID") ?? "";
      if (this.#level === "series") yield this.#result(series, studyInstanceUid, seriesInstanceUid);
      else yield* this.#instances(studyInstanceUid, seriesInstanceUid, series);
    }
  }

  async *#instances(studyInstanceUid: string, seriesInstanceUid: string, series: DicomDataset) {
    const listed = await this.#parts.archive.searchInstances(studyInstanceUid, seriesInstanceUid, {
      ...this.#call,
      includeFields: this.#fields,
    });
    for (const found of listed) {
      const dataset = without(found, OF_STUDY);
      const sopInstanceUid = stringOf(dataset, "SOPInstanceUID");
      const here =
        belongs(dataset, "StudyInstanceUID", studyInstanceUid) &&
        belongs(dataset, "SeriesInstanceUID", seriesInstanceUid);
      const instance = { ...series, ...dataset };
      if (sopInstanceUid === null || !here || !matches(instance, this.#search.keys)) continue;
      yield this.#result(instance, studyInstanceUid, seriesInstanceUid, sopInstanceUid);
    }
  }

  /** The study's own record; null where the archive has it no more. */
  async #study({ studyInstanceUid, series }: VisibleStudy): Promise<DicomDataset | null> {
    const whole = series === "all";
    const [record] = await this.#parts.archive.searchStudies(
      { studyInstanceUid, includeFields: whole ? this.#fields : ["ModalitiesInStudy"] },
      this.#call,
    );
    if (!record) return null;
    if (whole) return record;
    // A part of a study says nothing of the rest of it.
    return {
      ...pick(record, ATTRIBUTES.study),
      ...summary(await this.#listSeries(studyInstanceUid, series)),
    };
  }

  async #listSeries(studyInstanceUid: string, allowed: AllowedSeries): Promise<DicomDataset[]> {
    const listed = await this.#parts.archive.searchSeries(studyInstanceUid, {
      ...this.#call,
      includeFields: [...COUNTS, ...(this.#level === "study" ? [] : this.#fields)],
    });
    const here = listed.filter((dataset) => {
      const seriesInstanceUid = stringOf(dataset, "SeriesInstanceUID");
      const belongsHere = belongs(dataset, "StudyInstanceUID", studyInstanceUid);
      return belongsHere && seriesInstanceUid !== null && isAllowed(allowed, seriesInstanceUid);
    });
    return here.map((dataset) => without(dataset, OF_STUDY));
  }

  /** Applies the keys that this level can answer, so that what cannot match is not looked into. */
  #matchesSoFar(dataset: DicomDataset, level: Level): boolean {
    const known = new Set(attributesUpTo(level).map(tagOf));
    return matches(
      dataset,
      this.#search.keys.filter(({ tag }) => known.has(tag)),
    );
  }

  #result(dataset: DicomDataset, study: string, series?: string, instance?: string): DicomDataset {
    return rewriteResult(without(dataset, OF_PATIENT), `${this.#root}${pathOf(study, series, instance)}`);
  }
}

function pick(dataset: DicomDataset, keywords: readonly string[]): DicomDataset {
  const tags = new Set(keywords.map(tagOf));
  return Object.fromEntries(Object.entries(dataset).filter(([tag]) => tags.has(tag)));
}

function without(dataset: DicomDataset, keywords: readonly string[]): DicomDataset {
  const tags = new Set(keywords.map(tagOf));
  return Object.fromEntries(Object.entries(dataset).filter(([tag]) => !tags.has(tag)));
}

/** The counts of a study that consists of these series alone. */
function summary(series: readonly DicomDataset[]): DicomDataset {
  const modalities = [...new Set(series.flatMap((each) => stringOf(each, "Modality") ?? []))].sort();
  const instances = series.reduce((sum, each) => sum + (numberOf(each, COUNTS[0] ?? "") ?? 0), 0);
  return {
    [tagOf("ModalitiesInStudy")]: { vr: "CS", Value: modalities },
    [tagOf("NumberOfStudyRelatedSeries")]: { vr: "IS", Value: [series.length] },
    [tagOf("NumberOfStudyRelatedInstances")]: { vr: "IS", Value: [instances] },
  };
}
