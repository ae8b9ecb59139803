import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { forge } from "./forge.ts";
import { missingPackages } from "./packages.ts";
import { type Outcome, ROOT, runProgram, runTool } from "./program.ts";

/** What one check found: counts, the names of what was skipped, and what to show of a failure. */
export interface Tally {
  passed: number;
  failed: number;
  skipped: string[];
  report: string;
}

/** A check that passes or fails as a whole. */
export interface Check {
  name: string;
  what: string;
  /** Too long for every day: it runs where it is named, and in `npm run test:deep`. */
  isLong?: true;
  /** Names of checks that it waits for, where they run at all. */
  needs?: readonly string[];
  run(): Promise<Tally>;
}

/** The Vitest projects of test/vitest.config.ts. */
export const PROJECTS = ["house", "protocol", "contracts", "gateway", "app", "e2e"] as const;

function asOne({ code, output }: Outcome): Tally {
  return {
    passed: code === 0 ? 1 : 0,
    failed: code === 0 ? 0 : 1,
    skipped: [],
    report: code === 0 ? "" : output,
  };
}

/** Paths of Solidity files, from the project's root. */
function solidityFiles(room: string): string[] {
  return globSync(`${room}/**/*.sol`, { cwd: ROOT });
}

/** Tests need no NatSpec, so they have settings of their own. */
function solhint(room: string, settings: string): Promise<Outcome> {
  const options = ["--disc", "--noPoster", "--max-warnings=0", `--config=${settings}`];
  return runTool("solhint/solhint.js", [...options, ...solidityFiles(room)]);
}

const types: Check = {
  name: "types",
  what: "TypeScript (tsc --noEmit)",
  run: async () => asOne(await runTool("typescript/bin/tsc", ["--noEmit"])),
};

const lint: Check = {
  name: "lint",
  what: "TypeScript lint and format (biome)",
  run: async () =>
    asOne(
      await runTool("@biomejs/biome/bin/biome", [
        "ci",
        "--error-on-warnings",
        "--colors=off",
        "--max-diagnostics=50",
        ".",
      ]),
    ),
};

const style: Check = {
  name: "style",
  what: "Solidity lint and format (solhint, prettier)",
  async run() {
    const files = [...solidityFiles("contracts"), ...solidityFiles("test")];
    const all = [
      asOne(await runTool("prettier/bin/prettier.cjs", ["--check", ...files])),
      asOne(await solhint("contracts", ".solhint.json")),
      asOne(await solhint("test", "test/.solhint.json")),
    ];
    return {
      passed: all.filter(({ failed }) => failed === 0).length,
      failed: all.filter(({ failed }) => failed === 1).length,
      skipped: [],
      report: all.map(({ report }) => report).join(""),
    };
  },
};

const build: Check = {
  name: "build",
  what: "Contracts compile (hardhat build)",
  run: async () => asOne(await runTool("hardhat/dist/src/cli.js", ["build"])),
};

const app: Check = {
  name: "app-build",
  what: "The app builds, with and without the demo's wallet (vite build)",
  async run() {
    const { buildApp } = await import("../demo/build.ts");
    const failures: string[] = [];
    for (const mode of ["production", "demo"] as const) {
      await buildApp(mode).catch((error: Error) => failures.push(error.message));
    }
    return { passed: 2 - failures.length, failed: failures.length, skipped: [], report: failures.join("\n") };
  },
};

/** Hardhat prints its counts as `12 passing`, `1 failing`, `3 skipped`. */
function countIn(output: string, word: string): number {
  return Number(output.match(new RegExp(`^\\s*(\\d+) ${word}`, "m"))?.[1] ?? 0);
}

const solidity: Check = {
  name: "solidity",
  what: "Solidity unit, fuzz and invariant tests (hardhat test solidity)",
  needs: ["build"],
  async run() {
    // Compiling once more, it would rewrite the compiler's cache while tests beside it do the same.
    const args = ["test", "solidity", "--no-compile"];
    const { code, output } = await runTool("hardhat/dist/src/cli.js", args, {
      env: { NO_COLOR: "1", FORCE_COLOR: "0" },
    });
    const passed = countIn(output, "passing");
    const failed = countIn(output, "failing");
    const skipped = [...output.matchAll(/^\s+- (.+)$/gm)].map(([, name]) => `solidity: ${name}`);
    const broke = (code !== 0 && failed === 0) || passed + failed === 0;
    return {
      passed,
      failed: broke ? failed + 1 : failed,
      skipped,
      report: broke ? `${output}\nThe Solidity tests did not run.` : output,
    };
  },
};

