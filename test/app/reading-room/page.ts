/** Builds the reading room's test page with the app's own Vite configuration. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runTool } from "../../../scripts/checks/program.ts";

/** Build the page into a new temporary folder, and return where. */
export async function buildPage(): Promise<string> {
  const outDir = await mkdtemp(join(tmpdir(), "reading-room-"));
  const config = fileURLToPath(new URL("../../../app/vite.config.ts", import.meta.url));
  const root = fileURLToPath(new URL(".", import.meta.url));
  const args = [
    "build",
    root,
    `--config=${config}`,
    `--outDir=${outDir}`,
    "--emptyOutDir",
    "--logLevel=warn",
  ];
  // A test runner's own NODE_ENV would make a development build of React, which is slower.
  const { code, output } = await runTool("vite/bin/vite.js", args, { env: { NODE_ENV: "production" } });
  if (code !== 0) throw new Error(`The page could not be built.\n${output}`);
  return outDir;
}
