/** What a caller takes: `Accept` for each kind of answer (PS3.18 section 8.7). */
import { isUid } from "../../protocol/uid.ts";
import { AS_STORED, type MediaType, parseMediaTypes } from "../archive/mediaType.ts";
import { EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN } from "../archive/transferSyntaxes.ts";
import { Problem } from "../problem.ts";

/** What is asked of the archive, and how it is packed for the caller. */
export interface WantedFile {
  /** A transfer syntax, or `*` for the stored one. */
  transferSyntax: string;
  /** One instance may come without multipart around it. */
  multipart: boolean;
}

/** What frames may be. */
export interface WantedFrames {
  /** Whether frames of that kind will do. */
  accepts(mediaType: string, transferSyntaxUid: string | null): boolean;
  /** Whether uncompressed little endian will do, which an archive can often make. */
  decoded: boolean;
  multipart: boolean;
}

const DICOM = "application/dicom";
const OCTETS = "application/octet-stream";
const MULTIPART = "multipart/related";

/** Names that viewers still use for media types that were renamed since. */
const RENAMED: Record<string, string> = {
  "image/x-jls": "image/jls",
  "image/x-dicom-rle": "image/dicom-rle",
  "image/jhc": "image/jphc",
};

/** For DICOM files. @throws {Problem} `not-acceptable` */
export function acceptFile(header: string | undefined): WantedFile {
  for (const range of rangesOf(header)) {
    if (!["*/*", "application/*", DICOM].includes(typeOf(range))) continue;
    const transferSyntax = range.parameters.get("transfer-syntax") ?? AS_STORED;
    if (transferSyntax !== AS_STORED && !isUid(transferSyntax)) continue;
    return { transferSyntax, multipart: range.name === MULTIPART || range.name === "*/*" };
  }
  throw new Problem("not-acceptable", `DICOM files come as ${MULTIPART} of ${DICOM}.`);
}

/** For frames. @throws {Problem} `not-acceptable` */
export function acceptFrames(header: string | undefined): WantedFrames {
  const ranges = rangesOf(header).filter((range) =>
    /^(\*\/\*|image\/|video\/|application\/(\*|octet-stream))/.test(typeOf(range)),
  );
  if (ranges.length === 0) throw new Problem("not-acceptable", `Frames come as ${MULTIPART}.`);
  return {
    accepts: (mediaType, syntax) => ranges.some((range) => takes(range, mediaType, syntax)),
    decoded: ranges.some((range) => takes(range, OCTETS, EXPLICIT_LITTLE_ENDIAN)),
    multipart: ranges.some(({ name }) => name === MULTIPART || name === "*/*"),
  };
}

/** For bulk data: whether in multipart. @throws {Problem} `not-acceptable` */
export function acceptBulkData(header: string | undefined): { multipart: boolean } {
  const range = rangesOf(header).find((each) => ["*/*", "application/*", OCTETS].includes(typeOf(each)));
  if (!range) throw new Problem("not-acceptable", `Bulk data comes as ${OCTETS}.`);
  return { multipart: range.name === MULTIPART || range.name === "*/*" };
}

/** For searches and metadata, which are DICOM JSON here. @throws {Problem} `not-acceptable` */
export function acceptJson(header: string | undefined): void {
  const json = ["*/*", "application/*", "application/dicom+json", "application/json"];
  if (!rangesOf(header).some(({ name }) => json.includes(name))) {
    throw new Problem("not-acceptable", "Searches and metadata come as application/dicom+json.");
  }
}

function rangesOf(header: string | undefined): MediaType[] {
  const ranges = parseMediaTypes(header ?? "*/*");
  if (ranges === null) throw new Problem("not-acceptable", "The Accept header cannot be read.");
  return ranges.length > 0 ? ranges : rangesOf("*/*");
}

/** What is in the parts, or in the one part. */
function typeOf({ name, parameters }: MediaType): string {
  if (name !== MULTIPART) return name;
  const type = parameters.get("type")?.toLowerCase() ?? "*/*";
  return RENAMED[type] ?? type;
}

function takes(range: MediaType, mediaType: string, syntax: string | null): boolean {
  const type = typeOf(range);
  const wanted = range.parameters.get("transfer-syntax");
  // "Octets in any transfer syntax" is how viewers ask for frames as they are stored (PS3.18 section 8.7.3.5.2).
  if (wanted === AS_STORED && type === OCTETS) return true;
  const sameType = type === "*/*" || type === mediaType || type === `${mediaType.split("/")[0]}/*`;
  if (!sameType) return false;
  if (wanted !== undefined) return wanted === AS_STORED || wanted === syntax;
  const plain = syntax === null || [IMPLICIT_LITTLE_ENDIAN, EXPLICIT_LITTLE_ENDIAN].includes(syntax);
  return type !== OCTETS || plain;
}
