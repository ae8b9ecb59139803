import { type Finding, type Proof, prove, unreachable } from "./prove/proof.ts";
import { z3Version } from "./prove/z3.ts";
import { readArguments, runCommand, UsageError } from "./usage.ts";

const PROOFS: readonly Proof[] = [
  { name: "SlotsProof", engine: "bmc", what: "the packed words of contracts/types/" },
  { name: "JudgementProof", engine: "bmc", what: "judge, of contracts/libraries/Judgement.sol" },
  { name: "WalkProof", engine: "chc", what: "the walk of check over the slots (a model)" },
  { name: "SlotProof", engine: "chc", what: "a grant's life, and signatures (a model)" },
  { name: "ExamProof", engine: "chc", what: "a pointer's life, and hand-overs (a model)" },
  { name: "AnchorsProof", engine: "chc", what: "anchors, and the way up a tree (a model)" },
  { name: "EmergencyProof", engine: "chc", what: "emergencies (a model)" },
];

const HELP = `npm run prove [-- options] [proof …]    prove the contracts with the compiler's SMTChecker and z3

  --seconds N    how long z3 may think about one query, in each of several ways (20)
  --quick        do not check that the end of each proof can be reached

Proofs, in test/proofs/:
${PROOFS.map(({ name, what }) => `  ${name.padEnd(15)} ${what}`).join("\n")}

test/contracts/ has a test for each model that it does what the contract does.`;

/** Debian's z3 is what this is tried with. */
const NO_Z3 = `z3 was not found. It is what proves:
  Debian, Ubuntu: sudo apt-get install --no-install-recommends z3
  macOS: brew install z3`;

function print(findings: Finding[]): void {
  for (const { line, text, verdict, detail } of findings) {
    console.log(`  ${verdict === "proved" ? "✓" : "✗"} ${String(line).padStart(3)}  ${text}`);
    if (verdict !== "proved") console.log(`${verdict}\n${detail}\n`.replace(/^/gm, "         ").trimEnd());
  }
}

/** Proves one proof, prints what came of it, and returns how much was proved and how much was not. */
function run(proof: Proof, seconds: number, quick: boolean): { proved: number; failed: number } {
  console.log(`\n${proof.name}: ${proof.what}`);
  const began = Date.now();
  const findings = prove(proof, seconds).sort((a, b) => a.line - b.line);
  print(findings);
  const ends = quick ? [] : prove(proof, seconds, unreachable);
  const reached = ends.filter(({ text }) => text === "assert(false)");
  const vacuous = reached.filter(({ verdict }) => verdict !== "refuted");
  for (const { line } of vacuous) console.log(`  ✗ ${line}: nothing is known to reach this end of a proof`);
  const proved = findings.filter(({ verdict }) => verdict === "proved").length;
  console.log(`  ${proved} of ${findings.length} proved, in ${((Date.now() - began) / 1000).toFixed(1)} s`);
  const empty = findings.length === 0 || (!quick && reached.length === 0) ? 1 : 0;
  return { proved, failed: findings.length - proved + vacuous.length + empty };
}

function main(): void {
  const { values, positionals } = readArguments({
    allowPositionals: true,
    options: {
      seconds: { type: "string", default: "20" },
      quick: { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const seconds = Number(values.seconds);
  if (!Number.isInteger(seconds) || seconds < 1)
    throw new UsageError(`--seconds: "${values.seconds}" is not a number of seconds.`);
  const unknown = positionals.find((name) => !PROOFS.some((proof) => proof.name === name));
  if (unknown !== undefined) throw new UsageError(`There is no proof "${unknown}". \`--help\` lists them.`);
  const version = z3Version();
  if (version === null) throw new UsageError(NO_Z3);

  console.log(version);
  const total = { proved: 0, failed: 0 };
  for (const proof of PROOFS) {
    if (positionals.length > 0 && !positionals.includes(proof.name)) continue;
    const { proved, failed } = run(proof, seconds, values.quick);
    total.proved += proved;
    total.failed += failed;
  }
  console.log(`\n${total.proved} proved, ${total.failed} not`);
  process.exitCode = total.failed === 0 ? 0 : 1;
}

await runCommand(main);
