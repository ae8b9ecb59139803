import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type AppBuild, buildApp } from "../../scripts/demo/build.ts";

interface Built {
  /** Everything that a browser is given, as one text. */
  all: string;
  page: string;
}

/** The app as it is delivered. */
async function read(mode: AppBuild): Promise<Built> {
  const folder = await buildApp(mode);
  const text = (file: string) => readFileSync(join(folder, file), "utf8");
  return {
    all: globSync("**/*.{js,css,html}", { cwd: folder }).map(text).join("\n"),
    page: text("index.html"),
  };
}

describe("the two builds", () => {
  let production: Built;
  let demo: Built;

  beforeAll(async () => {
    production = await read("production");
    demo = await read("demo");
  });

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
