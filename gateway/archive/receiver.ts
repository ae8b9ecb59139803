/**
 * Receives answers of the archive straight from its connection: whatever comes is handed on as it is, without a copy, and no
 * more is read than the caller takes.
 */
import type { IncomingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import { Problem } from "../problem.ts";
import { type Content, type Kind, kindOf } from "./content.ts";
import { boundaryOf } from "./mediaType.ts";
import { OnePart } from "./onePart.ts";

type Controller = Dispatcher.DispatchController;

/** How an answer that does not come is told of. */
export type Failures = {
  /** The problem that a status is; null where it is one that is expected. */
  refusalOf(status: number): Problem | null;
  problemOf(error: unknown): unknown;
};

/** Bytes that are taken ahead of the caller. */
const AHEAD = 256 * 1024;

/** A length as a header tells it, in bytes; null where it does not. */
function lengthIn(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/**
 * One content of an answer: the first part of a multipart body, or the body where it is none. It is a stream of the
 * content's bytes once `flow` was called; until then, little more than its head is read.
 */
export class ContentReceiver extends Readable implements Dispatcher.DispatchHandler, Content {
  readonly #failures: Failures;
  readonly #signal: AbortSignal | undefined;
  readonly #told: Kind | undefined;
  readonly #abort = () => this.destroy(this.#signal?.reason);
  readonly #known = Promise.withResolvers<void>();
  #controller: Controller | null = null;
  #refusal: Problem | null = null;
  #part: OnePart | null = null;
  #kind: Kind | null = null;
  #length: number | null = null;
  /** Bytes of the body. */
  #received = 0;
  /** What came before it may flow. */
  #first: Buffer[] = [];
  #tail: Buffer | null = null;
  #keep: ((content: Buffer) => void) | null = null;
  /** All of the content, where it is kept, and how many more bytes may come. */
  #kept: Buffer[] = [];
  #most = 0;
  #flows = false;
  #isWhole = false;
  #isOver = false;

  /** @param told what comes, where it is known otherwise than by the answer */
  constructor(failures: Failures, signal?: AbortSignal, told?: Kind) {
    super({ highWaterMark: AHEAD });
    this.#failures = failures;
    this.#told = told;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#abort, { once: true });
    // Who waits is told. What fails later ends the stream, also where nobody reads it yet.
    this.#known.promise.catch(() => undefined);
    this.on("error", () => undefined);
  }

  /** Resolves once it is known what comes. @throws {Problem} where the archive refuses, or fails */
  get known(): Promise<void> {
    return this.#known.promise;
  }

  get mediaType(): string {
    return this.#kind?.mediaType ?? "";
  }

  get transferSyntaxUid(): string | null {
    return this.#kind?.transferSyntaxUid ?? null;
  }

  get bytes(): AsyncIterable<Buffer> {
    return { [Symbol.asyncIterator]: () => this.flow()[Symbol.asyncIterator]() };
  }

  /** Bytes of the content, where the archive says so; else null. */
  get length(): number | null {
    return this.#length;
  }

  /** Give the content to somebody else too, once it has come whole, if it is no longer than that. Before it flows. */
  keep(most: number, keep: (content: Buffer) => void): void {
    this.#keep = keep;
    this.#most = most;
    this.#set(this.#first);
  }

  /** Let it come, with something before it and behind it. */
  flow(head?: Buffer, tail?: Buffer): this {
    this.#flows = true;
    this.#tail = tail ?? null;
    if (head?.length) this.push(head);
    for (const content of this.#first.splice(0)) this.push(content);
    if (this.#isWhole) this.#end();
    return this;
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    if (this.destroyed) controller.abort(this.errored ?? new Error("given up"));
  }

  onResponseStart(_: Controller, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    this.#refusal = this.#failures.refusalOf(status);
    if (this.#refusal) return;
    const contentType = headers["content-type"] ?? "";
    const boundary = boundaryOf(contentType);
    if (boundary !== null) this.#part = new OnePart(boundary);
    else this.#know(contentType, lengthIn(headers["content-length"]));
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    // What comes with a refusal is read to its end, so that the connection can be used again.
    if (this.#refusal || this.destroyed) return;
    try {
      // An archive that has sent everything may close the connection; undici takes what is paused then for broken off.
      if (!this.#take(chunk) && !this.#hasAll()) controller.pause();
    } catch (error) {
      this.destroy(this.#failures.problemOf(error) as Error);
    }
  }

  onResponseEnd(): void {
    this.#isOver = true;
    try {
      if (this.#refusal) throw this.#refusal;
      this.#part?.end();
      this.#isWhole = true;
      this.#keep?.(Buffer.concat(this.#kept));
      if (this.#flows) this.#end();
    } catch (error) {
      this.destroy((error === this.#refusal ? error : this.#failures.problemOf(error)) as Error);
    }
  }

  onResponseError(_: Controller, error: Error): void {
    this.#isOver = true;
    this.destroy(this.#failures.problemOf(error) as Error);
  }

  override _read(): void {
    if (this.#flows && this.#controller?.paused) this.#controller.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#signal?.removeEventListener("abort", this.#abort);
    if (error || !this.#isOver) {
      const why = error ?? new Error("given up");
      this.#known.reject(why);
      if (!this.#isOver) this.#controller?.abort(why);
    }
    done(error);
  }

  /** Whether all of the content has come, and only what ends the body may be missing. */
  #hasAll(): boolean {
    return this.#part?.isOver ?? (this.#length !== null && this.#received >= this.#length);
  }

  /** Whether more may come. */
  #take(chunk: Buffer): boolean {
    const contents = this.#part ? this.#part.take(chunk) : [chunk];
    const headers = this.#part?.headers;
    if (!this.#kind && headers) {
      this.#know(headers.get("content-type") ?? "application/octet-stream", this.#part?.length ?? null);
    }
    this.#received += chunk.length;
    let takesMore = this.#flows || !this.#kind;
    this.#set(contents);
    for (const content of contents) {
      if (!this.#flows) this.#first.push(content);
      else if (!this.push(content)) takesMore = false;
    }
    return takesMore;
  }

  /** Set aside what is kept. */
  #set(contents: readonly Buffer[]): void {
    if (!this.#keep) return;
    for (const content of contents) {
      this.#kept.push(content);
      this.#most -= content.length;
    }
    if (this.#most >= 0) return;
    this.#keep = null;
    this.#kept = [];
  }

  #know(contentType: string, length: number | null): void {
    this.#kind = this.#told ?? kindOf(contentType);
    this.#length = length;
    this.#known.resolve();
  }

  #end(): void {
    if (this.#tail?.length) this.push(this.#tail);
    this.push(null);
  }
}

/** A whole answer, which is not long. */
export class WholeReceiver implements Dispatcher.DispatchHandler {
  readonly #failures: Failures;
  readonly #most: number;
  readonly #signal: AbortSignal | undefined;
  readonly #abort = () => this.#giveUp(this.#signal?.reason);
  readonly #answer = Promise.withResolvers<Whole>();
  readonly #chunks: Buffer[] = [];
  #controller: Controller | null = null;
  #refusal: Problem | null = null;
  #headers: IncomingHttpHeaders = {};
  #size = 0;

  /** @param most bytes, above which it is the archive's failure */
  constructor(failures: Failures, most: number, signal?: AbortSignal) {
    this.#failures = failures;
    this.#most = most;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#abort, { once: true });
  }

  /** @throws {Problem} where the archive refuses, or fails */
  get answer(): Promise<Whole> {
    return this.#answer.promise;
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    if (this.#signal?.aborted) controller.abort(this.#signal.reason);
  }

  onResponseStart(_: Controller, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    this.#headers = headers;
    this.#refusal = this.#failures.refusalOf(status);
  }

  onResponseData(_: Controller, chunk: Buffer): void {
    if (this.#refusal) return;
    this.#size += chunk.length;
    this.#chunks.push(chunk);
    if (this.#size > this.#most)
      this.#giveUp(new Problem("archive-unavailable", "The archive's answer is too long."));
  }

  onResponseEnd(): void {
    this.#signal?.removeEventListener("abort", this.#abort);
    if (this.#refusal) this.#answer.reject(this.#refusal);
    else this.#answer.resolve({ headers: this.#headers, body: Buffer.concat(this.#chunks) });
  }

  onResponseError(_: Controller, error: Error): void {
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#answer.reject(this.#failures.problemOf(error));
  }

  #giveUp(why: Error): void {
    this.#answer.reject(why);
    this.#controller?.abort(why);
  }
}

/** An answer with all of its body. */
export type Whole = { headers: IncomingHttpHeaders; body: Buffer };
