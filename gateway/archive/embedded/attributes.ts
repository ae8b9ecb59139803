/** From a file's data set to the DICOM JSON Model (PS3.18 annex F). */
import type { DataSet, Element } from "dicom-parser";
import type { DicomDataset, DicomElement, DicomValue, PersonName } from "../dicomJson.ts";
import { vrOf } from "../dictionary.ts";
import { type TextDecode, textDecoder } from "./characterSets.ts";
import type { DicomFile } from "./dicomFile.ts";
import { swapBytes } from "./endian.ts";

/** Binary values up to this many bytes stand in the JSON itself; longer ones are bulk data. */
const MAX_INLINE = 4096;
const BINARY = new Set(["OB", "OD", "OF", "OL", "OV", "OW", "UN"]);
/** Text that is one value, in which a backslash is a character (PS3.5 section 6.2). */
const WHOLE_TEXT = new Set(["LT", "ST", "UT", "UR"]);
/** VRs that Specific Character Set applies to (PS3.5 section 6.1.2.3); the others are ASCII. */
const LOCALISED = new Set(["LO", "LT", "PN", "SH", "ST", "UC", "UT"]);

/** A number's width in bytes, and how it is read from a view. */
const NUMBERS: Record<
  string,
  { width: number; read: (view: DataView, at: number, little: boolean) => number | string }
> = {
  US: { width: 2, read: (view, at, little) => view.getUint16(at, little) },
  SS: { width: 2, read: (view, at, little) => view.getInt16(at, little) },
  UL: { width: 4, read: (view, at, little) => view.getUint32(at, little) },
  SL: { width: 4, read: (view, at, little) => view.getInt32(at, little) },
  FL: { width: 4, read: (view, at, little) => view.getFloat32(at, little) },
  FD: { width: 8, read: (view, at, little) => view.getFloat64(at, little) },
  // 64-bit integers do not fit a JSON number: annex F allows strings.
  UV: { width: 8, read: (view, at, little) => view.getBigUint64(at, little).toString() },
  SV: { width: 8, read: (view, at, little) => view.getBigInt64(at, little).toString() },
};

/** The attributes of a file, without its pixels. `bulkDataUri` names a value by its tag path: `7FE00010`, `00880200/1/7FE00010`. */
export function attributesOf(file: DicomFile, bulkDataUri: (tagPath: string) => string): DicomDataset {
  return new Converter(file, bulkDataUri).dataset(file.dataSet, "", textDecoder([]));
}

/** The element at a tag path, or undefined. Item numbers count from 1. */
export function elementAt(file: DicomFile, tagPath: string): { element: Element; vr: string } | undefined {
  let dataSet: DataSet | undefined = file.dataSet;
  const steps = tagPath.split("/");
  for (let at = 0; dataSet; at += 2) {
    const tag: string = steps[at] ?? "";
    const element: Element | undefined = dataSet.elements[`x${tag.toLowerCase()}`];
    if (element === undefined) return undefined;
    if (at === steps.length - 1) return { element, vr: representation(element, tag, file.dataSet) };
    dataSet = element.items?.[Number(steps[at + 1]) - 1]?.dataSet;
  }
  return undefined;
}

class Converter {
  readonly #file: DicomFile;
  readonly #bulkDataUri: (tagPath: string) => string;

  constructor(file: DicomFile, bulkDataUri: (tagPath: string) => string) {
    this.#file = file;
    this.#bulkDataUri = bulkDataUri;
  }

  /** One data set or item. An item that names no character set of its own has its parent's. */
  dataset(dataSet: DataSet, path: string, inherited: TextDecode): DicomDataset {
    const own = dataSet.elements.x00080005;
    const decode = own ? textDecoder((dataSet.string("x00080005") ?? "").split("\\")) : inherited;
    const tags = Object.keys(dataSet.elements).map((key) => key.slice(1).toUpperCase());
    const result: DicomDataset = {};
    for (const tag of tags.sort()) {
      const element = dataSet.elements[`x${tag.toLowerCase()}`];
      // File meta information and group lengths say how the file is written, not what it holds.
      if (!element || tag.startsWith("0002") || tag.endsWith("0000") || tag.startsWith("FFFE")) continue;
      result[tag] = this.#element(dataSet, element, tag, `${path}${tag}`, decode);
    }
    // JSON is UTF-8, whatever the file was (PS3.18 section F.2.1.1).
    if (result["00080005"]) result["00080005"] = { vr: "CS", Value: ["ISO_IR 192"] };
    return result;
  }

