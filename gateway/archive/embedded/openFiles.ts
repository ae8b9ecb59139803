/** Parsed files that were used last, up to a number of bytes. */
import type { DicomFile } from "./dicomFile.ts";
import { readDicomFile } from "./dicomFile.ts";
import { type FrameTable, frameTable } from "./frames.ts";

/** A file with what is derived from it on first use. */
export interface OpenFile {
  file: DicomFile;
  frames(): Promise<FrameTable>;
}

const MAX_BYTES = 64 * 1024 * 1024;

/** Opens files, and keeps those used last. Two requests for one file share one reading. */
export class OpenFiles {
  readonly #files = new Map<string, { opened: Promise<OpenFile>; size: number }>();
  #size = 0;

  /** @throws {UnreadableFile} when the file has changed or gone since it was indexed. */
  async open(path: string): Promise<OpenFile> {
    const known = this.#files.get(path);
    if (known) {
      this.#files.delete(path);
      this.#files.set(path, known);
      return known.opened;
    }
    const entry = { opened: openFile(path), size: 0 };
    this.#files.set(path, entry);
    try {
      const { file } = await entry.opened;
      entry.size = file.dataSet.byteArray.length;
      this.#size += entry.size;
      this.#shrink();
      return await entry.opened;
    } catch (error) {
      this.#files.delete(path);
      throw error;
    }
  }

  #shrink(): void {
    for (const [path, { size }] of this.#files) {
      if (this.#size <= MAX_BYTES) return;
      if (size === 0) continue;
      this.#files.delete(path);
      this.#size -= size;
    }
  }
}

async function openFile(path: string): Promise<OpenFile> {
  const file = await readDicomFile(path);
  let table: Promise<FrameTable> | undefined;
  return {
    file,
    frames() {
      table ??= frameTable(file);
      return table;
    },
  };
}
