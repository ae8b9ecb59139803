/** Text in DICOM's character repertoires (PS3.3 section C.12.1.1.2, PS3.5 section 6.1). */

/** Decoders by defined term; `ISO 2022` terms use the same code tables, reached by escape sequences. */
const LABELS: Record<string, string> = {
  "": "latin1",
  "IR 6": "latin1",
  "IR 100": "latin1",
  "IR 101": "iso-8859-2",
  "IR 109": "iso-8859-3",
  "IR 110": "iso-8859-4",
  "IR 144": "iso-8859-5",
  "IR 127": "iso-8859-6",
  "IR 126": "iso-8859-7",
  "IR 138": "iso-8859-8",
  "IR 148": "iso-8859-9",
  "IR 166": "windows-874",
  "IR 203": "iso-8859-15",
  "IR 13": "shift_jis",
  "IR 87": "iso-2022-jp",
  "IR 159": "iso-2022-jp",
  "IR 149": "euc-kr",
  "IR 58": "gb18030",
  "IR 192": "utf-8",
  GB18030: "gb18030",
  GBK: "gbk",
};

/** Turns a data set's text into strings. */
export type TextDecode = (bytes: Uint8Array) => string;

/** The decoder for the values of Specific Character Set (0008,0005). An unknown term falls back to ISO 8859-1. */
export function textDecoder(terms: readonly string[]): TextDecode {
  const labels = terms.map((term) => LABELS[term.replace(/^ISO[_ ](2022 )?/, "").trim()] ?? "latin1");
  // With code extensions, the multi-byte set decodes what the single-byte one does, since both hold ASCII.
  const label = labels.find((name) => name !== "latin1") ?? labels[0] ?? "latin1";
  const decoder = new TextDecoder(label);
  if (label === "iso-2022-jp" || terms.length < 2) return (bytes) => decoder.decode(bytes);
  // The other decoders do not know escape sequences: ESC, intermediates, one final byte (ISO 2022).
  const escapes = new RegExp(`${String.fromCharCode(0x1b)}[ -/]+[0-~]`, "g");
  return (bytes) => decoder.decode(bytes).replace(escapes, "");
}
