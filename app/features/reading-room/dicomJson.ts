/** The DICOM JSON model (PS3.18 Annex F), as far as a viewer reads it. */

/** One attribute of an instance; bulk data is named by URI, or inlined in base64. */
export interface Attribute {
  vr?: string;
  Value?: readonly unknown[];
  BulkDataURI?: string;
  InlineBinary?: string;
}

/** One instance's metadata: attributes by tag, eight hexadecimal digits (PS3.18 F.2.2). */
export type Instance = Readonly<Record<string, Attribute | undefined>>;

/** Tags by keyword (PS3.6), only those that the reading room reads itself. */
export const TAGS = {
  SOPClassUID: "00080016",
  SOPInstanceUID: "00080018",
  StudyDate: "00080020",
  Modality: "00080060",
  StudyDescription: "00081030",
  SeriesDescription: "0008103E",
  PatientName: "00100010",
  PatientID: "00100020",
  PatientBirthDate: "00100030",
  FrameTime: "00181063",
  CineRate: "00180040",
  RecommendedDisplayFrameRate: "00082144",
  SeriesInstanceUID: "0020000E",
  SeriesNumber: "00200011",
  InstanceNumber: "00200013",
  ImagePositionPatient: "00200032",
  ImageOrientationPatient: "00200037",
  NumberOfFrames: "00280008",
  PhotometricInterpretation: "00280004",
  LossyImageCompression: "00282110",
  Rows: "00280010",
  Columns: "00280011",
  BitsAllocated: "00280100",
  BitsStored: "00280101",
  PixelPaddingValue: "00280120",
  PixelPaddingRangeLimit: "00280121",
  RedPaletteColorLookupTableDescriptor: "00281101",
  GreenPaletteColorLookupTableDescriptor: "00281102",
  BluePaletteColorLookupTableDescriptor: "00281103",
  RedPaletteColorLookupTableData: "00281201",
  GreenPaletteColorLookupTableData: "00281202",
  BluePaletteColorLookupTableData: "00281203",
} as const;

export type Keyword = keyof typeof TAGS;

/** First value as text, without padding; an absent or empty attribute is "". */
export function text(instance: Instance, keyword: Keyword): string {
  const value = instance[TAGS[keyword]]?.Value?.[0];
  return typeof value === "string" || typeof value === "number" ? String(value).trim() : "";
}

/** All values as numbers; IS and DS may come as strings (PS3.18 F.2.3). Values that are no number are left out. */
export function numbers(instance: Instance, keyword: Keyword): number[] {
  const values = instance[TAGS[keyword]]?.Value ?? [];
  return values
    .filter((value) => value !== null && value !== "")
    .map(Number)
    .filter(Number.isFinite);
}

/** First value as a number, or undefined. */
export function number(instance: Instance, keyword: Keyword): number | undefined {
  return numbers(instance, keyword)[0];
}

/** A person's name in reading order, "Family, Given Middle" (PS3.5 6.2.1), from its alphabetic group. */
export function personName(instance: Instance, keyword: Keyword): string {
  const value = instance[TAGS[keyword]]?.Value?.[0];
  const alphabetic =
    typeof value === "object" && value !== null && "Alphabetic" in value ? value.Alphabetic : value;
  if (typeof alphabetic !== "string") return "";
  const [family = "", ...others] = alphabetic.split("^").map((part) => part.trim());
  const [given = "", middle = ""] = others;
  return [family, [given, middle].filter(Boolean).join(" ")].filter(Boolean).join(", ");
}
