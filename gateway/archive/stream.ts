import { Readable } from "node:stream";

/** Bytes as Fastify sends them: with back-pressure, and let go when the connection closes. */
export function streamed(bytes: AsyncIterable<Uint8Array>): Readable {
  return Readable.from(bytes, { objectMode: false });
}
