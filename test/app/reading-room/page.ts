/** Builds the reading room's test page with the app's own Vite configuration. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { viteBuild } from "../../../scripts/demo/build.ts";

/** Build the page into a new temporary folder, and return where. */
export async function buildPage(): Promise<string> {
  const outDir = await mkdtemp(join(tmpdir(), "reading-room-"));
  const config = fileURLToPath(new URL("../../../app/vite.config.ts", import.meta.url));
  const root = fileURLToPath(new URL(".", import.meta.url));
  await viteBuild(root, `--config=${config}`, `--outDir=${outDir}`, "--emptyOutDir", "--logLevel=warn");
  return outDir;
}
