/**
 * Searches (QIDO-RS, PS3.18 section 10.6): what a query string asks, and whether a data set matches it (PS3.4 C.2.2.2).
 *
 * The embedded archive answers with this, and so does the gateway, which never passes a caller's key on: an archive
 * that takes an empty or an unknown key for "everything" cannot widen what the caller sees.
 */
import { isUid } from "../../protocol/uid.ts";
import { Problem } from "../problem.ts";
import { type DicomDataset, type DicomValue, isDataset } from "./dicomJson.ts";
import { findTag, tagOf, vrOf } from "./dictionary.ts";
import { repeated } from "./repeated.ts";

export type Level = "study" | "series" | "instance";

/** One attribute that results must match. An empty value matches everything. */
export interface MatchingKey {
  tag: string;
  value: string;
}

/** A search, read and checked. */
export interface Search {
  keys: MatchingKey[];
  /** Tags of further attributes to answer with, or all that the archive has. */
  includeFields: readonly string[] | "all";
  /** Infinity where none was given. */
  limit: number;
  offset: number;
}

/** Attributes that results hold and can be matched by, at their level (PS3.18 tables 10.6.1-5 and 10.6.3-3 to 5). */
export const ATTRIBUTES: Record<Level, readonly string[]> = {
  study: [
    "SpecificCharacterSet",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ModalitiesInStudy",
    "ReferringPhysicianName",
    "StudyDescription",
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "StudyID",
    "NumberOfStudyRelatedSeries",
    "NumberOfStudyRelatedInstances",
  ],
  series: [
    "Modality",
    "SeriesDate",
    "SeriesTime",
    "SeriesDescription",
    "BodyPartExamined",
    "Laterality",
    "SeriesInstanceUID",
    "SeriesNumber",
    "NumberOfSeriesRelatedInstances",
    "PerformedProcedureStepStartDate",
    "PerformedProcedureStepStartTime",
  ],
  instance: [
    "SOPClassUID",
    "SOPInstanceUID",
    "InstanceNumber",
    "Rows",
    "Columns",
    "BitsAllocated",
    "NumberOfFrames",
  ],
};

const LEVELS: readonly Level[] = ["study", "series", "instance"];
const MAX_VALUE = 1024;

/** Read a query string. @throws {Problem} on a key that is unknown, given twice (also by its tag), or malformed. */
export function readSearch(query: URLSearchParams, level: Level): Search {
  const allowed = new Set(attributesUpTo(level).map(tagOf));
  const search = { keys: [] as MatchingKey[], limit: Number.POSITIVE_INFINITY, offset: 0 };
  const seen = new Set<string>();
  const fields: string[] = [];
  for (const [name, value] of query) {
    if (name === "includefield") {
      fields.push(...value.split(","));
      continue;
    }
    const control = CONTROLS.has(name);
    const key = control ? name : findTag(name);
    if (key === undefined || (!control && !allowed.has(key)))
      refuse(`Searches cannot use the key ${repeated(name)}.`);
    if (seen.has(key)) refuse(`The key ${repeated(name)} is given twice.`);
    seen.add(key);
    if (key === "limit") search.limit = count(value, key);
    else if (key === "offset") search.offset = count(value, key);
    else if (!control) search.keys.push({ tag: key, value: checkedValue(key, value) });
  }
  return { ...search, includeFields: readFields(fields) };
}

/** The attributes of a level and of those above it. */
export function attributesUpTo(level: Level): string[] {
  return LEVELS.slice(0, LEVELS.indexOf(level) + 1).flatMap((each) => ATTRIBUTES[each]);
}

/** Whether a data set matches every key. */
export function matches(dataset: DicomDataset, keys: readonly MatchingKey[]): boolean {
  return keys.every(
    ({ tag, value }) => value === "" || matchesValue(dataset[tag]?.Value ?? [], vrOf(tag), value),
  );
}

/** Query parameters that are no keys. Fuzzy matching is accepted and not done, as PS3.18 section 8.3.4.2 allows. */
const CONTROLS = new Set(["limit", "offset", "fuzzymatching"]);

function refuse(detail: string): never {
  throw new Problem("malformed-request", detail);
}

function count(value: string, name: string): number {
  if (!/^\d{1,9}$/.test(value)) refuse(`${name} is not a number.`);
  return Number(value);
}

function checkedValue(tag: string, raw: string): string {
  const value = raw.trim();
  if (value.length > MAX_VALUE) refuse("A key's value is too long.");
  if (vrOf(tag) === "UI" && value !== "" && !listed(value).every(isUid)) throw new Problem("malformed-uid");
  return value;
}

function readFields(names: string[]): readonly string[] | "all" {
  if (names.includes("all")) return "all";
  return names
    .filter((name) => name !== "")
    .map((name) => findTag(name) ?? refuse(`There is no attribute ${repeated(name)}.`));
}

/** UIDs may be listed with commas (PS3.18 section 8.3.4.1) or backslashes (PS3.5). */
function listed(value: string): string[] {
  return value.split(/[,\\]/);
}

function matchesValue(values: readonly DicomValue[], vr: string, wanted: string): boolean {
  const texts = values.flatMap(textsOf);
  switch (vr) {
    case "UI":
      return listed(wanted).some((uid) => texts.includes(uid));
    case "DA":
    case "TM":
    case "DT":
      return texts.some((text) => inRange(text, wanted));
    case "PN":
      return texts.some((text) => glob(text.toLowerCase(), wanted.toLowerCase()));
    case "IS":
    case "DS":
    case "US":
      return texts.some((text) => Number(text) === Number(wanted));
    case "CS":
      // A viewer's worklist asks for several modalities at once; no code has either separator in it (PS3.5 section 6.2).
      return listed(wanted).some((code) => texts.some((text) => glob(text, code)));
    default:
      return texts.some((text) => glob(text, wanted));
  }
}

/** A value's text; a name matches by any of its component groups. */
function textsOf(value: DicomValue): string[] {
  if (value === null || isDataset(value)) return [];
  if (typeof value === "object") return Object.values(value).filter((group) => typeof group === "string");
  return [String(value).trim()];
}

/** `20240101`, `20240101-`, `-20240131` or both ends, which are included. Old files write `1996.06.11` and `09:11:56`. */
function inRange(text: string, wanted: string): boolean {
  const value = text.replace(/[.:](?=\d\d)/g, "");
  const dash = wanted.indexOf("-");
  if (dash < 0) return value.startsWith(wanted);
  const [from, to] = [wanted.slice(0, dash), wanted.slice(dash + 1)];
  return value >= from && (to === "" || value.slice(0, to.length) <= to);
}

/** Whole-text match with `*` and `?`, in time bounded by the product of the lengths. */
function glob(text: string, pattern: string): boolean {
  let [at, star, retry] = [0, -1, 0];
  let p = 0;
  while (at < text.length) {
    if (pattern[p] === "*") {
      star = p;
      retry = at;
      p += 1;
    } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === text[at])) {
      p += 1;
      at += 1;
    } else if (star >= 0) {
      p = star + 1;
      retry += 1;
      at = retry;
    } else {
      return false;
    }
  }
  return /^\**$/.test(pattern.slice(p));
}
