/** Where an instance's bytes are: in a file, read when wanted, or in memory when they had to be inflated. */
import { createReadStream } from "node:fs";
import { withFile } from "./withFile.ts";

/** Random access to bytes; positions count from 0, `end` is exclusive. */
export interface ByteSource {
  readonly size: number;
  /** A few bytes at once. Shorter than asked for only at the end. */
  peek(start: number, end: number): Promise<Buffer>;
  /** Many bytes, as a stream. */
  stream(start: number, end: number): AsyncIterable<Uint8Array>;
}

/** The bytes of a file, which is opened anew for every read. */
export function fileSource(path: string, size: number): ByteSource {
  return {
    size,
    peek: (start, end) =>
      withFile(path, "r", async (file) => {
        const buffer = Buffer.alloc(Math.max(0, Math.min(end, size) - start));
        const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
        return buffer.subarray(0, bytesRead);
      }),
    stream: (start, end) =>
      end > start ? createReadStream(path, { start, end: end - 1, highWaterMark: 256 * 1024 }) : nothing(),
  };
}

/** Bytes that are already in memory. */
export function memorySource(bytes: Uint8Array): ByteSource {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    size: buffer.length,
    peek: (start, end) => Promise.resolve(buffer.subarray(start, end)),
    async *stream(start, end) {
      yield buffer.subarray(start, end);
    },
  };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
