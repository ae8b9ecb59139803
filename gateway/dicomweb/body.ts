/** Bodies on their way to a caller: begun only when there is something to send, cut when access ends. */
import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import type { Content } from "../archive/client.ts";
import type { Kind } from "../archive/content.ts";
import type { CachedFrame } from "../archive/frameCache.ts";
import { MultipartWriter } from "../archive/multipart.ts";
import type { ContentReceiver } from "../archive/receiver.ts";
import { streamed } from "../archive/stream.ts";

const NOTHING = Buffer.alloc(0);

/**
 * Ends when access ends or the caller goes away, whichever is first. Where access ends, what is under way to the caller is
 * cut off, with what they have yet to take of it.
 */
export function untilClosed(reply: FastifyReply, access: AbortSignal): AbortSignal {
  const ended = new AbortController();
  const cut = () => {
    ended.abort(access.reason);
    // A reset, so that the system delivers no more of it either.
    if (reply.raw.headersSent && !reply.raw.writableFinished) reply.request.raw.socket.resetAndDestroy();
  };
  if (access.aborted) cut();
  access.addEventListener("abort", cut, { once: true });
  reply.raw.once("close", () => {
    access.removeEventListener("abort", cut);
    // Whose answer is whole is not gone.
    if (!reply.raw.writableFinished) ended.abort(new Error("the caller went away"));
  });
  return ended.signal;
}

/**
 * Send a body as it comes. Waits for its first bytes, so that what fails before them is answered with a problem; what
 * fails later cuts the connection, which is how HTTP/1.1 tells a broken body from a whole one.
 *
 * HEAD ends there: nobody knows the length of what comes as it comes, so none is said (RFC 9110 section 8.6).
 */
export async function sendBody(
  reply: FastifyReply,
  contentType: string,
  body: AsyncGenerator<Uint8Array, void, undefined>,
  signal: AbortSignal,
): Promise<FastifyReply> {
  const first = await body.next();
  signal.throwIfAborted();
  if (reply.request.method === "HEAD") {
    await body.return();
    return reply.type(contentType).send();
  }
  async function* whole() {
    try {
      if (!first.done) yield first.value;
      yield* body;
    } finally {
      await body.return();
    }
  }
  const stream = streamed(whole());
  // A chunk may be waiting for a slow caller: do not wait with it.
  const cut = () => stream.destroy(signal.reason);
  signal.addEventListener("abort", cut, { once: true });
  stream.once("close", () => signal.removeEventListener("abort", cut));
  return reply.type(contentType).send(stream);
}

/** Contents as parts of a multipart body. `lead` is the first of them, already asked for. */
export async function* asParts(
  writer: MultipartWriter,
  contents: AsyncIterable<Content>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const content of contents) {
    yield writer.head({ "Content-Type": contentTypeOf(content) });
    yield* content.bytes;
  }
  yield writer.tail();
}

/** A part's media type, with its transfer syntax where that is known. */
export function contentTypeOf({ mediaType, transferSyntaxUid }: Kind): string {
  return transferSyntaxUid === null ? mediaType : `${mediaType}; transfer-syntax=${transferSyntaxUid}`;
}

/** One thing, in multipart or by itself. */
export function sendOne(reply: FastifyReply, content: Content, multipart: boolean, signal: AbortSignal) {
  const writer = new MultipartWriter();
  async function* one() {
    yield content;
  }
  async function* alone() {
    yield* content.bytes;
  }
  return multipart
    ? sendBody(reply, writer.contentType(content.mediaType), asParts(writer, one()), signal)
    : sendBody(reply, contentTypeOf(content), alone(), signal);
}

/** A frame from the cache: nothing of it is copied. */
export function sendCached(reply: FastifyReply, frame: CachedFrame, multipart: boolean): FastifyReply {
  const { writer, head, tail } = framing(frame, multipart);
  reply.type(multipart ? writer.contentType(frame.mediaType) : contentTypeOf(frame));
  if (reply.request.method === "HEAD") return reply.send();
  const body = new Readable({ read: () => undefined });
  for (const bytes of [head, frame.bytes, tail]) if (bytes.length > 0) body.push(bytes);
  body.push(null);
  return reply.header("content-length", head.length + frame.bytes.length + tail.length).send(body);
}

/** What is around one content. */
function framing(kind: Kind, multipart: boolean) {
  const writer = new MultipartWriter();
  const head = multipart ? writer.head({ "Content-Type": contentTypeOf(kind) }) : NOTHING;
  return { writer, head, tail: multipart ? writer.tail() : NOTHING };
}

/**
 * As `sendOne`, for what comes straight from the archive: it goes on as it comes, and with its length, where the archive
 * told that of it. @param kind where it is not to be taken from the archive
 */
export function sendReceived(
  reply: FastifyReply,
  content: ContentReceiver,
  multipart: boolean,
  kind: Kind = content,
): FastifyReply {
  const { writer, head, tail } = framing(kind, multipart);
  reply.type(multipart ? writer.contentType(kind.mediaType) : contentTypeOf(kind));
  if (content.length !== null) reply.header("content-length", head.length + content.length + tail.length);
  if (reply.request.method === "HEAD") {
    content.destroy();
    return reply.send();
  }
  return reply.send(content.flow(head, tail));
}
