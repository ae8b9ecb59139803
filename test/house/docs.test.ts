import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..", "..");
const read = (file: string) => readFileSync(join(root, file), "utf8");

const PAGES = ["*.md", "docs/*.md", "contracts/*.md"].flatMap((pages) => globSync(pages, { cwd: root }));
const SOLIDITY_TESTS = globSync("test/**/*.t.sol", { cwd: root }).map(read).join("\n");

/** Where a heading can be linked to: in lower case, without punctuation, with hyphens for blanks. */
function anchorsOf(page: string): Set<string> {
  const headings = page.matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} -]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path, anchor] = link.split("#");
  const target = path ? join(dirname(page), path) : page;
  try {
    const content = read(target);
    return anchor === undefined || anchorsOf(content).has(anchor);
  } catch {
    return false;
  }
}

/** Tests that a page names: `file.test.ts` and one or more titles, or a Solidity function. */
function citedTests(page: string): { file: string | null; name: string }[] {
  const text = page.replaceAll(/\s+/g, " ");
  const titled = [...text.matchAll(/`([\w./-]+\.test\.ts)`((?:,? "[^"]+")+)/g)].flatMap(
    ([, file = "", titles = ""]) =>
      [...titles.matchAll(/"([^"]+)"/g)].map(([, name = ""]) => ({ file, name })),
  );
  const functions = [...text.matchAll(/`((?:test|testFuzz|invariant)_\w+)`/g)].map(([, name = ""]) => ({
    file: null,
    name,
  }));
  return [...titled, ...functions];
}

function isThere({ file, name }: { file: string | null; name: string }): boolean {
  if (file === null) return SOLIDITY_TESTS.includes(`function ${name}(`);
  return read(join("test", file)).includes(name);
}

describe.each(PAGES)("%s", (page) => {
  test("links to what is there", () => {
    const links = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
    const own = links.filter((link) => !/^https?:/.test(link));
    expect(own.filter((link) => !leadsSomewhere(page, link))).toEqual([]);
  });
});

test("every test that the documentation cites exists", () => {
  const cited = PAGES.flatMap((page) => citedTests(read(page)));
  expect(cited).not.toHaveLength(0);
  expect(cited.filter((one) => !isThere(one))).toEqual([]);
});
