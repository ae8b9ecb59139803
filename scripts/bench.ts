/** `npm run bench -- <what>`: each benchmark is a file of `scripts/bench/`. */
import { UsageError } from "./usage.ts";

/** A benchmark: what its command line takes, and the run. */
interface Benchmark {
  HELP: string;
  /** @throws {UsageError} for arguments that it does not take */
  bench(args: string[]): Promise<void>;
}

/** Loaded when asked for: the one brings a browser along, the other a chain. */
const BENCHMARKS: Record<string, () => Promise<Benchmark>> = {
  decision: () => import("./bench/decision.ts"),
  gas: () => import("./bench/gas.ts"),
  gateway: () => import("./bench/gateway.ts"),
  revoke: () => import("./bench/revoke.ts"),
  viewer: () => import("./bench/viewer.ts"),
};

async function help(): Promise<string> {
  const all = await Promise.all(Object.values(BENCHMARKS).map((load) => load()));
  return all.map(({ HELP }) => HELP).join("\n\n");
}

async function main([what, ...args]: string[]): Promise<void> {
  if (what === undefined || what === "--help" || what === "-h") return console.log(await help());
  const load = Object.hasOwn(BENCHMARKS, what) ? BENCHMARKS[what] : undefined;
  if (!load) {
    throw new UsageError(
      `There is no benchmark "${what}". There are: ${Object.keys(BENCHMARKS).join(", ")}.`,
    );
  }
  const { HELP, bench } = await load();
  if (args.includes("--help") || args.includes("-h")) return console.log(HELP);
  await bench(args);
}

try {
  await main(process.argv.slice(2));
  process.exit();
} catch (error) {
  console.error(error instanceof UsageError ? error.message : error);
  process.exit(1);
}
