import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, runTool } from "../checks/program.ts";

/** `production` is a hospital's build; `demo` has the built-in developer wallet. */
export type AppBuild = "production" | "demo";

const OUTPUT = { production: "dist/app", demo: "dist/demo" } as const;

/** A digest of all that a build depends on, so that unchanged sources are never built twice. */
function digestOfSources(): string {
  const files = globSync(["app/**/*", "protocol/**/*", "package-lock.json"], {
    cwd: ROOT,
    withFileTypes: true,
  });
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  const digest = createHash("sha256");
  for (const path of paths.sort())
    digest.update(path.slice(ROOT.length)).update("\0").update(readFileSync(path));
  return digest.digest("hex");
}

/**
 * Builds the app unless its sources are unchanged since the last time. Returns the folder with the built app.
 * @throws Error with the tool's output when the build fails.
 */
export async function buildApp(mode: AppBuild, onBuild: () => void = () => {}): Promise<string> {
  const folder = join(ROOT, OUTPUT[mode]);
  const stamp = join(folder, ".sources");
  const sources = digestOfSources();
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === sources) return folder;
  onBuild();
  await viteBuild("app", "--mode", mode);
  writeFileSync(stamp, sources);
  return folder;
}

/** Runs `vite build` for production. @throws Error with the tool's output when the build fails */
export async function viteBuild(...args: string[]): Promise<void> {
  // A test runner's own NODE_ENV would make a development build of React, which is slower.
  const env = { NODE_ENV: "production" };
  const { code, output } = await runTool("vite/bin/vite.js", ["build", ...args], { env });
  if (code !== 0) throw new Error(`The app could not be built.\n${output}`);
}
