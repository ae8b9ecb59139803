/** Where an instance's frames are in its file, and their bytes as they are stored. */
import {
  DEFLATED_LITTLE_ENDIAN,
  EXPLICIT_BIG_ENDIAN,
  EXPLICIT_LITTLE_ENDIAN,
  frameMediaType,
} from "../transferSyntaxes.ts";
import { type DicomFile, UnreadableFile } from "./dicomFile.ts";
import { swapStream } from "./endian.ts";

/** A stretch of the source; `end` is exclusive. */
interface Range {
  start: number;
  end: number;
}

/** An instance's frames, each in one or more stretches of its source. */
export interface FrameTable {
  count: number;
  /** The syntax the frames are sent in. */
  transferSyntaxUid: string;
  mediaType: string;
  /** The bytes of one frame, counted from 1. */
  read(frame: number): AsyncIterable<Uint8Array>;
}

/** The frames of a file; a count of 0 where it has no pixels. @throws {UnreadableFile} when they cannot be told apart. */
export async function frameTable(file: DicomFile): Promise<FrameTable> {
  const { pixelData, source, dataSet } = file;
  const declared = Math.max(1, Number(dataSet.string("x00280008")) || 1);
  const transferSyntaxUid = sentAs(file.transferSyntaxUid);
  const mediaType = frameMediaType(transferSyntaxUid);
  if (!pixelData) return { count: 0, transferSyntaxUid, mediaType, read: () => absent() };
  if (!pixelData.hadUndefinedLength) {
    const native = nativeFrames(file, declared);
    return {
      count: declared,
      transferSyntaxUid,
      mediaType,
      read: (frame) => readNative(file, native, frame),
    };
  }
  const ranges = await encapsulatedFrames(file, declared);
  return {
    count: ranges.length,
    transferSyntaxUid,
    mediaType,
    read: (frame) =>
      concatenate((ranges[frame - 1] ?? []).map(({ start, end }) => source.stream(start, end))),
  };
}

/** Deflated and big-endian pixels leave as plain little endian: no viewer reads the others. */
function sentAs(transferSyntaxUid: string): string {
  const decoded = [DEFLATED_LITTLE_ENDIAN, EXPLICIT_BIG_ENDIAN].includes(transferSyntaxUid);
  return decoded ? EXPLICIT_LITTLE_ENDIAN : transferSyntaxUid;
}

interface NativeLayout {
  start: number;
  /** Bits of one frame: frames of one bit per pixel need not begin at a byte (PS3.5 section 8.1.1). */
  bits: number;
  word: number;
}

function nativeFrames({ dataSet, pixelData, bigEndian }: DicomFile, count: number): NativeLayout {
  const allocated = dataSet.uint16("x00280100") ?? 8;
  const samples = dataSet.uint16("x00280002") ?? 1;
  const pixels = (dataSet.uint16("x00280010") ?? 0) * (dataSet.uint16("x00280011") ?? 0);
  const bits = pixels * allocated * samples * subsampling(dataSet.string("x00280004") ?? "");
  const length = pixelData?.length ?? 0;
  if (Math.ceil((bits * count) / 8) > length)
    throw new UnreadableFile("it holds fewer pixels than it declares");
  const word = !bigEndian || pixelData?.vr === "OB" ? 1 : Math.max(2, allocated / 8);
  return { start: pixelData?.dataOffset ?? 0, bits, word };
}

/** How much of the samples is there: chroma may be stored for every second pixel only (PS3.3 section C.7.6.3.1.2). */
function subsampling(photometricInterpretation: string): number {
  if (/_422$/.test(photometricInterpretation)) return 2 / 3;
  return /_420$/.test(photometricInterpretation) ? 1 / 2 : 1;
}

