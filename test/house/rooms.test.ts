import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..", "..");

/** What each room may import of the others. Tests may import anything. */
const MAY_IMPORT: Record<string, string[]> = {
  protocol: [],
  gateway: ["protocol"],
  app: ["protocol"],
  scripts: ["protocol"],
};

/** Benchmarks click through the app, and break the parts around a gateway, as the tests do. */
const MAY_IMPORT_TESTS = [
  "scripts/bench/viewer.ts",
  "scripts/bench/decision.ts",
  "scripts/bench/revoke.ts",
  "scripts/bench/gateway.ts",
  "scripts/bench/gateway/nginx.ts",
  "scripts/bench/gateway/stage.ts",
];

/** What protocol may import of npm: it runs in Node and in the browser alike. */
const PROTOCOL_PACKAGES = ["@noble/hashes", "zod"];

interface Import {
  file: string;
  specifier: string;
}

function importsOf(room: string): Import[] {
  return globSync(`${room}/**/*.{ts,tsx,mjs}`, { cwd: root }).flatMap((file) => {
    const source = readFileSync(join(root, file), "utf8");
    const found = source.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*|new URL\(\s*)"([^"\n]+)"/g);
    return [...found].map(([, specifier]) => ({ file, specifier: specifier ?? "" }));
  });
}

function roomOf({ file, specifier }: Import): string | undefined {
  const target = relative(root, join(root, dirname(file), specifier));
  return target.split(sep)[0];
}

describe.each(Object.entries(MAY_IMPORT))("the room %s", (room, allowed) => {
  const imports = importsOf(room);

  test("has files that import", () => {
    expect(imports).not.toHaveLength(0);
  });

  test("imports no other room but the protocol", () => {
    const rooms = Object.keys(MAY_IMPORT).filter((name) => name !== room && !allowed.includes(name));
    const trespasses = imports.filter((found) => {
      const forbidden = MAY_IMPORT_TESTS.includes(found.file) ? rooms : [...rooms, "test"];
      return found.specifier.startsWith(".") && forbidden.includes(roomOf(found) ?? "");
    });
    expect(trespasses).toEqual([]);
  });
});

test("protocol imports no platform, and of npm only what runs everywhere", () => {
  const foreign = importsOf("protocol").filter(
    ({ specifier }) =>
      !specifier.startsWith(".") &&
      !PROTOCOL_PACKAGES.some((name) => specifier === name || specifier.startsWith(`${name}/`)),
  );
  expect(foreign).toEqual([]);
});
