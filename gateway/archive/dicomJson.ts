/** The DICOM JSON Model (PS3.18 annex F), as far as the gateway reads it. */
import { tagOf } from "./dictionary.ts";

/** A data element's tag as the model writes it: eight upper-case hex digits. */
export type Tag = string;

/** A value of VR PN: one string for each component group that is present. */
export interface PersonName {
  Alphabetic?: string;
  Ideographic?: string;
  Phonetic?: string;
}

export type DicomValue = string | number | null | PersonName | DicomDataset;

/** One data element: a value, or where its bytes are, or its bytes in base64; none of them when empty. */
export interface DicomElement {
  vr: string;
  Value?: DicomValue[];
  BulkDataURI?: string;
  InlineBinary?: string;
}

/** A data set: an instance's attributes, an item of a sequence, or one search result. */
export interface DicomDataset {
  [tag: Tag]: DicomElement;
}

/** The element with that keyword (PS3.6), such as `StudyInstanceUID`, or undefined. */
export function elementOf(dataset: DicomDataset, keyword: string): DicomElement | undefined {
  return dataset[tagOf(keyword)];
}

/** All values of an element as strings, blanks removed; numbers are written out, names give their first group. */
export function stringsOf(dataset: DicomDataset, keyword: string): string[] {
  const values = elementOf(dataset, keyword)?.Value ?? [];
  return values.map(textOfValue).filter((text) => text !== "");
}

/** The first value of an element as a string, or null when it is absent or empty. */
export function stringOf(dataset: DicomDataset, keyword: string): string | null {
  return stringsOf(dataset, keyword)[0] ?? null;
}

/** The first value of an element as a number, or null when it is absent, empty or no number. */
export function numberOf(dataset: DicomDataset, keyword: string): number | null {
  const text = stringOf(dataset, keyword);
  const number = text === null ? Number.NaN : Number(text);
  return Number.isFinite(number) ? number : null;
}

/** The items of a sequence; none when it is absent or empty. */
export function itemsOf(dataset: DicomDataset, keyword: string): DicomDataset[] {
  return (elementOf(dataset, keyword)?.Value ?? []).filter(isDataset);
}

/** A person's name as people write it: `Doe^Jane^^Dr` becomes `Dr Jane Doe` (PS3.5 section 6.2.1.1). */
export function personNameOf(dataset: DicomDataset, keyword: string): string | null {
  const text = stringOf(dataset, keyword);
  if (text === null) return null;
  const [family = "", given = "", middle = "", prefix = "", suffix = ""] = text
    .split("^")
    .map((s) => s.trim());
  const name = [prefix, given, middle, family].filter(Boolean).join(" ");
  return (suffix ? `${name}, ${suffix}` : name) || null;
}

/** A value that is an item of a sequence rather than a name or a scalar. */
export function isDataset(value: DicomValue | undefined): value is DicomDataset {
  return typeof value === "object" && value !== null && Object.values(value).every(isElement);
}

function isElement(value: unknown): boolean {
  return typeof value === "object" && value !== null && "vr" in value;
}

function textOfValue(value: DicomValue): string {
  if (typeof value === "string") return value.trim();
  if (typeof value === "number") return String(value);
  if (value === null || isDataset(value)) return "";
  return (value.Alphabetic ?? value.Ideographic ?? value.Phonetic ?? "").trim();
}

/** How many frames an instance has: 0 for one without pixels, such as a report (PS3.3 section C.7.6.6). */
export function numberOfFrames(dataset: DicomDataset): number {
  const pixels = (numberOf(dataset, "Rows") ?? 0) * (numberOf(dataset, "Columns") ?? 0);
  return pixels > 0 ? Math.max(1, numberOf(dataset, "NumberOfFrames") ?? 1) : 0;
}
