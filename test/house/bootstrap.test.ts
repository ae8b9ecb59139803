import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const scripts = join(import.meta.dirname, "..", "..", "scripts");

/** A project of its own, whose `npm` is a script that notes how it was called and installs what the lockfile lists. */
let project: string;

const lock = (packages: Record<string, object>) => JSON.stringify({ packages: { "": {}, ...packages } });

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "examkey-bootstrap-"));
  mkdirSync(join(project, "scripts"));
  mkdirSync(join(project, "bin"));
  for (const name of ["bootstrap.mjs", "resolveAtOnce.mjs"])
    copyFileSync(join(scripts, name), join(project, "scripts", name));
  script("console.log(JSON.stringify(process.argv.slice(2)))");
  writeFileSync(join(project, "package-lock.json"), lock({ "node_modules/a": { version: "1.0.0" } }));
  npm(
    'mkdir -p node_modules && cp package-lock.json node_modules/.package-lock.json && echo "$@" >> npm.log',
  );
});

afterEach(() => rmSync(project, { recursive: true, force: true }));

function script(source: string) {
  writeFileSync(join(project, "scripts", "format.ts"), source);
}

function npm(commands: string) {
  writeFileSync(join(project, "bin", "npm"), `#!/bin/sh\n${commands}\n`);
  chmodSync(join(project, "bin", "npm"), 0o755);
}

function begin(args: string[]): ChildProcess {
  const { npm_execpath: _, ...env } = process.env;
  const path = `${join(project, "bin")}${delimiter}${env.PATH}`;
  return spawn(process.execPath, [join(project, "scripts", "bootstrap.mjs"), ...args], {
    cwd: project,
    env: { ...env, PATH: path },
  });
}

async function end(child: ChildProcess) {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (output += chunk));
  const code = await new Promise((resolve) => child.on("close", resolve));
  return { code, output };
}

const run = (...args: string[]) => end(begin(args));
const installs = () => {
  const log = join(project, "npm.log");
  return existsSync(log) ? readFileSync(log, "utf8").trim().split("\n").length : 0;
};

test("installs what is missing once, and passes every argument on as it is", async () => {
  const first = await run("format", "--dicom", "a b", 'say "hi"', "$HOME");
  expect(first.output).toContain('["--dicom","a b","say \\"hi\\"","$HOME"]');
  await run("format");
  expect(installs()).toBe(1);
  expect(readFileSync(join(project, "npm.log"), "utf8")).toMatch(/^ci --include=dev/);
});

test("installs again when the lockfile lists another version", async () => {
  await run("format");
  writeFileSync(join(project, "package-lock.json"), lock({ "node_modules/a": { version: "1.0.1" } }));
  await run("format");
  expect(installs()).toBe(2);
});

test("takes an install that npm made by itself, whatever the files' times", async () => {
  mkdirSync(join(project, "node_modules"));
  writeFileSync(
    join(project, "node_modules", ".package-lock.json"),
    lock({ "node_modules/a": { version: "1.0.0" } }),
  );
  await run("format");
  expect(installs()).toBe(0);
});

test("installs again when a native package for this machine was left out, not when one for another was", async () => {
  const here = { version: "1.0.0", optional: true, os: [process.platform], cpu: [process.arch] };
  const elsewhere = { version: "1.0.0", optional: true, os: ["aix"], cpu: ["ppc64"] };
  mkdirSync(join(project, "node_modules"));
  writeFileSync(join(project, "node_modules", ".package-lock.json"), lock({}));
  writeFileSync(join(project, "package-lock.json"), lock({ "node_modules/elsewhere": elsewhere }));
  await run("format");
  expect(installs()).toBe(0);
  writeFileSync(join(project, "package-lock.json"), lock({ "node_modules/here": here }));
  await run("format");
  expect(installs()).toBe(1);
});

test("says in one line why it could not install", async () => {
  npm("exit 7");
  const { code, output } = await run("format");
  expect(code).toBe(1);
  expect(output).toContain("npm ci ended with code 7");
  expect(output).not.toMatch(/^\s+at /m);
});

test("lists the commands when there is no such one", async () => {
  const { code, output } = await run("strat");
  expect(code).toBe(2);
  expect(output).toMatch(/^ {2}start +run the whole demo/m);
});

test("leaves with the command's exit code, and without Node's experimental warnings", async () => {
  script(
    'process.emitWarning("new", "ExperimentalWarning"); process.emitWarning("old"); process.exitCode = 9;',
  );
  const { code, output } = await run("format");
  expect(code).toBe(9);
  expect(output).not.toContain("ExperimentalWarning");
  expect(output).toContain("Warning: old");
});

test("lets the command itself end on a signal", async () => {
  script(
    'process.on("SIGTERM", () => { console.log("ended"); process.exit(3); }); setInterval(() => {}, 1e3); console.log("up");',
  );
  const child = begin(["format"]);
  child.stdout?.on("data", (chunk) => String(chunk).includes("up") && child.kill("SIGTERM"));
  const { code, output } = await end(child);
  expect([code, output]).toEqual([3, expect.stringContaining("ended")]);
});
