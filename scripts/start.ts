import { endPrograms } from "./checks/program.ts";
import { ChildFailure } from "./demo/children.ts";
import { NothingToServe } from "./demo/enrolment.ts";
import { HELP, readOptions, type StartOptions } from "./demo/options.ts";
import type { Player } from "./demo/players.ts";
import type { Closers, World } from "./demo/world.ts";
import { count } from "./desk.ts";
import { UsageError } from "./usage.ts";

const RULE = "─".repeat(72);

function describe({ kind, name, role, exams, address, isOwnWallet }: Player): string {
  const who = isOwnWallet ? address : name.padEnd(18);
  return `${who} ${kind === "patient" ? count(exams, "exam") : role}`;
}

function summary({ url, rpcUrl, players }: World, { dataDir }: StartOptions): string {
  const of = (kind: Player["kind"]) => players.filter((player) => player.kind === kind).map(describe);
  const entry = (title: string, lines: string[]) =>
    lines.map((line, index) => `  ${(index === 0 ? title : "").padEnd(14)}${line}`);
  return [
    RULE,
    `  ExamKey is ready: ${url}`,
    "",
    ...entry("Patients", of("patient")),
    ...entry("Radiologists", of("practitioner")),
    ...entry("Gateway", [`${url}  (DICOMweb at ${url}/dicomweb)`]),
    ...entry("Chain", [`${rpcUrl}  (chain id 31337)`]),
    ...entry("Data", [dataDir]),
    "",
    "  Ctrl-C ends it.",
    RULE,
  ].join("\n");
}

/** What is the person's to mend is said in one line; anything else shows its trace when asked for. */
function lineOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (process.env.DEBUG) return error.stack ?? error.message;
  if (error instanceof UsageError || error instanceof ChildFailure || error instanceof NothingToServe)
    return error.message;
  return `ExamKey could not start: ${error.message}`;
}

async function start(options: StartOptions): Promise<void> {
  const closers: Closers = [];
  const abort = new AbortController();
  let ending: Promise<never> | undefined;

  /** Ends everything once, however often it is asked to. */
  const end = (code: number, why: string): Promise<never> => {
    ending ??= (async () => {
      (code === 0 ? console.log : console.error)(`\n${why}`);
      abort.abort();
      endPrograms();
      for (const close of closers.reverse()) await close().catch(() => undefined);
      process.exit(code);
    })();
    return ending;
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => void end(0, "Ending …"));
  }
  try {
    // Imported late: Hardhat takes a second to load, and a mistyped option should not wait for it.
    const { startWorld } = await import("./demo/world.ts");
    const world = await startWorld(options, closers, abort.signal);
    console.log(`\n${summary(world, options)}`);
    const how = await world.gateway.ended;
    await end(
      1,
      `The gateway ended by itself (${how}); see ${options.dataDir}/gateway.log. Ending the rest …`,
    );
  } catch (error) {
    await end(1, lineOf(error));
  }
}

try {
  const options = readOptions();
  if (options === null) console.log(HELP);
  else await start(options);
} catch (error) {
  console.error(lineOf(error));
  process.exitCode = 2;
}