/** The rows of Hardhat's coverage table that are not complete: file, lines and statements in per cent. */
function uncovered(table: string): string[] {
  const rows = [...table.matchAll(/^║ (contracts\/\S+) +│ ([\d.]+) +│ ([\d.]+) +│ (.*) ║$/gm)];
  if (rows.length === 0) return ["No coverage was reported."];
  return rows
    .filter(([, , lines, statements]) => lines !== "100.00" || statements !== "100.00")
    .map(
      ([, file, lines, statements, where]) =>
        `${file}: ${lines} % of lines, ${statements} % of statements; ${where}`,
    );
}

/** On an instrumented build, so it comes beside the tests and not in their place; the unit tests alone have to reach everything. */
const coverage: Check = {
  name: "coverage",
  what: "Solidity coverage: every line and statement (hardhat test solidity --coverage)",
  async run() {
    const args = ["test", "solidity", "--coverage", "--grep", "test_"];
    const { code, output } = await runTool("hardhat/dist/src/cli.js", args, {
      env: { NO_COLOR: "1", FORCE_COLOR: "0", EXAMKEY_COVERAGE: "1" },
    });
    const missing = uncovered(output);
    return asOne({
      code: code === 0 && missing.length === 0 ? 0 : 1,
      output: code === 0 ? missing.join("\n") : output,
    });
  },
};

/** z3 counts by the clock, and shares the machine with tests here. */
const PATIENT = "120";

const proofs: Check = {
  name: "prove",
  what: "Proofs of the ledger's properties (npm run prove)",
  async run() {
    if (missingPackages().includes("z3"))
      return { passed: 0, failed: 0, skipped: ["prove: z3 is not installed"], report: "" };
    const { code, output } = await runProgram(process.execPath, ["scripts/prove.ts", "--seconds", PATIENT]);
    const [, proved, failed] = output.match(/^(\d+) proved, (\d+) not$/m) ?? [];
    const broke = code !== 0 && !Number(failed);
    return {
      passed: Number(proved ?? 0),
      failed: broke ? 1 : Number(failed ?? 0),
      skipped: [],
      report: code === 0 ? "" : output,
    };
  },
};

const mutation: Check = {
  name: "mutate",
  what: "The tests notice contracts that were broken on purpose (npm run mutate)",
  isLong: true,
  run: async () => asOne(await runProgram(process.execPath, ["scripts/mutate.ts"], { live: true })),
};

/** The part of Vitest's JSON report that is read here. */
interface VitestReport {
  testResults: {
    name: string;
    status: string;
    message?: string;
    assertionResults: { fullName: string; status: string }[];
  }[];
}

/** Runs Vitest over some projects, or over the test files whose paths contain one of `filters`. */
export function vitest(projects: readonly string[], filters: string[]): Check {
  return {
    name: projects.join(","),
    what: `Vitest: ${filters.length > 0 ? filters.join(", ") : projects.join(", ")}`,
    needs: ["build", "app-build"],
    async run() {
      const folder = mkdtempSync(join(tmpdir(), "examkey-test-"));
      const reportFile = join(folder, "vitest.json");
      try {
        const { code } = await runTool(
          "vitest/vitest.mjs",
          [
            "run",
            "--config=test/vitest.config.ts",
            ...projects.map((project) => `--project=${project}`),
            "--reporter=default",
            "--reporter=json",
            `--outputFile.json=${reportFile}`,
            ...filters,
          ],
          { live: true },
        );
        return readVitest(code, reportFile);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

function readVitest(code: number | null, reportFile: string): Tally {
  const tally: Tally = { passed: 0, failed: 0, skipped: [], report: "" };
  let report: VitestReport = { testResults: [] };
  try {
    report = JSON.parse(readFileSync(reportFile, "utf8"));
  } catch {
    tally.report = "Vitest ended before it reported.";
  }
  for (const file of report.testResults) {
    for (const { status, fullName } of file.assertionResults) {
      if (status === "passed") tally.passed += 1;
      else if (status === "failed") tally.failed += 1;
      else tally.skipped.push(fullName);
    }
    const brokeOutsideTests =
      file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed");
    if (brokeOutsideTests) tally.failed += 1;
  }
  // An error that belongs to no test (an unhandled rejection, say) shows in the exit code alone.
  if (code !== 0 && tally.failed === 0) tally.failed = 1;
  return tally;
}

/** What others wait for first, and then what soon tells of a mistake. */
const FIRST: readonly Check[] = [build, types, lint, style, app, proofs];

/** One after the other beside Vitest, which takes longest. */
const BESIDE_VITEST: readonly Check[] = [solidity, coverage, forge, mutation];

/** Everything but Vitest. */
export const CHECKS: readonly Check[] = [...FIRST, ...BESIDE_VITEST];

/** The checks that are chosen, in the order of beginning. */
export function inOrder(isChosen: (check: Check) => boolean, tests: readonly Check[]): Check[] {
  return [...FIRST.filter(isChosen), ...tests, ...BESIDE_VITEST.filter(isChosen)];
}
