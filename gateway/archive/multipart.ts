/**
 * `multipart/related` bodies (RFC 2046 section 5.1.1, RFC 2387, PS3.18 section 8.6.1.2), read and written as streams.
 */
import { randomUUID } from "node:crypto";

/** One part. Its `bytes` must be read before the next part is asked for; what is left is skipped. */
export interface Part {
  /** Header fields by lower-case name. */
  headers: ReadonlyMap<string, string>;
  bytes: AsyncIterable<Uint8Array>;
}

/** The body does not follow RFC 2046, or ended before its closing delimiter. */
export class MultipartError extends Error {
  override readonly name = "MultipartError";
}

/** A part's header may be this long, in bytes, before it is refused. */
export const MAX_HEADER = 16 * 1024;
const CRLF = Buffer.from("\r\n");
const END_OF_HEADERS = Buffer.from("\r\n\r\n");

/** Read a multipart body part by part, holding no more than a chunk of it. */
export async function* readMultipart(
  body: AsyncIterable<Uint8Array>,
  boundary: string,
): AsyncGenerator<Part, void, undefined> {
  const scanner = new Scanner(body, boundary);
  try {
    for await (const _ of scanner.untilDelimiter());
    while (!scanner.closed) {
      const headers = await scanner.headers();
      const bytes = scanner.untilDelimiter();
      yield { headers, bytes };
      for await (const _ of bytes);
    }
  } finally {
    await scanner.release();
  }
}

/** Walks the body from delimiter to delimiter. */
class Scanner {
  /** True once the closing delimiter was read. */
  closed = false;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #delimiter: Buffer;
  // A delimiter begins with the CRLF before it; the first one may stand at the very start, so one is put there.
  #pending: Buffer = CRLF;

  constructor(body: AsyncIterable<Uint8Array>, boundary: string) {
    this.#chunks = body[Symbol.asyncIterator]();
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, "latin1");
  }

  /** Yields what stands before the next delimiter, and consumes the delimiter. */
  async *untilDelimiter(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const at = this.#pending.indexOf(this.#delimiter);
      const safe = at >= 0 ? at : Math.max(0, this.#pending.length - this.#delimiter.length + 1);
      if (safe > 0) {
        const content = this.#pending.subarray(0, safe);
        this.#pending = this.#pending.subarray(safe);
        yield content;
      }
      if (at < 0) {
        await this.#pull();
      } else if (await this.#consumeDelimiter()) {
        return;
      } else {
        // The boundary was only the beginning of a longer line: content after all.
        yield this.#pending.subarray(0, CRLF.length);
        this.#pending = this.#pending.subarray(CRLF.length);
      }
    }
  }

  /** Reads a part's header fields, up to the empty line. */
  async headers(): Promise<Map<string, string>> {
    // The CRLF that ended the delimiter's line is still there, so that a part without fields also ends in CRLF CRLF.
    let end = this.#pending.indexOf(END_OF_HEADERS);
    while (end < 0) {
      if (this.#pending.length > MAX_HEADER) throw new MultipartError("a part's header is too long");
      await this.#pull();
      end = this.#pending.indexOf(END_OF_HEADERS);
    }
    const lines = this.#pending.toString("latin1", 0, end).split("\r\n");
    // The second CRLF may also be the one before a delimiter, when the body is empty: leave it.
    this.#pending = this.#pending.subarray(end + END_OF_HEADERS.length);
    return parseFields(lines);
  }

  async release(): Promise<void> {
    await this.#chunks.return?.();
  }

  /** After a boundary: `--` closes, blanks and CRLF open the next part, anything else was no delimiter. */
  async #consumeDelimiter(): Promise<boolean> {
    let at = this.#delimiter.length;
    while (this.#pending.length < at + 2) await this.#pull();
    if (this.#pending.toString("latin1", at, at + 2) === "--") {
      this.closed = true;
      return true;
    }
    for (;;) {
      while (this.#pending.length < at + 2) await this.#pull();
      const byte = this.#pending[at];
      if (byte === 0x0d && this.#pending[at + 1] === 0x0a) {
        this.#pending = this.#pending.subarray(at);
        return true;
      }
      if (byte !== 0x20 && byte !== 0x09) return false;
      at += 1;
    }
  }

  async #pull(): Promise<void> {
    const next = await this.#chunks.next();
    if (next.done) throw new MultipartError("the body ended before its closing delimiter");
    this.#pending = Buffer.concat([this.#pending, next.value]);
  }
}

/** Header fields by lower-case name. */
export function parseFields(lines: string[]): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon > 0) fields.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return fields;
}

/** Writes a multipart body: `head` before each part's bytes, `tail` at the end. */
export class MultipartWriter {
  readonly boundary = `examkey-${randomUUID()}`;
  #first = true;

  /** The value of `Content-Type` for the whole body. `type` is the parts' media type. */
  contentType(type: string): string {
    return `multipart/related; type="${type}"; boundary=${this.boundary}`;
  }

  /** What goes before a part's bytes. */
  head(headers: Record<string, string>): Buffer {
    const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const lead = this.#first ? "" : "\r\n";
    this.#first = false;
    return Buffer.from(`${lead}--${this.boundary}\r\n${fields.join("")}\r\n`, "latin1");
  }

  /** What goes after the last part. */
  tail(): Buffer {
    return Buffer.from(`${this.#first ? "" : "\r\n"}--${this.boundary}--\r\n`, "latin1");
  }
}
