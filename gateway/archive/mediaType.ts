/** Media types and `Accept` (RFC 9110 sections 8.3.1 and 12.5.1) with DICOM's parameters (PS3.18 section 8.7). */

/** A media type or range: lower-case name, parameters by lower-case name. */
export interface MediaType {
  name: string;
  parameters: ReadonlyMap<string, string>;
}

/** Stands for "as stored" in the `transfer-syntax` parameter (PS3.18 section 8.7.3.5.2). */
export const AS_STORED = "*";

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
// PS3.18 has always wanted `type` in quotes, since it holds a slash; many viewers leave them out.
const LOOSE = /[^\s;,"]+/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;

/** Parse one media type; null if it is not one. */
export function parseMediaType(text: string): MediaType | null {
  const list = parseMediaTypes(text);
  return list?.length === 1 ? (list[0] ?? null) : null;
}

/** Between which lines the parts of a `multipart/related` body are (RFC 2046 section 5.1.1); null where it is none. */
export function boundaryOf(contentType: string): string | null {
  const type = parseMediaType(contentType);
  return (type?.name === "multipart/related" && type.parameters.get("boundary")) || null;
}

/** Parse a comma-separated list of media ranges, in order of `q`; null if it is not one. */
export function parseMediaTypes(text: string): MediaType[] | null {
  const types: MediaType[] = [];
  const cursor = new Cursor(text);
  do {
    cursor.blanks();
    if (cursor.ended || cursor.at(",")) continue;
    const type = readMediaType(cursor);
    if (type === null) return null;
    types.push(type);
  } while (cursor.take(","));
  return cursor.ended ? types.filter(({ parameters }) => quality(parameters) > 0).sort(byQuality) : null;
}

class Cursor {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get ended(): boolean {
    return this.#position >= this.#text.length;
  }

  at(character: string): boolean {
    return this.#text[this.#position] === character;
  }

  take(character: string): boolean {
    const found = this.at(character);
    if (found) this.#position += 1;
    return found;
  }

  match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#position;
    const found = pattern.exec(this.#text);
    if (found) this.#position = pattern.lastIndex;
    return found;
  }

  blanks(): void {
    while (this.at(" ") || this.at("\t")) this.#position += 1;
  }
}

function readMediaType(cursor: Cursor): MediaType | null {
  const type = cursor.match(TOKEN)?.[0];
  const subtype = cursor.take("/") ? cursor.match(TOKEN)?.[0] : undefined;
  if (type === undefined || subtype === undefined) return null;
  const parameters = new Map<string, string>();
  for (;;) {
    cursor.blanks();
    if (!cursor.take(";")) break;
    cursor.blanks();
    const key = cursor.match(TOKEN)?.[0];
    if (key === undefined) continue;
    if (!cursor.take("=")) return null;
    const value = cursor.match(QUOTED)?.[1]?.replace(/\\(.)/g, "$1") ?? cursor.match(LOOSE)?.[0];
    if (value === undefined) return null;
    parameters.set(key.toLowerCase(), value);
  }
  return { name: `${type}/${subtype}`.toLowerCase(), parameters };
}

function quality(parameters: ReadonlyMap<string, string>): number {
  const q = Number(parameters.get("q") ?? 1);
  return q >= 0 && q <= 1 ? q : 1;
}

function byQuality(a: MediaType, b: MediaType): number {
  return quality(b.parameters) - quality(a.parameters);
}
