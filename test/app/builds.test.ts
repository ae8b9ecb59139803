import { execFile } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..", "..");
const folder = mkdtempSync(join(tmpdir(), "examkey-builds-"));

interface Built {
  /** Everything that a browser is given, as one text. */
  all: string;
  page: string;
}

/** Builds the app as it is delivered. */
async function build(mode: "production" | "demo"): Promise<Built> {
  const outDir = join(folder, mode);
  const vite = join(root, "node_modules", "vite", "bin", "vite.js");
  // The test runner's own NODE_ENV would make a development build of React.
  const env = { ...process.env, NODE_ENV: "production", VITEST: undefined };
  await promisify(execFile)(process.execPath, [vite, "build", "app", "--mode", mode, "--outDir", outDir], {
    cwd: root,
    env,
  });
  const read = (file: string) => readFileSync(join(outDir, file), "utf8");
  return {
    all: globSync("**/*.{js,css,html}", { cwd: outDir }).map(read).join("\n"),
    page: read("index.html"),
  };
}

describe("the two builds (slower: each is built anew)", () => {
  let production: Built;
  let demo: Built;

  beforeAll(async () => {
    production = await build("production");
    demo = await build("demo");
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(["test test test test", "developer-wallet", "Developer wallet", "Switch persona"])(
    "%o is in the demo's build, and nowhere in a hospital's",
    (trace) => {
      // The texts are megabytes: not for a failure to print.
      expect(demo.all.includes(trace)).toBe(true);
      expect(production.all.includes(trace)).toBe(false);
    },
  );

  test("neither page runs inline scripts, which the gateway's content security policy forbids", () => {
    for (const { page } of [production, demo]) {
      const scripts = page.match(/<script[^>]*>/g) ?? [];
      expect(scripts.length).toBeGreaterThan(0);
      expect(scripts.filter((tag) => !tag.includes(" src="))).toEqual([]);
    }
  });
});
