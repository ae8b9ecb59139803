/** Bodies of the archive's answers: parts of a multipart body, or the one thing that is not multipart. */
import { Problem } from "../problem.ts";
import type { Answer } from "./connection.ts";
import { boundaryOf, parseMediaType } from "./mediaType.ts";
import { MultipartError, type Part, readMultipart } from "./multipart.ts";
import { EXPLICIT_LITTLE_ENDIAN } from "./transferSyntaxes.ts";

/** What bytes are. */
export interface Kind {
  /** The media type without parameters. */
  mediaType: string;
  /** The transfer syntax that the archive names, or null. */
  transferSyntaxUid: string | null;
}

/** Bytes with what they are. `bytes` is read once, and before anything else is asked of the same answer. */
export interface Content extends Kind {
  bytes: AsyncIterable<Uint8Array>;
}

/** What a `Content-Type` says. Octets of which no more is said are little endian (PS3.18 section 8.7.3.5.2). */
export function kindOf(contentType: string): Kind {
  const type = parseMediaType(contentType);
  const transferSyntaxUid = type?.parameters.get("transfer-syntax") ?? null;
  const octets = type?.name === "application/octet-stream";
  return {
    mediaType: type?.name ?? "application/octet-stream",
    transferSyntaxUid: transferSyntaxUid ?? (octets ? EXPLICIT_LITTLE_ENDIAN : null),
  };
}

/** The parts of a multipart answer, or the one thing that is not multipart. */
export async function* contentsOf({ headers, body }: Answer): AsyncGenerator<Content, void, undefined> {
  const contentType = String(headers["content-type"] ?? "");
  const boundary = boundaryOf(contentType);
  if (boundary === null) {
    yield { ...kindOf(contentType), bytes: body };
    return;
  }
  const parts = readMultipart(body, boundary);
  try {
    for await (const part of unbroken(parts))
      yield { ...kindOf(contentTypeOf(part)), bytes: unbroken(part.bytes) };
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
