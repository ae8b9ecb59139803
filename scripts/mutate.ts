import { availableParallelism } from "node:os";
import { endProgramsWithUs } from "./checks/program.ts";
import { ContractTests } from "./mutation/contractTests.ts";
import type { Mutant } from "./mutation/mutants.ts";
import {
  explanationOf,
  inWords,
  LEAST_SCORE,
  scoreOf,
  staleExplanations,
  survivorsOf,
  table,
  type Verdict,
} from "./mutation/report.ts";
import { sample } from "./mutation/sample.ts";
import { readSources, type Schema, schemaOf } from "./mutation/schema.ts";
import { type Budget, SolidityTests } from "./mutation/solidityTests.ts";
import { readArguments, runCommand, UsageError } from "./usage.ts";

const HELP = `npm run mutate -- [options]     change the contracts in one place at a time: do the tests see it?

  --file PATH     only this contract's mutants; can be given several times
  --sample N      only N of the mutants, chosen by --seed
  --seed S        another number chooses others (1)
  --solidity      judge by the Solidity tests alone
  --deep          the fuzzer tries harder
  --list          list the mutants, and run nothing`;

/** What the ledger's promises rest on. */
const MUTATED = [
  "contracts/ConsentLedger.sol",
  "contracts/AccessLog.sol",
  "contracts/EmergencyAccess.sol",
  "contracts/libraries/*.sol",
  "contracts/types/*.sol",
];

const QUICK: Budget = { fuzzRuns: 16, invariantRuns: 2, invariantDepth: 25 };
const DEEP: Budget = { fuzzRuns: 1_000, invariantRuns: 8, invariantDepth: 50 };

const SECOND = 1_000;

function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / SECOND);
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

/** Judges one mutant after the other, or a few at a time, and says every ten seconds how far it is. */
async function judgeAll(
  mutants: readonly Mutant[],
  judge: (id: number) => Promise<string | null>,
  atATime: number,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  const began = Date.now();
  let told = began;
  const tell = () => {
    told = Date.now();
    const killed = verdicts.filter(({ killedBy }) => killedBy !== null).length;
    const left = ((told - began) / verdicts.length) * (mutants.length - verdicts.length);
    console.log(
      `  ${verdicts.length} of ${mutants.length}: ${killed} killed, ${verdicts.length - killed} survived, about ${duration(left)} left`,
    );
  };
  const queue = mutants.values();
  const work = async () => {
    for (const mutant of queue) {
      verdicts.push({ mutant, killedBy: await judge(mutant.id) });
      if (Date.now() - told > 10 * SECOND) tell();
    }
  };
  await Promise.all(Array.from({ length: atATime }, work));
  if (verdicts.length > 0) tell();
  return verdicts.sort((a, b) => a.mutant.id - b.mutant.id);
}

/** The Solidity tests judge all; those in TypeScript, which are slower, judge what survived and is not explained. */
async function judge(
  chosen: readonly Mutant[],
  { solidity, contracts }: { solidity: SolidityTests; contracts: ContractTests | null },
): Promise<Verdict[]> {
  console.log(`\n${chosen.length} mutants before ${solidity.count} Solidity tests`);
  const first = await judgeAll(chosen, async (id) => (await solidity.judge(id))?.test ?? null, 1);
  const left = survivorsOf(first);
  if (left.length === 0 || contracts === null) return first;
  console.log(`\n${left.length} of them before the contract tests in TypeScript`);
  const second = await judgeAll(left, (id) => contracts.judge(id), availableParallelism());
  const killers = new Map(second.map(({ mutant, killedBy }) => [mutant.id, killedBy]));
  return first.map(({ mutant, killedBy }) => ({
    mutant,
    killedBy: killedBy ?? killers.get(mutant.id) ?? null,
  }));
}

/** Prints what became of all, and returns true when it is good enough. */
function report(verdicts: readonly Verdict[], schema: Schema, isWhole: boolean): boolean {
  console.log(`\n${table(verdicts)}`);
  for (const { mutant, why } of schema.refused) console.log(`Does not compile: ${inWords(mutant)} (${why})`);
  for (const { mutant, killedBy } of verdicts) {
    const why = killedBy === null ? explanationOf(mutant)?.why : undefined;
    if (why) console.log(`Explained: ${inWords(mutant)}\n  ${why}`);
  }
  const survivors = survivorsOf(verdicts);
  for (const mutant of survivors) console.log(`Survived: ${inWords(mutant)}`);
  const stale = isWhole ? staleExplanations(verdicts) : [];
  for (const { file, from, to } of stale)
    console.log(`Explained, but not found or killed: ${file}: ${from} → ${to}`);
  const score = scoreOf(verdicts);
  console.log(`
${(score * 100).toFixed(1)} % killed. At least ${LEAST_SCORE * 100} % have to be, and every other explained.`);
  return score >= LEAST_SCORE && survivors.length === 0 && stale.length === 0;
}

async function main(): Promise<void> {
  const { values } = readArguments({
    options: {
      file: { type: "string", multiple: true, default: [] },
      sample: { type: "string" },
      seed: { type: "string", default: "1" },
      solidity: { type: "boolean", default: false },
      deep: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  const began = Date.now();
  const mutable = [...readSources(MUTATED).keys()];
  const unknown = values.file.find((path) => !mutable.includes(path));
  if (unknown) throw new UsageError(`${unknown} is not mutated. These are: ${mutable.join(", ")}.`);
  const tests = readSources([...MUTATED, "contracts/*.sol", "test/contracts/*.t.sol"]);
  const schema = schemaOf(tests, values.file.length > 0 ? values.file : mutable);
  const chosen =
    values.sample === undefined ? schema.mutants : sample(schema.mutants, Number(values.sample), values.seed);
  if (values.list) return console.log(chosen.map(inWords).join("\n"));
  const isWhole = chosen === schema.mutants && values.file.length === 0;
  console.log(
    `${schema.mutants.length} mutants; compiling the tests, which takes minutes, once for all of them`,
  );
  const solidity = await SolidityTests.open(schema.sources, values.deep ? DEEP : QUICK);
  const contracts = values.solidity ? null : await ContractTests.open(schema.sources);
  const verdicts = await judge(chosen, { solidity, contracts }).finally(() => contracts?.close());
  if (!report(verdicts, schema, isWhole)) process.exitCode = 1;
  console.log(`Took ${duration(Date.now() - began)}.`);
}

endProgramsWithUs();
await runCommand(main);
