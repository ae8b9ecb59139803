import { join } from "node:path";
import { CHECKS, type Check, inOrder, PROJECTS, type Tally, vitest } from "./checks/checks.ts";
import { fetchPackages } from "./checks/packages.ts";
import { endPrograms, endProgramsWithUs, ROOT } from "./checks/program.ts";
import { readArguments, runCommand, UsageError } from "./usage.ts";

const HELP = `npm test                        check everything
npm test -- --only gateway,app  some parts alone
npm test -- test/gateway/auth   the test files whose paths contain this
npm run test:deep               the same with larger budgets, and what is too long for every day: hours
npm run test:soak               a study of 1 GB and 200 readers, which are small every day: minutes

Parts:
${CHECKS.map(({ name, what, isLong }) => `  ${name.padEnd(10)} ${what}${isLong ? "; long" : ""}`).join("\n")}
${PROJECTS.map((name) => `  ${name.padEnd(10)} Vitest over test/${name}`).join("\n")}`;

/** The checks that the arguments ask for, in the order of beginning. */
function chosen(only: string[], filters: string[], isDeep: boolean): Check[] {
  const projects = PROJECTS.filter((name) => only.length === 0 || only.includes(name));
  const all = only.length === 0 && filters.length === 0;
  const tests = filters.length > 0 || projects.length > 0 ? [vitest(projects, filters)] : [];
  const named = CHECKS.filter(({ name, isLong }) => (all && (isDeep || !isLong)) || only.includes(name));
  const needsBuild = [...named, ...tests].some(({ needs = [] }) => needs.includes("build"));
  const needsApp = only.includes("app") || only.includes("e2e");
  const isNeeded = ({ name }: Check) =>
    (name === "build" && needsBuild) || (name === "app-build" && needsApp);
  return inOrder((check) => named.includes(check) || isNeeded(check), tests);
}

/** Most checks keep one core busy: so many run at a time. */
const LANES = 2;

async function runAll(checks: Check[]): Promise<Tally> {
  const total: Tally = { passed: 0, failed: 0, skipped: [], report: "" };
  const waiting = [...checks];
  const begun = new Map<string, Promise<void>>();
  async function lane() {
    for (let check = waiting.shift(); check; check = waiting.shift()) {
      await Promise.all((check.needs ?? []).map((name) => begun.get(name)));
      const run = runOne(check, total);
      begun.set(check.name, run);
      await run;
    }
  }
  try {
    await Promise.all(Array.from({ length: LANES }, lane));
    return total;
  } finally {
    // Where one lane broke, the other's program is not left behind.
    endPrograms();
  }
}

/** Runs a check, says what it found, all at once since another may be running, and adds it to the total. */
async function runOne({ what, run }: Check, total: Tally): Promise<void> {
  console.log(`── ${what} …`);
  const began = Date.now();
  const tally = await run();
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  const report = tally.report ? `\n── ${what}\n${tally.report.trim()}\n` : "";
  console.log(`${report}${tally.failed > 0 ? "✗" : "✓"} ${what}: ${seconds} s`);
  total.passed += tally.passed;
  total.failed += tally.failed;
  total.skipped.push(...tally.skipped);
  if (tally.failed > 0) total.report += `  ${what}: ${tally.failed}\n`;
}

async function main() {
  const { values, positionals } = readArguments({
    allowPositionals: true,
    options: {
      only: { type: "string", multiple: true, default: [] },
      deep: { type: "boolean", default: false },
      soak: { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  if (values.deep) process.env.EXAMKEY_DEEP = "1";
  // Workers, and the commands that tests run, are processes that load the same modules: Node keeps them compiled.
  process.env.NODE_COMPILE_CACHE ??= join(ROOT, "node_modules", ".cache", "examkey", "compiled");
  if (values.soak) process.env.EXAMKEY_SOAK = "1";
  const only = values.soak ? ["gateway"] : values.only.flatMap((names) => names.split(","));
  const filters = values.soak ? ["test/gateway/soak/"] : positionals;
  const known = [...CHECKS.map(({ name }) => name), ...PROJECTS];
  const unknown = only.filter((name) => !known.includes(name as (typeof known)[number]));
  if (unknown.length > 0)
    throw new UsageError(`There is no part "${unknown[0]}". There are: ${known.join(", ")}.`);

  const checks = chosen(only, filters, values.deep);
  const why = await fetchPackages();
  if (why !== null) console.log(why);
  const total = await runAll(checks);
  // A machine of CI must run everything: what it could not install is a failure there, not a reason to skip.
  if (why !== null && process.env.CI) {
    total.failed += 1;
    total.report += "  Tools that tests need: could not be installed\n";
  }
  if (total.skipped.length > 0)
    console.log(`\nSkipped:\n${total.skipped.map((name) => `  ${name}`).join("\n")}`);
  if (total.failed > 0) console.log(`\nFailed, see above:\n${total.report.trimEnd()}`);
  const skipped = total.skipped.length > 0 ? `, ${total.skipped.length} skipped` : "";
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
  console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
}

endProgramsWithUs();
await runCommand(main);
