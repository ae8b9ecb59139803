/** Transfer syntaxes without compression of pixels (PS3.5 annex A, PS3.6 table A-1). */

/** What a file is in that names none. */
export const IMPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2";
/** What uncompressed bytes are unless they say otherwise (PS3.18 table 8.7.3-2). */
export const EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1";
export const DEFLATED_LITTLE_ENDIAN = "1.2.840.10008.1.2.1.99";
/** Retired, and still in archives. */
export const EXPLICIT_BIG_ENDIAN = "1.2.840.10008.1.2.2";
