/** What ExamKey takes and adds before an archive, beside the archive alone and what people would put before it instead. */
import { existsSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join, resolve } from "node:path";
import { findOrthanc } from "../../test/orthanc.ts";
import { findPostgres } from "../../test/postgres.ts";
import { ROOT } from "../checks/program.ts";
import { CALLED_FROM, readArguments, UsageError } from "../usage.ts";
import { hasWrk, type Run, run } from "./gateway/load.ts";
import { mostResident } from "./gateway/memory.ts";
import { hasNginx } from "./gateway/nginx.ts";
import { type Contender, openStage, type Stage } from "./gateway/stage.ts";

export const HELP = `npm run bench -- gateway [options]    frames and metadata through ExamKey, through nginx, and from Orthanc itself

  --dicom DIR       folder with one patient's exam (../shared/dicom/ct-head)
  --rounds N        how often each takes its turn (5)
  --seconds N       how long a turn is (8)
  --connections N   how many readers at a time (8)`;

type Options = { dicom: string; rounds: number; seconds: number; connections: number };

/** What is asked for: a path below an instance's, what is accepted, and how much of it an answer holds. */
type Kind = { name: string; suffix: string; accept: string; amountIn(body: Buffer): number };

const FRAMES: Kind = {
  name: "frames",
  suffix: "/frames/1",
  accept: 'multipart/related; type="application/octet-stream"; transfer-syntax=*',
  amountIn: (body) => body.length,
};
const METADATA: Kind = {
  name: "metadata of an instance",
  suffix: "/metadata",
  accept: "application/dicom+json",
  // Orthanc writes its JSON with blanks, so that attributes are counted.
  amountIn: (body) => Object.keys(JSON.parse(body.toString())[0]).length,
};

/** Least ratios of throughputs. */
const LEAST = { nginx: 1, orthanc: 1.5 };

/** What a contender did in its turns, and the most bytes that it held. */
type Tally = { contender: Contender; runs: Run[]; memory: number };

/** Each contender takes its turn in each round, so that what else the machine does falls on all alike. */
async function compare(kind: Kind, { instances }: Stage, contenders: Contender[], options: Options) {
  const paths = instances.map((instance) => `${instance}${kind.suffix}`);
  const turn = async ({ origin, root, authorization, pids }: Contender, seconds: number) => {
    const headers = { accept: kind.accept, authorization: await authorization() };
    const load = { origin, headers, seconds, paths: paths.map((path) => `${root}${path}`) };
    return mostResident(pids, () => run({ ...load, connections: options.connections }));
  };
  const tallies = contenders.map((contender): Tally => ({ contender, runs: [], memory: 0 }));
  // Warm: everything that is kept is kept, and compiled code is compiled.
  for (const { contender } of tallies) await turn(contender, 2);
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const tally of tallies) {
      const { result, most } = await turn(tally.contender, options.seconds);
      tally.runs.push(result);
      tally.memory = Math.max(tally.memory, most);
    }
    const rates = tallies.map(({ runs }) => runs.at(-1)?.perSecond.toFixed(0));
    console.error(`  ${kind.name}, round ${round}: ${rates.join(", ")} a second`);
  }
  return tallies;
}

