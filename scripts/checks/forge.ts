import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Check, Tally } from "./checks.ts";
import { ROOT, runTool } from "./program.ts";

/** It ends with 0 whatever the binary that it runs ends with, so that only what was printed tells how it went. */
const FORGE = "@foundry-rs/forge/bin.mjs";

/** Strings, numbers, booleans and lists of them are written in TOML as in JSON. */
function toml(settings: object): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`)
    .join("");
}

/**
 * Forge's settings, as far as possible those of hardhat.config.ts. Paths are absolute, since it takes relative ones to be
 * beside its settings, which lie in a folder of their own.
 */
async function settings(folder: string): Promise<string> {
  const { compiler, fuzzing } = await import("../../hardhat.config.ts");
  const { evmVersion, optimizer, viaIR } = compiler.settings;
  const { fuzz, invariant } = fuzzing;
  return [
    "[profile.default]\n",
    toml({
      src: join(ROOT, "contracts"),
      test: join(ROOT, "test/contracts"),
      libs: [join(ROOT, "node_modules")],
      out: join(folder, "out"),
      cache_path: join(folder, "cache"),
      remappings: [`@openzeppelin/=${join(ROOT, "node_modules/@openzeppelin")}/`],
      auto_detect_remappings: false,
      solc: join(folder, "solc"),
      offline: true,
      evm_version: evmVersion,
      optimizer: optimizer.enabled,
      optimizer_runs: optimizer.runs,
      via_ir: viaIR,
    }),
    "[fuzz]\n",
    toml({ runs: fuzz.runs, failure_persist_dir: join(folder, "fuzz") }),
    "[invariant]\n",
    toml({
      runs: invariant.runs,
      depth: invariant.depth,
      fail_on_revert: invariant.failOnRevert,
      failure_persist_dir: join(folder, "invariant"),
    }),
  ].join("");
}

/** A program for forge to call, which is npm's solc under our own Node. */
function solcProgram(): string {
  return `#!/bin/sh\nexec "${process.execPath}" "${join(import.meta.dirname, "standardJson.ts")}" "$@"\n`;
}

/** npm has no binary for some platforms, and our way to the compiler is a shell script. */
async function runsHere(): Promise<boolean> {
  if (process.platform === "win32") return false;
  const { output } = await runTool(FORGE, ["--version"]);
  return /^forge Version: /m.test(output);
}

/** Another test runner, with a fuzzer and cheatcodes of its own, asked for a second opinion. */
export const forge: Check = {
  name: "forge",
  what: "The Solidity tests once more, under Foundry (forge test)",
  isLong: true,
  async run() {
    if (!(await runsHere())) {
      const skipped = [`forge: Foundry does not run on ${process.platform} ${process.arch}`];
      return { passed: 0, failed: 0, skipped, report: "" };
    }
    const folder = mkdtempSync(join(tmpdir(), "examkey-forge-"));
    try {
      return await test(folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function test(folder: string): Promise<Tally> {
  const file = join(folder, "foundry.toml");
  writeFileSync(file, await settings(folder));
  writeFileSync(join(folder, "solc"), solcProgram(), { mode: 0o755 });
  const options = ["test", `--root=${ROOT}`, `--config-path=${file}`, "--threads=2"];
  const { output } = await runTool(FORGE, options);
  return readForge(output);
}

/** What forge printed, as counts: without a last line of counts it ended before it had tested, and that is a failure too. */
export function readForge(output: string): Tally {
  const [, passed, failed] = output.match(/: (\d+) tests passed, (\d+) failed/) ?? [];
  const counted = Number(passed) + Number(failed) > 0;
  const tally = { passed: Number(passed ?? 0), failed: counted ? Number(failed) : 1 };
  return { ...tally, skipped: [], report: tally.failed > 0 ? output : "" };
}
