/** The decision alone, in process: what the gateway asks itself before each answer, with few grants in the ledger and with very many. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { granteeOf } from "../../protocol/ids.ts";
import { packTerms } from "../../protocol/terms.ts";
import { type AskedSeries, type OwnDecisions, ownDecisions } from "../../test/gateway/ownDecisions.ts";
import { MADE_PATIENT_ID, madeSample } from "../../test/madeSample.ts";
import { findPostgres, startPostgres } from "../../test/postgres.ts";
import { SAMPLE_FOLDERS, SAMPLE_PATIENTS, until, World } from "../../test/world.ts";
import { readArguments, UsageError } from "../usage.ts";
import { fill, MOST_GAS } from "./filling.ts";

export const HELP = `npm run bench -- decision [options]   the decision alone, with ten exams and with very many grants in the ledger

  --grants N      how many grants to write before it is measured again (1000000, which takes many minutes and some GB)`;

/** Milliseconds that 99 of 100 decisions stay under. */
const LIMIT = 0.2;

/** How many times as long the median decision may take among very many grants: what a busy machine makes of the same. */
const MOST_GROWTH = 1.5;

/** Decisions of one round, after as many that nobody times. */
const DECISIONS = 20_000;
const ROUNDS = 5;

const EXAMS = 10;

/** Milliseconds: those of the median round, and the most of all. */
type Times = { p50: number; p99: number; most: number };

/** What ends when the benchmark does, in opposite order. */
type Closers = (() => Promise<unknown>)[];

/** A ledger with ten exams that are granted to a reader, and what a gateway decides with. */
type Stage = { world: World; decisions: OwnDecisions; series: AskedSeries[] };

async function openStage(closers: Closers): Promise<Stage> {
  const postgres = await startPostgres();
  closers.push(() => postgres.close());
  const folder = await mkdtemp(join(tmpdir(), "examkey-decision-"));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  // The sample itself is the study 2.
  for (const study of [1, 3, 4, 5, 6, 7, 8, 9])
    await writeFile(join(folder, `${study}.dcm`), await madeSample({ study }));
  const environment = {
    DATABASE_URL: postgres.url,
    DICOM_DIRS: [...SAMPLE_FOLDERS, folder].join(delimiter),
    HEAD_POLL_MS: "250",
  };
  const world = await World.open({ environment });
  closers.push(() => world.close());
  for (const patientId of [MADE_PATIENT_ID, SAMPLE_PATIENTS.brain]) await world.enrol(patientId, "patient");
  const exams = await world.examsOf("patient");
  if (exams.length !== EXAMS) throw new Error(`${exams.length} exams were enrolled, not ${EXAMS}.`);
  await world.stopGateway();
  await grant(
    world,
    exams.map(({ examId }) => examId),
  );
  const decisions = await ownDecisions(world.environment);
  closers.push(() => decisions.close());
  return {
    world,
    decisions,
    series: exams.map(({ studyInstanceUid, series: [first] }) => ({
      studyInstanceUid,
      seriesInstanceUid: first?.seriesInstanceUid ?? "",
    })),
  };
}

/** All of these to the one reader, by the patient whose exams are decided on: nothing else can be nearer to them. */
async function grant(world: World, resources: string[]): Promise<void> {
  const { patient, reader } = world.people;
  const terms = packTerms(world.terms());
  const parameters = [patient.address, resources, granteeOf(reader.address), terms, { gasLimit: MOST_GAS }];
  await world.act("patient", "grantBatch", parameters);
}

/** Milliseconds of each decision of a round, the exams in turn. What else the process does comes between them, as in a gateway. */
async function round({ world, decisions, series }: Stage): Promise<number[]> {
  const times: number[] = [];
  const { address } = world.people.reader;
  for (let index = 0; index < DECISIONS; index += 1) {
    await nextTurn();
    const asked = series[index % series.length] as AskedSeries;
    const began = performance.now();
    const { reason } = await decisions.decide(address, asked);
    times.push(performance.now() - began);
    if (reason !== "permitted") throw new Error(`It was decided otherwise: ${reason}`);
  }
  return times.sort((a, b) => a - b);
}

async function measure(stage: Stage): Promise<Times> {
  await round(stage);
  const rounds: number[][] = [];
  for (let count = 0; count < ROUNDS; count += 1) rounds.push(await round(stage));
  const at = (share: number) => median(rounds.map((times) => times[Math.floor(times.length * share)] ?? 0));
  return { p50: at(0.5), p99: at(0.99), most: Math.max(...rounds.map((times) => times.at(-1) ?? 0)) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

/** Grant until there are as many, and until they are followed. */
async function fillUp({ world, decisions }: Stage, grants: number): Promise<void> {
  console.error(`Writing ${grants.toLocaleString("en-US")} grants …`);
  await fill(
    EXAMS,
    grants,
    (resources) => grant(world, resources),
    async (written) => {
      await decisions.catchUp();
      console.error(`  ${written.toLocaleString("en-US")}`);
    },
  );
  await until("all grants are followed", async () => {
    await decisions.catchUp();
    return (await decisions.events()) >= grants;
  });
}

function line(grants: number, { p50, p99, most }: Times): string {
  const cell = (milliseconds: number) => milliseconds.toFixed(4).padStart(10);
  return `${grants.toLocaleString("en-US").padStart(10)} ${cell(p50)} ${cell(p99)} ${cell(most)}`;
}

/** Measures with a chain and a database of its own, and prints. Leaves with 1 if a limit does not hold. @throws {UsageError} */
export async function bench(args: string[]): Promise<void> {
  const { values } = readArguments({ args, options: { grants: { type: "string", default: "1000000" } } });
  const grants = Number(values.grants);
  if (!Number.isSafeInteger(grants) || grants <= EXAMS)
    throw new UsageError(`--grants: "${values.grants}" is not a number of grants above ${EXAMS}.`);
  if (!findPostgres())
    throw new UsageError("This needs one more of Debian's packages: apt-get install postgresql");
  const closers: Closers = [];
  try {
    const stage = await openStage(closers);
    const few = await measure(stage);
    await fillUp(stage, grants);
    const many = await measure(stage);
    report({ few, many, grants });
  } finally {
    for (const closer of closers.reverse()) await closer();
  }
}

function report({ few, many, grants }: { few: Times; many: Times; grants: number }): void {
  console.log(
    `\nWarm decisions on ${EXAMS} exams, ${ROUNDS} rounds of ${DECISIONS.toLocaleString("en-US")}, milliseconds; ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}\n`,
  );
  console.log(`    grants        p50        p99       most\n${line(EXAMS, few)}\n${line(grants, many)}\n`);
  const isQuick = [few, many].every(({ p99 }) => p99 < LIMIT);
  const growth = many.p50 / few.p50;
  const verdict = (holds: boolean) => (holds ? "pass" : "FAIL");
  console.log(`  p99 of both, under ${LIMIT} ms: ${verdict(isQuick)}`);
  console.log(
    `  p50, many to few: ${growth.toFixed(2)}, at most ${MOST_GROWTH}: ${verdict(growth <= MOST_GROWTH)}`,
  );
  if (!isQuick || growth > MOST_GROWTH) process.exitCode = 1;
}
