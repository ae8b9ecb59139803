/**
 * `node scripts/bootstrap.mjs <command> [args]`: what every `npm run` command goes through.
 *
 * A fresh clone has no dependencies and perhaps an old Node, so this file is plain JavaScript without
 * dependencies that runs on Node 18. It moves on to a current Node where needed, installs what the lockfile
 * lists, and hands over to the command's TypeScript, which a current Node runs as it is.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The oldest Node that our dependencies accept, and the one that is fetched where Node is older. */
const OLDEST_NODE = [22, 13];
const FETCHED_NODE = "24.21.0";

/** Each command: what it does, and the program that does it where that is not `scripts/<command>.ts`. */
const COMMANDS = {
  start: ["run the whole demo: chain, archive, gateway and app"],
  test: ["check everything; `npm test -- --help` lists the parts"],
  "test:deep": ["check with larger budgets, for hours rather than minutes", "scripts/test.ts", "--deep"],
  "test:soak": ["a big study and many readers, for minutes rather than seconds", "scripts/test.ts", "--soak"],
  enrol: ["tie a patient id to an address, or enrol a practitioner, at a running gateway"],
  custodian: [
    "name a custodian's operator, list its gateway in the registry, or describe its contracts to wallets",
  ],
  import: ["store DICOM files in a running gateway's archive"],
  "audit-verify": ["check a running gateway's log of receipts against the chain, or a reader's receipt"],
  verify: ["read the archive anew, and name what is not as it was registered"],
  erase: ["destroy what ties an exam to its study, and who read it, at a running gateway"],
  gateway: ["run the gateway alone, configured by environment variables", "gateway/main.ts"],
  build: ["build the app for a hospital into dist/app"],
  dev: [
    "serve the app with hot reload, beside `npm start` or another gateway",
    "node_modules/vite/bin/vite.js",
    "app",
    "--mode=demo",
  ],
  bench: ["measure, e.g. `npm run bench -- gas` or `-- viewer`"],
  prove: ["prove the ledger's properties with the compiler's SMTChecker and z3"],
  mutate: ["break the contracts in one place at a time, and see whether the tests notice"],
  format: ["format, and fix what the linters can"],
};

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const windows = process.platform === "win32";

class Refusal extends Error {}

/** True when `version` (as in `process.versions.node`) is at least `major.minor`. */
function atLeast(version, [major, minor]) {
  const [ownMajor, ownMinor] = version.split(".").map(Number);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}

/** Runs a child in our terminal, passes signals on, and resolves with the exit code to leave with. */
function run(file, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd: root, env, stdio: "inherit", shell: windows && file === "npm" });
    const forward = (signal) => child.kill(signal);
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
    for (const signal of signals) process.on(signal, forward);
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      for (const name of signals) process.removeListener(name, forward);
      resolve(
        signal === null ? code : 128 + ({ SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }[signal] ?? 1),
      );
    });
  });
}

