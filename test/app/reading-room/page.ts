/** Builds the reading room's test page with the app's own Vite configuration. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

/** Build the page into a new temporary folder, and return where. */
export async function buildPage(): Promise<string> {
  const outDir = await mkdtemp(join(tmpdir(), "reading-room-"));
  await build({
    configFile: fileURLToPath(new URL("../../../app/vite.config.ts", import.meta.url)),
    root: fileURLToPath(new URL(".", import.meta.url)),
    logLevel: "warn",
    build: { outDir, emptyOutDir: true },
  });
  return outDir;
}
