/** What an exam is, in the words of the person it was made of. */

/** Modalities (PS3.3, section C.7.3.1.1.1) that patients meet, in plain words. */
const MODALITIES: Record<string, string> = {
  BMD: "Bone density scan",
  CR: "X-ray",
  CT: "CT scan",
  DOC: "Document",
  DX: "X-ray",
  ECG: "Heart trace",
  ES: "Endoscopy",
  IO: "Dental X-ray",
  IVUS: "Ultrasound inside a vessel",
  KO: "Selection of images",
  MG: "Mammogram",
  MR: "MRI scan",
  NM: "Nuclear medicine scan",
  OCT: "Retina scan",
  OP: "Eye photograph",
  OT: "Other images",
  PR: "Markings on images",
  PT: "PET scan",
  PX: "Panoramic dental X-ray",
  RF: "X-ray film",
  RG: "X-ray",
  SC: "Captured images",
  SEG: "Outlines on images",
  SM: "Microscope slides",
  SR: "Written report",
  US: "Ultrasound",
  XA: "Angiogram",
};

/** Modalities that hold no pictures of their own (PS3.3, section C.7.3.1.1.1): they never name an exam. */
const WITHOUT_PICTURES = new Set([
  "AU",
  "DOC",
  "FID",
  "KO",
  "PLAN",
  "PR",
  "REG",
  "RTDOSE",
  "RTPLAN",
  "RTRECORD",
  "RTSTRUCT",
  "SEG",
  "SR",
]);

/** Whether objects of a modality are pictures in their own right. */
export function hasPictures(modality: string): boolean {
  return !WITHOUT_PICTURES.has(modality.trim().toUpperCase());
}

/** Body parts (PS3.16, annex L) whose defined term does not read as a word once lower-cased. */
const BODY_PARTS: Record<string, string> = {
  ABDOMENPELVIS: "abdomen and pelvis",
  CAROTID: "carotid artery",
  CERVICALSPINE: "neck spine",
  CHESTABDOMEN: "chest and abdomen",
  CHESTABDPELVIS: "chest, abdomen and pelvis",
  CSPINE: "neck spine",
  EXTREMITY: "limb",
  HEADNECK: "head and neck",
  LOWEREXTREMITY: "leg",
  LSPINE: "lower spine",
  TSPINE: "upper spine",
  UPPEREXTREMITY: "arm",
  WHOLEBODY: "whole body",
};

/** One modality in plain words; an unknown code is shown as it is. */
function modalityInWords(code: string): string {
  return MODALITIES[code.trim().toUpperCase()] ?? (code.trim() || "Images");
}

/** The modality codes of an exam, those with pictures only where there are any, each kind of picture once. */
function picturedModalities(codes: readonly string[]): string[] {
  const pictured = codes.filter(hasPictures);
  return [...new Set((pictured.length > 0 ? pictured : codes).map(modalityInWords))];
}

/** A DICOM BodyPartExamined in plain words, or null where the archive does not know. */
export function bodyPartInWords(term: string | null): string | null {
  const code =
    term
      ?.trim()
      .toUpperCase()
      .replaceAll(/[\s_-]/g, "") ?? "";
  if (code === "") return null;
  return BODY_PARTS[code] ?? term?.trim().toLowerCase().replaceAll("_", " ") ?? null;
}

/** What an exam is called: "MRI scan, brain". */
export function examTitle(exam: { modalities: readonly string[]; bodyPart: string | null }): string {
  const what = picturedModalities(exam.modalities).join(" and ") || "Images";
  const where = bodyPartInWords(exam.bodyPart);
  return where ? `${what}, ${where}` : what;
}

/** A description as the archive holds it, without the marks that only machines need. */
export function descriptionInWords(description: string | null): string | null {
  return description?.replaceAll(/[\^_]+/g, " ").trim() || null;
}

/** What a series is called: its own description, or its modality where it has none. */
export function seriesTitle(series: { modality: string; description: string }): string {
  return descriptionInWords(series.description) ?? modalityInWords(series.modality);
}

/** "No images", "1 image", "192 images". */
export function imageCount(count: number, locale?: string): string {
  if (count === 0) return "No images";
  const number = new Intl.NumberFormat(locale).format(count);
  return count === 1 ? `${number} image` : `${number} images`;
}
