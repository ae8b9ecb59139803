/** Pictures for `/rendered` and `/thumbnail`, drawn in a thread from what any archive has: metadata and stored frames. */
import { Worker } from "node:worker_threads";
import { Problem } from "../../problem.ts";
import type { ArchiveClient, InstanceReference } from "../client.ts";
import { type DicomDataset, numberOfFrames, stringOf } from "../dicomJson.ts";
import { EXPLICIT_LITTLE_ENDIAN } from "../transferSyntaxes.ts";
import type { DrawJob } from "./draw.ts";
import type { RenderOptions } from "./options.ts";
import { type NoPicture, placeholder } from "./placeholder.ts";
import type { DrawAnswer, DrawRequest } from "./worker.ts";

/** A picture, or the placeholder that names why there is none. */
export interface Picture {
  bytes: Uint8Array;
  missing: NoPicture | null;
}

/** What to draw: a frame counted from 1, or the middle one. */
export interface PictureRequest {
  instance: InstanceReference;
  frame: number | "middle";
  options: RenderOptions;
  /** Whether it must not name its patient, as a thumbnail must not (PS3.18 section 10.4.3.3.4). */
  nameless?: boolean;
  signal?: AbortSignal;
}

/** A drawing that takes longer is given up, in milliseconds. */
const PATIENCE = 30_000;
/** Frames larger than this are not drawn, in bytes. */
const MAX_FRAME = 256 * 1024 * 1024;
/** Red, green and blue palettes (PS3.3 section C.7.9): without them the indices mean nothing. */
const PALETTES = ["00281201", "00281202", "00281203"];

/** Draws pictures one at a time in a thread of its own, which starts with the first one. */
export class Renderer {
  readonly #archive: ArchiveClient;
  readonly #waiting = new Map<number, (answer: DrawAnswer) => void>();
  #worker: Worker | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  #count = 0;

  constructor(archive: ArchiveClient) {
    this.#archive = archive;
  }

  /** A picture of one frame. What cannot be drawn is a placeholder; what is not there is a `not-found` problem. */
  async picture({ instance, frame, options, nameless, signal }: PictureRequest): Promise<Picture> {
    const call = signal ? { signal } : {};
    const metadata = await this.#archive.metadata(instance, call);
    const count = numberOfFrames(metadata);
    if (frame !== "middle" && frame > Math.max(1, count)) throw new Problem("not-found");
    if (count === 0) return missing("This object has no picture", options);
    if (nameless && stringOf(metadata, "BurnedInAnnotation") === "YES")
      return missing("This image names its patient", options);
    const number = frame === "middle" ? Math.floor((count + 1) / 2) : frame;
    const job = await this.#job(instance, metadata, number, options, call);
    signal?.throwIfAborted();
    const drawn = this.#turn.then(() => this.#draw(job));
    this.#turn = drawn;
    const answer = await drawn;
    signal?.throwIfAborted();
    return "picture" in answer
      ? { bytes: answer.picture, missing: null }
      : missing("This image cannot be drawn", options);
  }

  /** Stop the thread. */
  async close(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = null;
  }

  async #job(
    instance: InstanceReference,
    metadata: DicomDataset,
    frame: number,
    options: RenderOptions,
    call: { signal?: AbortSignal },
  ): Promise<DrawJob> {
    const complete = { ...metadata };
    for (const tag of PALETTES) {
      const uri = metadata[tag]?.BulkDataURI;
      if (uri === undefined) continue;
      const { bytes } = await this.#archive.bulkData(instance, uri, call);
      const palette = await readWhole(bytes);
      complete[tag] = { vr: "OW", InlineBinary: Buffer.from(palette).toString("base64") };
    }
    for await (const { transferSyntaxUid, bytes } of this.#archive.frames(instance, [frame], call)) {
      const syntax = transferSyntaxUid ?? EXPLICIT_LITTLE_ENDIAN;
      return { metadata: complete, transferSyntaxUid: syntax, frame: await readWhole(bytes), options };
    }
    throw new Problem("not-found");
  }

  #draw(job: DrawJob): Promise<DrawAnswer> {
    const worker = this.#thread();
    const id = ++this.#count;
    return new Promise((resolve) => {
      const timer = setTimeout(() => worker.terminate(), PATIENCE);
      this.#waiting.set(id, (answer) => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(answer);
      });
      const request: DrawRequest = { id, job };
      worker.postMessage(request, [job.frame.buffer]);
    });
  }

  #thread(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(new URL("./worker.ts", import.meta.url));
    worker.unref();
    worker.on("message", (answer: DrawAnswer) => this.#waiting.get(answer.id)?.(answer));
    const fail = (error: string) => {
      if (this.#worker === worker) this.#worker = null;
      for (const [id, settle] of this.#waiting) settle({ id, error });
    };
    worker.on("error", (error: Error) => fail(error.message));
    worker.on("exit", () => fail("the drawing thread ended"));
    this.#worker = worker;
    return worker;
  }
}

async function missing(text: NoPicture, options: RenderOptions): Promise<Picture> {
  return { bytes: await placeholder(text, options), missing: text };
}

async function readWhole(bytes: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > MAX_FRAME) throw new Problem("too-large", "The image is too large to be drawn here.");
    chunks.push(chunk);
  }
  // A buffer of its own, which can be handed to another thread.
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
