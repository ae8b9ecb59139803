/** `npm run import`: stores DICOM files in the archive of a running gateway, and registers what is new. */
import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { storedSchema } from "../protocol/adminApi.ts";
import { count, Desk, runScript } from "./desk.ts";
import { describeOutcome } from "./outcome.ts";
import { CALLED_FROM, readArguments, UsageError } from "./usage.ts";

const HELP = `npm run import -- [options] PATH …     store DICOM files in a running gateway's archive

  PATH          a file, or a folder with everything below it; only read
  --data DIR    where the gateway keeps its data (.examkey)
  --help        this text

Afterwards new exams of enrolled patients are registered. A file that cannot be stored is named with why, and the
others go on. It may be done again, and while people work.`;

/** Every file below the paths, in order. */
async function* filesBelow(paths: readonly string[]): AsyncGenerator<string> {
  for (const path of paths) {
    if (!(await stat(path)).isDirectory()) yield path;
    else {
      const entries = await readdir(path, { recursive: true, withFileTypes: true });
      const files = entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name));
      yield* files.sort();
    }
  }
}

/** Why a file was not stored; null where it was. */
async function store(desk: Desk, path: string): Promise<string | null> {
  let file: Uint8Array<ArrayBuffer>;
  try {
    file = await readFile(path);
  } catch (error) {
    return `it cannot be read (${(error as NodeJS.ErrnoException).code})`;
  }
  if (file.length === 0) return "it is empty";
  const { stored, failed } = storedSchema.parse(await desk.store(file));
  if (failed[0]) return failed[0].reason;
  return stored.length > 0 ? null : "the archive did not take it";
}

/** A path as a person would write it: short below where they stand, whole elsewhere. */
function asSeenFrom(folder: string, path: string): string {
  const short = relative(folder, path);
  return short === "" || short.startsWith("..") ? path : short;
}

async function importFiles(desk: Desk, paths: readonly string[]): Promise<number> {
  const bad: string[] = [];
  let stored = 0;
  for await (const path of filesBelow(paths)) {
    const why = await store(desk, path);
    if (why === null) stored += 1;
    else {
      bad.push(path);
      console.error(`  not stored: ${asSeenFrom(CALLED_FROM, path)}: ${why}`);
    }
    if (process.stdout.isTTY) process.stdout.write(`\r  ${count(stored, "file")} stored `);
  }
  if (process.stdout.isTTY) process.stdout.write("\r");
  console.log(`${count(stored, "file")} stored, ${count(bad.length, "file")} not.`);
  let failed = 0;
  for await (const line of desk.follow("/exams/refresh")) {
    if (line.event === "exam" && line.outcome !== "unchanged") console.log(`  ${describeOutcome(line)}`);
    if (line.event === "done") failed = line.failed;
  }
  return bad.length === 0 && failed === 0 ? 0 : 1;
}

await runScript(async () => {
  const { values, positionals } = readArguments({
    options: { data: { type: "string" }, help: { type: "boolean", short: "h" } },
    allowPositionals: true,
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  if (positionals.length === 0)
    throw new UsageError("Name a file or a folder to import. `--help` says more.");
  const paths = positionals.map((path) => resolve(CALLED_FROM, path));
  for (const path of paths) {
    if (!existsSync(path)) throw new UsageError(`There is no file or folder ${path}.`);
  }
  return importFiles(Desk.find(values.data), paths);
});
