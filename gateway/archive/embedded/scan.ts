/** Finding the DICOM files below folders. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Catalogue } from "./catalogue.ts";
import { type DicomFile, readDicomFile, UnreadableFile } from "./dicomFile.ts";

/** A file that is not served, and why. */
export interface Unreadable {
  file: string;
  reason: string;
}

/** Files read at the same time. */
const AT_ONCE = 16;

/** Index all files below the folders, in the order of their paths, and name each that cannot be served. */
export async function scan(folders: readonly string[], catalogue: Catalogue): Promise<Unreadable[]> {
  const unreadable: Unreadable[] = [];
  const paths: string[] = [];
  for (const folder of folders) paths.push(...(await filesBelow(folder, unreadable)));
  for (let done = 0; done < paths.length; done += AT_ONCE) {
    const batch = paths.slice(done, done + AT_ONCE);
    // Read side by side, taken in one by one: which of two equal UIDs is the first does not depend on the disk.
    const files = await Promise.allSettled(batch.map(readDicomFile));
    files.forEach((file, index) => {
      const reason = file.status === "rejected" ? reasonOf(file.reason) : take(catalogue, file.value);
      if (reason !== null) unreadable.push({ file: batch[index] ?? "", reason });
    });
  }
  return unreadable;
}

function take(catalogue: Catalogue, file: DicomFile): string | null {
  try {
    const result = catalogue.add(file);
    return result.added ? null : `it repeats the SOP Instance UID of ${result.keptPath}, which is kept`;
  } catch (error) {
    return reasonOf(error);
  }
}

/** Hidden files are left out without a word: they belong to the system, or are still being written. */
async function filesBelow(folder: string, unreadable: Unreadable[]): Promise<string[]> {
  const paths: string[] = [];
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    unreadable.push({ file: folder, reason: reasonOf(error) });
    return [];
  });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.name.startsWith(".")) continue;
    if (entry.isDirectory()) paths.push(...(await filesBelow(path, unreadable)));
    else if (entry.isFile() || entry.isSymbolicLink()) paths.push(path);
  }
  return paths;
}

/** A reason in words, also for what the file system says. */
export function reasonOf(error: unknown): string {
  if (error instanceof UnreadableFile) return error.message;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EACCES" || code === "EPERM") return "it may not be read";
  if (code === "ENOENT") return "it is not there";
  if (code === "EISDIR") return "it is a folder behind a link";
  return `it cannot be read: ${error instanceof Error ? error.message : String(error)}`;
}
