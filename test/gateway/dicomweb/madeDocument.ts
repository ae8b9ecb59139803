/** A PDF wrapped into a DICOM object (Encapsulated PDF Storage, PS3.3 section A.45.1), made here: no sample has one. */

const EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1";
const ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1";

export const DOCUMENT = {
  study: "2.25.1001",
  series: "2.25.1002",
  instance: "2.25.1003",
  pdf: Buffer.from(`%PDF-1.4\n${"% a page\n".repeat(999)}%%EOF\n`, "latin1"),
};

/** The file (PS3.10). */
export function madeDocument(): Buffer {
  const meta = Buffer.concat([
    element(0x0002, 0x0001, "OB", Buffer.from([0, 1])),
    element(0x0002, 0x0002, "UI", ENCAPSULATED_PDF),
    element(0x0002, 0x0003, "UI", DOCUMENT.instance),
    element(0x0002, 0x0010, "UI", EXPLICIT_LITTLE_ENDIAN),
    element(0x0002, 0x0012, "UI", "2.25.1"),
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(meta.length);
  return Buffer.concat([
    ...[Buffer.alloc(128), Buffer.from("DICM"), element(0x0002, 0x0000, "UL", length), meta],
    element(0x0008, 0x0016, "UI", ENCAPSULATED_PDF),
    element(0x0008, 0x0018, "UI", DOCUMENT.instance),
    element(0x0008, 0x0060, "CS", "DOC"),
    element(0x0010, 0x0010, "PN", "Report^A"),
    element(0x0010, 0x0020, "LO", "REPORT-1"),
    element(0x0020, 0x000d, "UI", DOCUMENT.study),
    element(0x0020, 0x000e, "UI", DOCUMENT.series),
    element(0x0020, 0x0011, "IS", "1"),
    element(0x0020, 0x0013, "IS", "1"),
    element(0x0042, 0x0011, "OB", DOCUMENT.pdf),
    element(0x0042, 0x0012, "LO", "application/pdf"),
  ]);
}

/** A data element in explicit little endian (PS3.5 section 7.1.2). */
function element(group: number, number: number, vr: string, value: string | Buffer): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value, "latin1") : value;
  const padding = Buffer.alloc(bytes.length % 2, vr === "UI" || vr === "OB" ? 0 : " ");
  const size = bytes.length + padding.length;
  const head = Buffer.alloc(vr === "OB" ? 12 : 8);
  head.writeUInt16LE(group, 0);
  head.writeUInt16LE(number, 2);
  head.write(vr, 4, "latin1");
  if (vr === "OB") head.writeUInt32LE(size, 8);
  else head.writeUInt16LE(size, 6);
  return Buffer.concat([head, bytes, padding]);
}
