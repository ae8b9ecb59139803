/** Transfer syntaxes (PS3.5 annex A, PS3.6 table A-1), and what frames in them are. */

/** What a file is in that names none. */
export const IMPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2";
/** What uncompressed bytes are unless they say otherwise (PS3.18 table 8.7.3-2). */
export const EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1";
export const DEFLATED_LITTLE_ENDIAN = "1.2.840.10008.1.2.1.99";
/** Retired, and still in archives. */
export const EXPLICIT_BIG_ENDIAN = "1.2.840.10008.1.2.2";

const OCTETS = "application/octet-stream";

/** Media types of compressed frames (PS3.18 table 8.7.3-5); all others are octets. */
const MEDIA_TYPES: Array<[RegExp, string]> = [
  [/^1\.2\.840\.10008\.1\.2\.4\.(5[0-7]|70)$/, "image/jpeg"],
  [/^1\.2\.840\.10008\.1\.2\.4\.8[01]$/, "image/jls"],
  [/^1\.2\.840\.10008\.1\.2\.4\.9[01]$/, "image/jp2"],
  [/^1\.2\.840\.10008\.1\.2\.4\.9[23]$/, "image/jpx"],
  [/^1\.2\.840\.10008\.1\.2\.4\.20[1-3]$/, "image/jphc"],
  [/^1\.2\.840\.10008\.1\.2\.4\.11[0-2]$/, "image/jxl"],
  [/^1\.2\.840\.10008\.1\.2\.5$/, "image/dicom-rle"],
  [/^1\.2\.840\.10008\.1\.2\.4\.10[0-1](\.1)?$/, "video/mpeg"],
  [/^1\.2\.840\.10008\.1\.2\.4\.10[2-6](\.1)?$/, "video/mp4"],
];

/** The media type of one frame that is stored in a transfer syntax. */
export function frameMediaType(transferSyntaxUid: string): string {
  return MEDIA_TYPES.find(([syntax]) => syntax.test(transferSyntaxUid))?.[1] ?? OCTETS;
}
