/** What Cornerstone3D's image loader (5.14) decodes wrongly, put right. DCMTK is the judge, in the tests. */
import { type Types, utilities } from "@cornerstonejs/core";
import { type Instance, number, text } from "./dicomJson.ts";
import { ReadFailure } from "./failures.ts";

/** JPEG with 12 bits: extended sequential, and spectral selection (PS3.5 A.4.1). */
const JPEG_12_BIT = new Set(["1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.53"]);

/** JPEG with 12 bits and full progression, which comes out with stray values that nothing can put right. */
const JPEG_PROGRESSIVE = "1.2.840.10008.1.2.4.55";

/**
 * The decoder's level shift for 12 bits is (2056 · 4095/255) / 16, where half the range and a rounding half
 * belong: every value comes out this much too high.
 */
const LEVEL_SHIFT_EXCESS = 15;

/** Put a decoded picture right, in place. Throws ReadFailure for one that cannot be, so that it is not shown. */
export function repair(image: Types.IImage, instance: Instance): void {
  if (transferSyntaxOf(image) === JPEG_PROGRESSIVE) {
    throw new ReadFailure("undecodable", "Full-progression JPEG cannot be shown faithfully.");
  }
  if (isJpeg12(image, instance)) lowerLevel(image);
  else if (isRaw422(image, instance)) convert422(image);
}

function isJpeg12(image: Types.IImage, instance: Instance): boolean {
  return JPEG_12_BIT.has(transferSyntaxOf(image)) && (number(instance, "BitsStored") ?? 8) > 8;
}

function transferSyntaxOf(image: Types.IImage): string {
  return "transferSyntaxUID" in image ? String(image.transferSyntaxUID) : "";
}

function lowerLevel(image: Types.IImage): void {
  const { scaled, scalingParameters } = image.preScale ?? {};
  const excess = LEVEL_SHIFT_EXCESS * (scaled ? (scalingParameters?.rescaleSlope ?? 1) : 1);
  const values = image.voxelManager?.getScalarData() as Types.PixelDataTypedArray;
  for (let at = 0; at < values.length; at += 1) values[at] = (values[at] as number) - excess;
  image.minPixelValue -= excess;
  image.maxPixelValue -= excess;
}

/** Uncompressed YBR_FULL_422, two bytes for a pixel (PS3.3 C.7.6.3.1.2), which the loader leaves as it is. */
function isRaw422(image: Types.IImage, instance: Instance): boolean {
  const bytes = image.voxelManager?.getScalarData().length;
  return (
    text(instance, "PhotometricInterpretation") === "YBR_FULL_422" && bytes === 2 * image.rows * image.columns
  );
}

function convert422(image: Types.IImage): void {
  const ybr = image.voxelManager?.getScalarData() as ArrayLike<number>;
  const channels = image.rgba ? 4 : 3;
  const rgb = new Uint8ClampedArray(image.rows * image.columns * channels).fill(255);
  for (let pixel = 0; pixel < image.rows * image.columns; pixel += 1) {
    const pair = 4 * Math.floor(pixel / 2);
    const y = ybr[pair + (pixel % 2)] ?? 0;
    const cb = (ybr[pair + 2] ?? 0) - 128;
    const cr = (ybr[pair + 3] ?? 0) - 128;
    rgb[pixel * channels] = y + 1.402 * cr;
    rgb[pixel * channels + 1] = y - 0.344136 * cb - 0.714136 * cr;
    rgb[pixel * channels + 2] = y + 1.772 * cb;
  }
  image.voxelManager = utilities.VoxelManager.createImageVoxelManager({
    scalarData: rgb as unknown as Types.PixelDataTypedArray,
    width: image.columns,
    height: image.rows,
    numberOfComponents: channels,
  });
  image.getPixelData = () => rgb as unknown as Types.PixelDataTypedArray;
  image.numberOfComponents = channels;
  image.sizeInBytes = rgb.byteLength;
}