function readNative({ source }: DicomFile, layout: NativeLayout, frame: number): AsyncIterable<Uint8Array> {
  const firstBit = (frame - 1) * layout.bits;
  const start = layout.start + Math.floor(firstBit / 8);
  const end = layout.start + Math.ceil((firstBit + layout.bits) / 8);
  if (firstBit % 8 !== 0) return shifted(source.peek(start, end), firstBit % 8, layout.bits);
  const bytes = source.stream(start, end);
  return layout.word > 1 ? swapStream(bytes, layout.word) : bytes;
}

/** A frame that begins inside a byte, moved to begin at one; the first pixel is the lowest bit. */
async function* shifted(bytes: Promise<Buffer>, by: number, bits: number): AsyncGenerator<Uint8Array> {
  const packed = await bytes;
  const frame = Buffer.alloc(Math.ceil(bits / 8));
  for (let i = 0; i < frame.length; i += 1) {
    frame[i] = ((packed[i] ?? 0) >> by) | ((packed[i + 1] ?? 0) << (8 - by));
  }
  yield frame;
}

/** The fragments of each frame (PS3.5 section A.4). */
async function encapsulatedFrames(file: DicomFile, count: number): Promise<Range[][]> {
  const { offsets, fragments } = await readFragments(file);
  if (count === 1) return [fragments];
  if (fragments.length === count) return fragments.map((fragment) => [fragment]);
  const base = fragments[0]?.start ?? 0;
  if (offsets.length === count) {
    // Offsets count from the first fragment's item tag, eight bytes before its content.
    return group(fragments, (fragment) => offsets.includes(fragment.start - base));
  }
  const begins = await Promise.all(fragments.map((fragment) => beginsImage(file, fragment)));
  const frames = group(fragments, (_, index) => begins[index] ?? false);
  if (frames.length !== count) throw new UnreadableFile("its frames cannot be told apart");
  return frames;
}

async function readFragments({ source, pixelData }: DicomFile) {
  const fragments: Range[] = [];
  let offsets: number[] | null = null;
  for (let at = pixelData?.dataOffset ?? 0; ; ) {
    const item = await source.peek(at, at + 8);
    if (item.length < 8) throw new UnreadableFile("it is cut short in the middle of its pixels");
    const start = at + 8;
    const end = start + item.readUInt32LE(4);
    const tag = item.readUInt32LE(0);
    if (tag === SEQUENCE_DELIMITER) return { offsets: offsets ?? [], fragments };
    if (tag !== ITEM) throw new UnreadableFile("its compressed pixels are damaged");
    if (end > source.size) throw new UnreadableFile("it is cut short in the middle of its pixels");
    if (offsets === null) offsets = readOffsets(await source.peek(start, end));
    else fragments.push({ start, end });
    at = end;
  }
}

/** (FFFE,E000) and (FFFE,E0DD) as little-endian words. */
const ITEM = 0xe000fffe;
const SEQUENCE_DELIMITER = 0xe0ddfffe;

function readOffsets(table: Buffer): number[] {
  return Array.from({ length: Math.floor(table.length / 4) }, (_, index) => table.readUInt32LE(index * 4));
}

/** Whether a fragment starts with a JPEG, JPEG-LS or JPEG 2000 code stream's first marker. */
async function beginsImage({ source }: DicomFile, { start }: Range): Promise<boolean> {
  const marker = await source.peek(start, start + 2);
  return marker.length === 2 && [0xffd8, 0xff4f].includes(marker.readUInt16BE(0));
}

function group(fragments: Range[], begins: (fragment: Range, index: number) => boolean): Range[][] {
  const groups: Range[][] = [];
  fragments.forEach((fragment, index) => {
    if (index === 0 || begins(fragment, index)) groups.push([fragment]);
    else groups.at(-1)?.push(fragment);
  });
  return groups;
}

async function* concatenate(streams: AsyncIterable<Uint8Array>[]): AsyncGenerator<Uint8Array> {
  for (const stream of streams) yield* stream;
}

async function* absent(): AsyncGenerator<Uint8Array> {}
