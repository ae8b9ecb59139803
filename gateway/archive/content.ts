/** Bodies of the archive's answers: parts of a multipart body, or the one thing that is not multipart. */
import { Problem } from "../problem.ts";
import type { Answer } from "./connection.ts";
import { parseMediaType } from "./mediaType.ts";
import { MultipartError, type Part, readMultipart } from "./multipart.ts";
import { EXPLICIT_LITTLE_ENDIAN } from "./transferSyntaxes.ts";

/** Bytes with what they are. `bytes` is read once, and before anything else is asked of the same answer. */
export interface Content {
  /** The media type without parameters. */
  mediaType: string;
  /** The transfer syntax that the archive names, or null. */
  transferSyntaxUid: string | null;
  bytes: AsyncIterable<Uint8Array>;
}

/** The parts of a multipart answer, or the one thing that is not multipart. */
export async function* contentsOf({ headers, body }: Answer): AsyncGenerator<Content, void, undefined> {
  const type = parseMediaType(String(headers["content-type"] ?? ""));
  const boundary = type?.parameters.get("boundary");
  if (type?.name !== "multipart/related" || !boundary) {
    yield content(String(headers["content-type"] ?? ""), body);
    return;
  }
  const parts = readMultipart(body, boundary);
  try {
    for await (const part of unbroken(parts)) yield content(contentTypeOf(part), unbroken(part.bytes));
  } finally {
    await parts.return();
  }
}

/** A body that ends too early is the archive's failure. */
async function* unbroken<T>(items: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  try {
    yield* items;
  } catch (error) {
    if (!(error instanceof MultipartError)) throw error;
    throw new Problem("archive-unavailable", "The archive's answer broke off.", { cause: error });
  }
}

function contentTypeOf(part: Part): string {
  return part.headers.get("content-type") ?? "application/octet-stream";
}

function content(contentType: string, bytes: AsyncIterable<Uint8Array>): Content {
  const type = parseMediaType(contentType);
  const transferSyntaxUid = type?.parameters.get("transfer-syntax") ?? null;
  const octets = type?.name === "application/octet-stream";
  return {
    mediaType: type?.name ?? "application/octet-stream",
    transferSyntaxUid: transferSyntaxUid ?? (octets ? EXPLICIT_LITTLE_ENDIAN : null),
    bytes,
  };
}

/** The first part; the rest of the answer is let go once its bytes are read, or dropped. */
export async function firstContent(answer: Answer): Promise<Content> {
  const contents = contentsOf(answer);
  const first = await contents.next();
  if (first.done) throw new Problem("not-found");
  const { bytes } = first.value;
  async function* released() {
    try {
      yield* bytes;
    } finally {
      await contents.return();
    }
  }
  return { ...first.value, bytes: released() };
}
