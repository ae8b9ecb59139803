/** Exams made of one small sample: the same picture under other UIDs, as many as a test needs. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { SAMPLE_FOLDERS } from "./samples.ts";

/** The patient id (0010,0020) of all of them. */
export const MADE_PATIENT_ID = "VLUT_nn";

/** Each a digit from 1 to 9; 2, 1 and 1 is the sample as it is. */
export type MadeUids = { study?: number; series?: number; instance?: number };

const STUDY = "1.2.276.0.7230010.3.200";
const SAMPLE_UID = `${STUDY}.2.1.1`;

/** Tags (PS3.6) as little endian writes them. */
const ROWS = Buffer.from("28001000", "hex");
const COLUMNS = Buffer.from("28001100", "hex");
const PIXEL_DATA = Buffer.from("e07f1000", "hex");

/** StudyInstanceUID of a made exam. */
export function madeStudyUid(study: number): string {
  return `${STUDY}.${study}`;
}

/** A DICOM file. `pixel` takes the place of its last one. */
export async function madeSample(uids: MadeUids, pixel?: number): Promise<Buffer<ArrayBuffer>> {
  const { study = 2, series = 1, instance = 1 } = uids;
  const original = await readFile(join(SAMPLE_FOLDERS[1] as string, "sample2.dcm"), "latin1");
  const made = original.replaceAll(
    /1\.2\.276\.0\.7230010\.3\.200\.2(\.1)?(\.1)?/g,
    (_, ofSeries, ofInstance) =>
      [STUDY, study, ...(ofSeries ? [series] : []), ...(ofInstance ? [instance] : [])].join("."),
  );
  const file = Buffer.from(made, "latin1");
  if (pixel !== undefined) file[file.length - 1] = pixel;
  return file;
}

/**
 * A DICOM file with one picture of `side` × `side` bytes in the study of the sample itself, as large as a test needs.
 * @param instance tells it from others of that study; its lowest byte is every pixel's
 * @param side an even number
 */
export async function madePicture(instance: number, side: number): Promise<Buffer<ArrayBuffer>> {
  const sample = (await madeSample({})).toString("latin1");
  // As long as the sample's own, so that no length changes.
  const uid = `1.2.276.0.7230010.3.${100_000_000 + instance}`;
  const file = Buffer.from(sample.replaceAll(SAMPLE_UID, uid), "latin1");
  const header = file.subarray(0, file.indexOf(PIXEL_DATA) + 12);
  for (const tag of [ROWS, COLUMNS]) header.writeUInt16LE(side, header.indexOf(tag) + 8);
  header.writeUInt32LE(side * side, header.length - 4);
  return Buffer.concat([header, Buffer.alloc(side * side, instance)]);
}