/** The path of a current Node, which npm fetches once and keeps in its cache. */
function fetchNode() {
  console.log(
    `Node ${process.versions.node} is too old here: going on under Node ${FETCHED_NODE}, fetched by npx.`,
  );
  // On Windows npx is a script, which only a shell runs, and to which the quotes have to be given.
  const ask = windows ? '"node -p process.execPath"' : "node -p process.execPath";
  const npx = spawnSync("npx", ["-y", "--prefer-offline", "-p", `node@${FETCHED_NODE}`, "-c", ask], {
    cwd: root,
    encoding: "utf8",
    shell: windows,
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (npx.error?.code === "ENOENT") {
    throw new Refusal(
      "npx was not found. Install Node 22.13 or newer (https://nodejs.org), which brings npm and npx.",
    );
  }
  const path = npx.stdout?.trim().split("\n").pop() ?? "";
  if (npx.status !== 0 || !existsSync(path)) {
    const why =
      npx.stderr
        ?.trim()
        .split("\n")
        .find((line) => /npm (error|ERR!) \S/.test(line)) ?? "";
    throw new Refusal(
      `npx could not fetch Node ${FETCHED_NODE} (${why || `exit code ${npx.status}`}). ` +
        "Check the way to the npm registry, or install Node 22.13 or newer, then run the same command again.",
    );
  }
  return path;
}

function lockfile(path) {
  return JSON.parse(readFileSync(path, "utf8")).packages;
}

/** True when an optional package is meant for this machine: npm leaves the others out. */
function isForThisMachine({ os, cpu, libc }) {
  const allows = (list, own) =>
    list.some((name) => name === own) || (list.every((name) => name[0] === "!") && !list.includes(`!${own}`));
  if (!os || !cpu || !allows(os, process.platform) || !allows(cpu, process.arch)) return false;
  if (!libc) return true;
  return allows(libc, process.report.getReport().header.glibcVersionRuntime ? "glibc" : "musl");
}

const installStamp = join(root, "node_modules", ".examkey-install");

/** What an install depends on: the lockfile, and the platform that its native packages were chosen for. */
function stampOfNow() {
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  return `${process.platform} ${process.arch} ${lock}\n`;
}

/**
 * True when node_modules holds what package-lock.json lists. File times say nothing in a fresh clone, so contents
 * are compared: with the stamp that our own install left, or else with npm's record of what it installed, native
 * packages included, since an install under an older Node silently leaves some out.
 */
function isInstalled() {
  const record = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(record)) return false;
  const stamp = stampOfNow();
  if (existsSync(installStamp) && readFileSync(installStamp, "utf8") === stamp) return true;
  const installed = lockfile(record);
  const same = Object.entries(lockfile(join(root, "package-lock.json"))).every(([path, wanted]) => {
    if (path === "" || wanted.link) return true;
    const found = installed[path];
    if (found) return found.version === wanted.version;
    return wanted.optional || wanted.devOptional ? !isForThisMachine(wanted) : false;
  });
  if (same) writeFileSync(installStamp, stamp);
  return same;
}

async function install() {
  console.log("Installing the dependencies (npm ci); this takes about half a minute, once.");
  // Under `npm run`, npm says where it is itself; its own `npm` may need a Node that is not on the PATH.
  const npm = process.env.npm_execpath?.endsWith("npm-cli.js") ? process.env.npm_execpath : null;
  const args = ["ci", "--include=dev", "--include=optional", "--no-fund", "--no-audit"];
  const command = npm ? process.execPath : "npm";
  const code = await run(command, npm ? [npm, ...args] : args, process.env).catch((error) => {
    throw new Refusal(
      `npm could not be run (${error.code ?? error.message}). Install npm, then run the same command again.`,
    );
  });
  if (code !== 0) {
    throw new Refusal(
      `The dependencies could not be installed: npm ci ended with code ${code}, see above. ` +
        "Check the way to the npm registry and the space on the disk, then run the same command again.",
    );
  }
  writeFileSync(installStamp, stampOfNow());
}

/** Runs the command in this process, so that it alone gets the signals and leaves with its own exit code. */
async function handOver(command, args) {
  const [, program = `scripts/${command}.ts`, ...first] = COMMANDS[command];
  const script = join(root, program);
  const quiet = "--disable-warning=ExperimentalWarning";
  const options = process.env.NODE_OPTIONS ?? "";
  if (!options.includes(quiet)) process.env.NODE_OPTIONS = `${options} ${quiet}`.trim();
  process.chdir(root);
  // Node reads TypeScript by itself from 22.18 on.
  if (!process.features.typescript) {
    process.env.NODE_OPTIONS += " --experimental-strip-types";
    const all = [...process.execArgv, script, ...first, ...args];
    process.exitCode = await run(process.execPath, all, process.env);
    return;
  }
  process.removeAllListeners("warning");
  process.on("warning", (warning) => {
    if (warning.name !== "ExperimentalWarning") console.error(`${warning.name}: ${warning.message}`);
  });
  process.argv = [process.execPath, script, ...first, ...args];
  await import("./resolveAtOnce.mjs");
  await import(pathToFileURL(script).href);
}

async function main([command, ...args]) {
  if (!Object.hasOwn(COMMANDS, command ?? "")) {
    const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
    const list = Object.entries(COMMANDS).map(([name, [what]]) => `  ${name.padEnd(width)}  ${what}`);
    console.error(
      [command ? `There is no command "${command}". There are:` : "Commands:", ...list].join("\n"),
    );
    process.exitCode = 2;
    return;
  }
  // Paths among the arguments are meant from where the person stood; npm runs its scripts in the root.
  process.env.EXAMKEY_FROM ??= process.env.INIT_CWD ?? process.cwd();
  if (!atLeast(process.versions.node, OLDEST_NODE)) {
    const node = fetchNode();
    const path = `${dirname(node)}${delimiter}${process.env.PATH}`;
    const self = fileURLToPath(import.meta.url);
    const all = [...process.execArgv, self, command, ...args];
    process.exitCode = await run(node, all, { ...process.env, PATH: path });
    return;
  }
  if (!isInstalled()) await install();
  await handOver(command, args);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
