/** A series as a stack of pictures, from its instances' metadata. */
import { type Instance, number, numbers, text } from "./dicomJson.ts";

/** One picture of a series: an instance, or one frame of it. */
export interface Slice {
  /** The picture's name in Cornerstone3D: `wadors:` and the URL of its frame. */
  imageId: string;
  sopInstanceUid: string;
  /** Counted from 1 (PS3.18 10.4.1.1.4). */
  frame: number;
  instance: Instance;
}

/** An object of a series that carries no picture, such as a structured report. */
export interface PicturelessObject {
  sopInstanceUid: string;
  /** What kind of object it is, in plain words. */
  name: string;
}

/** What a series turned out to hold. */
export interface Stack {
  slices: Slice[];
  pictureless: PicturelessObject[];
}

/**
 * Lay out a series: pictures by instance number, then along the patient, then by UID; frames in their order.
 * @param seriesUrl absolute URL of the series in the DICOMweb archive
 */
export function stackOf(instances: readonly Instance[], seriesUrl: string): Stack {
  const withUid = instances.filter((instance) => text(instance, "SOPInstanceUID") !== "");
  const pictures = withUid.filter(hasPicture).sort(inReadingOrder);
  return {
    slices: pictures.flatMap((instance) => framesOf(instance, seriesUrl)),
    pictureless: withUid
      .filter((instance) => !hasPicture(instance))
      .map((instance) => ({ sopInstanceUid: text(instance, "SOPInstanceUID"), name: kindOf(instance) })),
  };
}

function framesOf(instance: Instance, seriesUrl: string): Slice[] {
  const sopInstanceUid = text(instance, "SOPInstanceUID");
  const count = Math.max(1, number(instance, "NumberOfFrames") ?? 1);
  return Array.from({ length: count }, (_, index) => ({
    imageId: `wadors:${seriesUrl}/instances/${sopInstanceUid}/frames/${index + 1}`,
    sopInstanceUid,
    frame: index + 1,
    instance,
  }));
}

/**
 * Rows and columns are type 1 wherever there are pixels (PS3.3 C.7.6.3), and absent elsewhere. The one-bit
 * pixels of a segmentation are a mask over other pictures, not a picture.
 */
function hasPicture(instance: Instance): boolean {
  const hasPixels = (number(instance, "Rows") ?? 0) > 0 && (number(instance, "Columns") ?? 0) > 0;
  return hasPixels && number(instance, "BitsAllocated") !== 1;
}

function inReadingOrder(a: Instance, b: Instance): number {
  const byNumber = (number(a, "InstanceNumber") ?? 0) - (number(b, "InstanceNumber") ?? 0);
  if (byNumber !== 0) return byNumber;
  const byPlace = placeAlongNormal(a) - placeAlongNormal(b);
  if (byPlace !== 0) return byPlace;
  return text(a, "SOPInstanceUID") < text(b, "SOPInstanceUID") ? -1 : 1;
}

/** How far along its own normal an image lies, in mm (PS3.3 C.7.6.2.1.1); 0 for an image without a place. */
function placeAlongNormal(instance: Instance): number {
  const [x = 0, y = 0, z = 0] = numbers(instance, "ImagePositionPatient");
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = numbers(instance, "ImageOrientationPatient");
  return x * (b * f - c * e) + y * (c * d - a * f) + z * (a * e - b * d);
}

const PICTURELESS: readonly [prefix: string, name: string][] = [
  ["1.2.840.10008.5.1.4.1.1.88.59", "Key object selection"],
  ["1.2.840.10008.5.1.4.1.1.88", "Structured report"],
  ["1.2.840.10008.5.1.4.1.1.11", "Presentation state"],
  ["1.2.840.10008.5.1.4.1.1.9", "Waveform"],
  ["1.2.840.10008.5.1.4.1.1.66.4", "Segmentation"],
  ["1.2.840.10008.5.1.4.1.1.66", "Registration or raw data"],
  ["1.2.840.10008.5.1.4.1.1.481", "Radiotherapy object"],
  ["1.2.840.10008.5.1.4.1.1.104", "Document"],
];

function kindOf(instance: Instance): string {
  const sopClass = text(instance, "SOPClassUID");
  const known = PICTURELESS.find(([prefix]) => sopClass === prefix || sopClass.startsWith(`${prefix}.`));
  return known?.[1] ?? "Object";
}
