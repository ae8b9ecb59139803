/** One part of a multipart body (RFC 2046 section 5.1.1), taken out as the body comes, without copying what is in it. */
import { MAX_HEADER, MultipartError, parseFields } from "./multipart.ts";

const CRLF = Buffer.from("\r\n");
const END_OF_HEADERS = Buffer.from("\r\n\r\n");
const NOTHING = Buffer.alloc(0);

/** What may stand before the first delimiter, in bytes, before it is refused. */
const MAX_PREAMBLE = 64 * 1024;

/** Where in the body it is. */
type Place = "before" | "within" | "at its end" | "behind";

/** The first part of a body. Chunks go into `take`, and what of them is the part's content comes out. */
export class OnePart {
  readonly #delimiter: Buffer;
  #place: Place = "before";
  /** What came and cannot be told from a delimiter yet. The first one may stand at the very start: its CRLF is put there. */
  #held: Buffer = CRLF;
  #headers: ReadonlyMap<string, string> | null = null;
  #length: number | null = null;
  #left = 0;

  constructor(boundary: string) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, "latin1");
  }

  /** Header fields by lower-case name; null until they are read. */
  get headers(): ReadonlyMap<string, string> | null {
    return this.#headers;
  }

  /** Bytes of the content, where the part says so, as Orthanc's do: then they are counted, not searched. */
  get length(): number | null {
    return this.#length;
  }

  /** Whether all of the content has come. */
  get isOver(): boolean {
    return this.#place === "at its end" || this.#place === "behind";
  }

  /** The part's content in what came next of the body; what comes behind it is dropped. @throws {MultipartError} */
  take(chunk: Buffer): Buffer[] {
    let rest = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = NOTHING;
    if (this.#place === "before") rest = this.#readHead(rest);
    if (this.#place === "within") return this.#length === null ? this.#search(rest) : this.#count(rest);
    if (this.#place === "at its end") this.#expectDelimiter(rest);
    return [];
  }

  /** The body is over. @throws {MultipartError} where the part was not */
  end(): void {
    if (this.#place !== "behind") throw new MultipartError("the body ended before its closing delimiter");
  }

  /** What comes behind the head, or nothing, where that has not come yet. */
  #readHead(rest: Buffer): Buffer {
    const start = rest.indexOf(this.#delimiter);
    const end = start < 0 ? -1 : rest.indexOf(END_OF_HEADERS, start + this.#delimiter.length);
    if (end < 0) {
      if (rest.length > (start < 0 ? MAX_PREAMBLE : start + MAX_HEADER))
        throw new MultipartError("a part's header is too long");
      this.#held = rest;
      return NOTHING;
    }
    const [line = "", ...fields] = rest.toString("latin1", start + this.#delimiter.length, end).split("\r\n");
    if (line.trim() !== "") throw new MultipartError("the body has no part");
    this.#headers = parseFields(fields);
    const length = this.#headers.get("content-length");
    if (length !== undefined && /^\d{1,15}$/.test(length)) this.#length = Number(length);
    this.#left = this.#length ?? 0;
    this.#place = "within";
    return rest.subarray(end + END_OF_HEADERS.length);
  }

  #count(rest: Buffer): Buffer[] {
    const content = rest.subarray(0, this.#left);
    this.#left -= content.length;
    if (this.#left > 0) return [content];
    this.#place = "at its end";
    this.#expectDelimiter(rest.subarray(content.length));
    return [content];
  }

  #expectDelimiter(rest: Buffer): void {
    const found = rest.subarray(0, this.#delimiter.length);
    if (!found.equals(this.#delimiter.subarray(0, found.length)))
      throw new MultipartError("a part is longer than it says");
    if (found.length < this.#delimiter.length) this.#held = rest;
    else this.#place = "behind";
  }

  #search(rest: Buffer): Buffer[] {
    for (let from = 0; ; ) {
      const at = rest.indexOf(this.#delimiter, from);
      if (at < 0) return this.#hold(rest, startOfDelimiter(rest, this.#delimiter));
      const behind = rest.subarray(at + this.#delimiter.length);
      if (behind.length < 2) return this.#hold(rest, at);
      // Only the beginning of a longer line would be content after all.
      if (/^(?:--|\r\n|[ \t])/.test(behind.toString("latin1", 0, 2))) {
        this.#place = "behind";
        return [rest.subarray(0, at)];
      }
      from = at + 1;
    }
  }

  #hold(rest: Buffer, at: number): Buffer[] {
    this.#held = rest.subarray(at);
    return at > 0 ? [rest.subarray(0, at)] : [];
  }
}

/** Where a delimiter may have begun that the bytes end in the middle of; their end where none has. */
function startOfDelimiter(bytes: Buffer, delimiter: Buffer): number {
  for (
    let at = bytes.indexOf(CRLF[0] as number, Math.max(0, bytes.length - delimiter.length + 1));
    at >= 0;
    at = bytes.indexOf(CRLF[0] as number, at + 1)
  ) {
    if (bytes.subarray(at).equals(delimiter.subarray(0, bytes.length - at))) return at;
  }
  return bytes.length;
}