  #element(dataSet: DataSet, element: Element, tag: string, path: string, decode: TextDecode): DicomElement {
    if (element.tag === "x7fe00010") {
      return { vr: representation(element, tag, dataSet), BulkDataURI: this.#bulkDataUri(path) };
    }
    if (element.items) {
      const items = element.items.map((item, index) =>
        item.dataSet ? this.dataset(item.dataSet, `${path}/${index + 1}/`, decode) : {},
      );
      return items.length > 0 ? { vr: "SQ", Value: items } : { vr: "SQ" };
    }
    const vr = representation(element, tag, dataSet);
    if (element.length === 0 || vr === "SQ") return { vr };
    if (BINARY.has(vr)) return this.#binary(dataSet, element, vr, path);
    const bytes = bytesOf(dataSet, element);
    const values = this.#values(bytes, vr, LOCALISED.has(vr) ? decode : latin1);
    return values.length > 0 ? { vr, Value: values } : { vr };
  }

  #binary(dataSet: DataSet, element: Element, vr: string, path: string): DicomElement {
    if (element.length > MAX_INLINE) return { vr, BulkDataURI: this.#bulkDataUri(path) };
    const bytes = bytesOf(dataSet, element);
    const little = this.#file.bigEndian ? swapBytes(bytes, wordOf(vr)) : bytes;
    return { vr, InlineBinary: Buffer.from(little).toString("base64") };
  }

  #values(bytes: Uint8Array, vr: string, decode: TextDecode): DicomValue[] {
    const number = NUMBERS[vr];
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const little = !this.#file.bigEndian;
    if (number) {
      const count = Math.floor(bytes.length / number.width);
      return Array.from({ length: count }, (_, i) => finite(number.read(view, i * number.width, little)));
    }
    if (vr === "AT") {
      const count = Math.floor(bytes.length / 4);
      return Array.from({ length: count }, (_, i) => hex(view, i * 4, little) + hex(view, i * 4 + 2, little));
    }
    return textValues(decode(bytes), vr);
  }
}

/** How many bytes change places together when the byte order changes. */
export function wordOf(vr: string): number {
  return { OW: 2, US: 2, SS: 2, OL: 4, OF: 4, UL: 4, SL: 4, FL: 4, OD: 8, OV: 8, FD: 8 }[vr] ?? 1;
}

/** The VR in the file, or the dictionary's where the file has none (implicit VR). */
function representation(element: Element, tag: string, dataSet: DataSet): string {
  if (element.vr && /^[A-Z]{2}$/.test(element.vr) && element.vr !== "ox") return element.vr;
  if (element.items) return "SQ";
  const vr = vrOf(tag);
  return vr === "US" && SIGNED_IF_PIXELS_ARE.has(tag) && dataSet.uint16("x00280103") === 1 ? "SS" : vr;
}

/** PS3.6 leaves US or SS open for these: Pixel Representation decides (PS3.3 section C.7.6.3.1). */
const SIGNED_IF_PIXELS_ARE = new Set([
  "00280106",
  "00280107",
  "00280108",
  "00280109",
  "00280120",
  "00280121",
]);

function bytesOf(dataSet: DataSet, element: Element): Uint8Array {
  return dataSet.byteArray.subarray(element.dataOffset, element.dataOffset + element.length);
}

function textValues(text: string, vr: string): DicomValue[] {
  const unpadded = text.replace(/[\0 ]+$/, "");
  if (unpadded === "") return [];
  if (WHOLE_TEXT.has(vr)) return [unpadded];
  return unpadded.split("\\").map((part) => textValue(part, vr));
}

function textValue(part: string, vr: string): DicomValue {
  const text = part.replace(/[\0 ]+$/, "").replace(/^ +/, "");
  if (text === "") return null;
  if (vr === "PN") return personName(text);
  if (vr !== "DS" && vr !== "IS") return text;
  // What cannot be read as a number stays as it was written.
  const number = Number(text);
  return Number.isFinite(number) ? number : text;
}

function personName(text: string): PersonName {
  const [alphabetic = "", ideographic = "", phonetic = ""] = text.split("=");
  return {
    ...(alphabetic && { Alphabetic: alphabetic }),
    ...(ideographic && { Ideographic: ideographic }),
    ...(phonetic && { Phonetic: phonetic }),
  };
}

/** JSON has no NaN and no infinity. */
function finite(value: number | string): DicomValue {
  return typeof value === "string" || Number.isFinite(value) ? value : null;
}

function hex(view: DataView, at: number, little: boolean): string {
  return view.getUint16(at, little).toString(16).padStart(4, "0").toUpperCase();
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
