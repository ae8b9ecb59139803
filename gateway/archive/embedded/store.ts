/** Taking in new files: each is written beside the store, checked, and moved into place whole, or not at all. */
import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { DicomDataset } from "../dicomJson.ts";
import { tagOf } from "../dictionary.ts";
import { AnothersStudy, type Catalogue } from "./catalogue.ts";
import { type DicomFile, readDicomFile, UnreadableFile } from "./dicomFile.ts";
import { withFile } from "./withFile.ts";

/** Failure reasons (PS3.18 table I.2-2, PS3.7 annex C). */
const CANNOT_UNDERSTAND = 0xc000;
const INVALID_ATTRIBUTE_VALUE = 0x0106;
const DUPLICATE_INSTANCE = 0x0111;
const PROCESSING_FAILURE = 0x0110;

/** What became of one file. */
export interface Stored {
  sopClassUid: string;
  sopInstanceUid: string;
  /** Absent where it was stored. */
  failure?: number;
}

const INCOMING = ".incoming-";

/** The store folder. */
export class Store {
  readonly #folder: string;
  readonly #catalogue: Catalogue;
  // Files come in side by side, and take their places one after another.
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(folder: string, catalogue: Catalogue) {
    this.#folder = folder;
    this.#catalogue = catalogue;
  }

  /** Open a store folder: create it, and clear away what a killed process left half-written. */
  static async open(folder: string, catalogue: Catalogue): Promise<Store> {
    await mkdir(folder, { recursive: true });
    const left = (await readdir(folder)).filter((name) => name.startsWith(INCOMING));
    await Promise.all(left.map((name) => rm(join(folder, name))));
    return new Store(folder, catalogue);
  }

  /** Store one file. Never throws for what is wrong with the file itself. */
  async take(bytes: AsyncIterable<Uint8Array>): Promise<Stored> {
    const incoming = join(this.#folder, `${INCOMING}${randomUUID()}`);
    try {
      await writeDurably(incoming, bytes);
      const file = await readDicomFile(incoming);
      const placed = this.#turn.then(() => this.#place(file, incoming));
      this.#turn = placed.catch(() => undefined);
      return await placed;
    } catch (error) {
      if (!(error instanceof UnreadableFile)) throw error;
      const failure = error instanceof AnothersStudy ? INVALID_ATTRIBUTE_VALUE : CANNOT_UNDERSTAND;
      return { sopClassUid: "", sopInstanceUid: "", failure };
    } finally {
      await rm(incoming, { force: true });
    }
  }

  async #place(file: DicomFile, incoming: string): Promise<Stored> {
    const sopInstanceUid = file.dataSet.string("x00080018") ?? "";
    const stored = { sopClassUid: file.dataSet.string("x00080016") ?? "", sopInstanceUid };
    const kept = this.#catalogue.pathOf(sopInstanceUid);
    if (kept !== undefined) {
      // Storing the same bytes again changes nothing, and succeeds.
      const same = (await digest(kept)).equals(await digest(incoming));
      return same ? stored : { ...stored, failure: DUPLICATE_INSTANCE };
    }
    const path = join(this.#folder, `${sopInstanceUid}.dcm`);
    this.#catalogue.check(file);
    await rename(incoming, path);
    this.#catalogue.add({ ...file, path });
    return stored;
  }
}

/** The answer to a store (PS3.18 section 10.5.3.1). */
export function storeResponse(results: readonly Stored[]): { status: number; body: DicomDataset } {
  const stored = results.filter(({ failure }) => failure === undefined);
  const failed = results.filter(({ failure }) => failure !== undefined);
  const sequence = (items: DicomDataset[]) => (items.length > 0 ? { vr: "SQ", Value: items } : { vr: "SQ" });
  return {
    status: failed.length === 0 ? 200 : stored.length === 0 ? 409 : 202,
    body: {
      [tagOf("FailedSOPSequence")]: sequence(
        failed.map((result) => ({
          ...reference(result),
          [tagOf("FailureReason")]: { vr: "US", Value: [result.failure ?? PROCESSING_FAILURE] },
        })),
      ),
      [tagOf("ReferencedSOPSequence")]: sequence(stored.map(reference)),
    },
  };
}

function reference({ sopClassUid, sopInstanceUid }: Stored): DicomDataset {
  const uid = (value: string) => (value ? { vr: "UI", Value: [value] } : { vr: "UI" });
  return {
    [tagOf("ReferencedSOPClassUID")]: uid(sopClassUid),
    [tagOf("ReferencedSOPInstanceUID")]: uid(sopInstanceUid),
  };
}

async function writeDurably(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  await withFile(path, "wx", async (file) => {
    for await (const chunk of bytes) await file.appendFile(chunk);
    await file.sync();
  });
}

async function digest(path: string): Promise<Buffer> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest();
}
