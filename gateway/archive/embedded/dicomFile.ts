/**
 * Reading a DICOM file (PS3.10) up to its pixels.
 *
 * dicom-parser rather than dcmjs here: it keeps each value's position, so that large ones are sent from the file
 * and never held in memory.
 */
import type { FileHandle } from "node:fs/promises";
import { inflateRawSync } from "node:zlib";
import dicomParser, { type DataSet, type Element } from "dicom-parser";
import { vrOf } from "../dictionary.ts";
import { DEFLATED_LITTLE_ENDIAN, EXPLICIT_BIG_ENDIAN, IMPLICIT_LITTLE_ENDIAN } from "../transferSyntaxes.ts";
import { type ByteSource, fileSource, memorySource } from "./byteSource.ts";
import { withFile } from "./withFile.ts";

/** Why a file cannot be served, in words for whoever looks after it. */
export class UnreadableFile extends Error {
  override readonly name = "UnreadableFile";
}

/** A file's attributes, and where its values are. */
export interface DicomFile {
  path: string;
  /** As named in the file's meta information. */
  transferSyntaxUid: string;
  bigEndian: boolean;
  dataSet: DataSet;
  /** What the positions in `dataSet` count in: the file, or its inflated form. */
  source: ByteSource;
  /** Pixel Data (7FE0,0010), or undefined where there is none. */
  pixelData: Element | undefined;
}

const PIXEL_DATA = "x7fe00010";
/** Most headers fit; longer ones are read again with eight times as much. */
const FIRST_READ = 32 * 1024;
/** Inflated, a file may be this large, so that a small one cannot fill the memory. */
const MAX_INFLATED = 1024 * 1024 * 1024;

/** Read a file's attributes. @throws {UnreadableFile} when it is no DICOM file, or a damaged one. */
export function readDicomFile(path: string): Promise<DicomFile> {
  return withFile(path, "r", (file) => readHeader(path, file));
}

async function readHeader(path: string, file: FileHandle): Promise<DicomFile> {
  const { size } = await file.stat();
  for (let wanted = FIRST_READ; ; wanted *= 8) {
    const length = Math.min(wanted, size);
    const bytes = Buffer.alloc(length);
    await file.read(bytes, 0, length, 0);
    if (!isPart10(bytes))
      throw new UnreadableFile("it is not a DICOM file (PS3.10): the prefix DICM is missing");
    const whole = length === size;
    const parsed = parse(bytes, whole);
    if (parsed !== null) return locate(path, parsed, fileSource(path, size));
  }
}

function isPart10(bytes: Buffer): boolean {
  return bytes.toString("latin1", 128, 132) === "DICM";
}

/** The data set up to its pixels, or null when more of the file is needed. */
function parse(bytes: Buffer, whole: boolean): DataSet | null {
  let deflated = false;
  try {
    const dataSet = dicomParser.parseDicom(bytes, {
      untilTag: PIXEL_DATA,
      vrCallback: dictionaryVr,
      inflater: (part: Uint8Array, position: number) => {
        deflated = true;
        return inflate(part, position);
      },
    });
    // Without having met the pixels, the end of what was read may only look like the end of the data set.
    return whole || (!deflated && dataSet.elements[PIXEL_DATA]) ? dataSet : null;
  } catch (error) {
    if (!whole) return null;
    throw new UnreadableFile(explain(error));
  }
}

/** For files that hold no VRs. Of an unknown tag the parser itself must find out whether it is a sequence. */
function dictionaryVr(tag: string): string | undefined {
  const vr = vrOf(tag.slice(1).toUpperCase());
  return vr === "UN" ? undefined : vr;
}

function inflate(bytes: Uint8Array, position: number): Buffer {
  const inflated = inflateRawSync(bytes.subarray(position), { maxOutputLength: MAX_INFLATED });
  return Buffer.concat([bytes.subarray(0, position), inflated]);
}

function locate(path: string, dataSet: DataSet, file: ByteSource): DicomFile {
  const transferSyntaxUid = dataSet.string("x00020010") ?? IMPLICIT_LITTLE_ENDIAN;
  const deflated = transferSyntaxUid === DEFLATED_LITTLE_ENDIAN;
  const source = deflated ? memorySource(dataSet.byteArray) : file;
  const pixelData = dataSet.elements[PIXEL_DATA];
  if (pixelData && !pixelData.hadUndefinedLength && pixelData.dataOffset + pixelData.length > source.size) {
    throw new UnreadableFile("it is cut short in the middle of its pixels");
  }
  return {
    path,
    transferSyntaxUid,
    bigEndian: transferSyntaxUid === EXPLICIT_BIG_ENDIAN,
    dataSet,
    source,
    pixelData,
  };
}

/** dicom-parser throws strings, errors, and objects that hold either. */
function explain(error: unknown): string {
  const inner = typeof error === "object" && error !== null && "exception" in error ? error.exception : error;
  const text = inner instanceof Error ? inner.message : String(inner);
  if (/0002,0010/.test(text)) return "it does not name its transfer syntax";
  if (/attempt to read past|buffer overrun|buffer length|position|out of (range|bounds)/i.test(text))
    return "it is cut short";
  return `it is damaged: ${text.replace(/^dicomParser[.:]\w+:\s*/, "")}`;
}