/** All give as much: else one that gives less would be the fastest. */
async function requireSame(kind: Kind, { instances }: Stage, contenders: Contender[]): Promise<void> {
  const amounts: number[] = [];
  for (const { origin, root, authorization } of contenders) {
    const headers = { accept: kind.accept, authorization: await authorization() };
    const answer = await fetch(`${origin}${root}${instances[0]}${kind.suffix}`, { headers });
    amounts.push(kind.amountIn(Buffer.from(await answer.arrayBuffer())));
  }
  const [first = 0, ...others] = amounts;
  // Boundaries and part headers differ a little.
  if (others.some((amount) => Math.abs(amount - first) > 0.02 * first))
    throw new Error(`Not the same ${kind.name} from all: ${amounts.join(", ")}.`);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

/** Of all rounds: the median round's, since one that something else disturbed says nothing. */
function rate({ runs }: Tally): number {
  return median(runs.map(({ perSecond }) => perSecond));
}

function table(kind: Kind, tallies: readonly Tally[]): string {
  const head = `${kind.name.padEnd(26)}${"a second".padStart(10)}${"MB/s".padStart(8)}${"p50 ms".padStart(9)}${"p99 ms".padStart(9)}${"memory MB".padStart(11)}`;
  const lines = tallies.map((tally) => {
    const of = (what: keyof Run) => median(tally.runs.map((each) => each[what]));
    const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
    return [
      `  ${tally.contender.name}`.padEnd(26),
      rate(tally).toFixed(0).padStart(10),
      megabytes(of("bytesPerSecond")).padStart(8),
      of("p50").toFixed(1).padStart(9),
      of("p99").toFixed(1).padStart(9),
      (tally.memory === 0 ? "" : megabytes(tally.memory)).padStart(11),
    ].join("");
  });
  return [head, ...lines].join("\n");
}

/** A ratio of two, each round's by itself. */
function ratio(what: string, [one, other]: [Tally, Tally], least: number): boolean {
  const each = one.runs.map(({ perSecond }, round) => perSecond / (other.runs[round]?.perSecond ?? 0));
  const found = median(each);
  const range = `${Math.min(...each).toFixed(2)} to ${Math.max(...each).toFixed(2)}`;
  const verdict = found >= least ? "pass" : "FAIL";
  console.log(`  ${what.padEnd(48)} ${found.toFixed(2)} (${range}), at least ${least}: ${verdict}`);
  return found >= least;
}

async function benchGateway(options: Options): Promise<boolean> {
  const stage = await openStage(options.dicom);
  try {
    const { orthanc, nginx, gateway, caching } = stage;
    await requireSame(FRAMES, stage, [orthanc, nginx, gateway, caching]);
    await requireSame(METADATA, stage, [orthanc, nginx, gateway]);
    const frames = await compare(FRAMES, stage, [orthanc, nginx, gateway, caching], options);
    const metadata = await compare(METADATA, stage, [orthanc, nginx, gateway], options);
    const { rounds, seconds, connections } = options;
    console.log(
      `\n${connections} connections, ${rounds} rounds of ${seconds} s for each, the median round; ${cpus().length} cores for all; load ${loadavg()[0]?.toFixed(1)}\n`,
    );
    console.log(`${table(FRAMES, frames)}\n\n${table(METADATA, metadata)}\n`);
    const [alone, before, through, cached] = frames as [Tally, Tally, Tally, Tally];
    const [, metadataBefore, metadataThrough] = metadata as [Tally, Tally, Tally];
    const held = [
      ratio("frames, ExamKey to nginx auth_request", [through, before], LEAST.nginx),
      ratio("metadata, ExamKey to nginx auth_request", [metadataThrough, metadataBefore], LEAST.nginx),
      ratio("frames, ExamKey with its cache to Orthanc alone", [cached, alone], LEAST.orthanc),
    ];
    return held.every(Boolean);
  } finally {
    await stage.close();
  }
}

function requireParts(): void {
  const missing = [
    !findOrthanc() && "orthanc orthanc-dicomweb",
    !findPostgres() && "postgresql",
    !hasNginx() && "nginx",
    !hasWrk() && "wrk",
  ].filter(Boolean);
  if (missing.length > 0)
    throw new UsageError(`This needs more of Debian's packages: apt-get install ${missing.join(" ")}`);
}

/** Measures with parts of its own, and prints. Leaves with 1 if a ratio does not hold. @throws {UsageError} */
export async function bench(args: string[]): Promise<void> {
  const { values } = readArguments({
    args,
    options: {
      dicom: { type: "string" },
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "8" },
      connections: { type: "string", default: "8" },
    },
  });
  const number = (name: "rounds" | "seconds" | "connections") => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < 1)
      throw new UsageError(`--${name}: "${values[name]}" is not a number of ${name}.`);
    return value;
  };
  const dicom = values.dicom
    ? resolve(CALLED_FROM, values.dicom)
    : join(ROOT, "..", "shared", "dicom", "ct-head");
  if (!existsSync(dicom)) throw new UsageError(`There is no folder ${dicom}. Name one with --dicom DIR.`);
  requireParts();
  const options = {
    rounds: number("rounds"),
    seconds: number("seconds"),
    connections: number("connections"),
  };
  if (!(await benchGateway({ dicom, ...options }))) process.exitCode = 1;
}
