/**
 * Drawing one frame: decode, window and colour by dcmjs-imaging (the one library on npm that does it all in Node,
 * for nearly every transfer syntax), then scale and encode by sharp.
 */
import dcmjs from "dcmjs";
import imaging from "dcmjs-imaging";
import sharp, { type Sharp } from "sharp";
import type { DicomDataset } from "../dicomJson.ts";
import type { RenderOptions } from "./options.ts";

/** One frame with the attributes that say how it is drawn. */
export interface DrawJob {
  /** The instance's attributes, bulk data that matters already in them. */
  metadata: DicomDataset;
  transferSyntaxUid: string;
  frame: Uint8Array<ArrayBuffer>;
  options: RenderOptions;
}

const { DicomImage, NativePixelDecoder, WindowLevel, log } = imaging;

let decoders: Promise<void> | undefined;

/** Draw a frame. Throws when it cannot be decoded or drawn. */
export async function draw({ metadata, transferSyntaxUid, frame, options }: DrawJob): Promise<Uint8Array> {
  log.setLevel("silent");
  decoders ??= NativePixelDecoder.initializeAsync();
  await decoders;
  const elements = {
    ...dcmjs.data.DicomMetaDictionary.naturalizeDataset(withBinaryValues(metadata)),
    NumberOfFrames: 1,
    PixelData: [frame.buffer],
  };
  const image = new DicomImage(withoutEmptyWindow(elements), transferSyntaxUid);
  const { window } = options;
  const { width, height, pixels } = image.render({
    frame: 0,
    ...(window && { windowLevel: new WindowLevel(window.width, window.center) }),
  });
  const picture = sharp(new Uint8Array(pixels), { raw: { width, height, channels: 4 } });
  return encode(picture, options);
}

/** Scale to the viewport, keeping proportions, and encode. */
export async function encode(
  picture: Sharp,
  { type, quality, viewport }: RenderOptions,
): Promise<Uint8Array> {
  const scaled = viewport ? picture.resize({ ...viewport, fit: "inside" }) : picture;
  const opaque = scaled.removeAlpha();
  if (type === "image/png") return opaque.png().toBuffer();
  return type === "image/webp" ? opaque.webp({ quality }).toBuffer() : opaque.jpeg({ quality }).toBuffer();
}

/** dcmjs wants binary values as array buffers, where the DICOM JSON Model has base64. */
function withBinaryValues(dataset: DicomDataset): object {
  return Object.fromEntries(
    Object.entries(dataset)
      .filter(([, element]) => element.BulkDataURI === undefined)
      .map(([tag, element]) => {
        const { vr, InlineBinary } = element;
        if (InlineBinary === undefined) return [tag, element];
        return [tag, { vr, Value: [Uint8Array.from(Buffer.from(InlineBinary, "base64")).buffer] }];
      }),
  );
}

/** A window narrower than 1 is meaningless (PS3.3 section C.11.2.1.2), but occurs: the pixels' own range serves better. */
function withoutEmptyWindow(elements: Record<string, unknown>): Record<string, unknown> {
  const width = [elements.WindowWidth].flat()[0];
  if (width === undefined || Number(width) >= 1) return elements;
  const { WindowWidth: _width, WindowCenter: _center, ...rest } = elements;
  return rest;
}
