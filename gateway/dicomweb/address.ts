/** What a path names, checked: nothing of a caller's path goes on to the archive but what passed here. */
import { isUid } from "../../protocol/uid.ts";
import type { InstanceReference } from "../archive/client.ts";
import { Problem } from "../problem.ts";

/** The variable parts of the DICOMweb paths. */
export interface PathParams {
  study?: string;
  series?: string;
  instance?: string;
  /** Whatever stands behind `frames/` or `bulkdata/`. */
  "*"?: string;
}

/** Frames of one request. More are asked for in several. */
const MAX_FRAMES = 10_000;

/** @throws {Problem} `malformed-uid` */
export function studyOf({ study }: PathParams): string {
  return uid(study);
}

/** @throws {Problem} `malformed-uid` */
export function seriesOf(params: PathParams): { studyInstanceUid: string; seriesInstanceUid: string } {
  return { studyInstanceUid: uid(params.study), seriesInstanceUid: uid(params.series) };
}

/** @throws {Problem} `malformed-uid` */
export function instanceOf(params: PathParams): InstanceReference {
  return { ...seriesOf(params), sopInstanceUid: uid(params.instance) };
}

/** A picture, as the resource that it is asked for as. */
export type PictureResource = "rendered" | "thumbnail";

/** A list of frames, counted from 1, as in `1,2,5`, and the picture that is wanted of them, if one is. @throws {Problem} */
export function framesOf(params: PathParams): { frames: number[]; picture: PictureResource | null } {
  const [list = "", suffix = null, ...rest] = (params["*"] ?? "").split("/");
  const isKnown = suffix === null || suffix === "rendered" || suffix === "thumbnail";
  if (rest.length > 0 || !isKnown) throw new Problem("not-found");
  const items = list.split(",");
  if (items.length > MAX_FRAMES || !items.every((item) => /^[1-9]\d{0,8}$/.test(item))) {
    throw new Problem("malformed-request", "Frames are a list of numbers from 1, with commas between them.");
  }
  return { frames: items.map(Number), picture: suffix };
}

/** A value's place: tags, with item numbers from 1 between them, as in `00880200/1/7FE00010`. @throws {Problem} */
export function tagPathOf(params: PathParams): string[] {
  const steps = (params["*"] ?? "").split("/");
  const valid = steps.every((step, index) =>
    (index % 2 === 0 ? /^[0-9A-Fa-f]{8}$/ : /^[1-9]\d{0,5}$/).test(step),
  );
  if (!valid || steps.length % 2 === 0)
    throw new Problem("malformed-request", "Bulk data is named by its tag.");
  return steps.map((step) => step.toUpperCase());
}

/** A resource's path below a DICOMweb root. */
export function pathOf(
  studyInstanceUid: string,
  seriesInstanceUid?: string,
  sopInstanceUid?: string,
): string {
  const series = seriesInstanceUid === undefined ? "" : `/series/${seriesInstanceUid}`;
  const instance = sopInstanceUid === undefined ? "" : `/instances/${sopInstanceUid}`;
  return `/studies/${studyInstanceUid}${series}${instance}`;
}

function uid(text: string | undefined): string {
  if (text === undefined || !isUid(text)) throw new Problem("malformed-uid");
  return text;
}
