import { cpus } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { granteeOf } from "../../protocol/ids.ts";
import { HospitalArchive } from "../../test/gateway/hospitalArchive.ts";
import { startProcess } from "../../test/gateway/process.ts";
import { asksForHead, type RawBlock, RpcWay } from "../../test/gateway/rpcWay.ts";
import { SAMPLE_PATIENTS, until, World } from "../../test/world.ts";
import { readArguments, UsageError } from "../usage.ts";

export const HELP = `npm run bench -- revoke [options]     from a revoke's block to the first 403, and to the cut of what is open

  --runs N        how often (20)
  --poll MS       milliseconds between the gateway's looks at the head (250, as by default)`;

/** Milliseconds that a gateway may take once it has been given the revoke's block. */
const LIMIT = 250;

/** When things came to pass, in milliseconds on one clock. */
interface Times {
  mined: number;
  /** The node gave the gateway a head that has the revoke. */
  seen: number;
  /** A frame was refused. */
  denied: number;
  /** A frame that was half delivered broke off. */
  cut: number;
  /** A viewer was told. */
  told: number;
}

/** A gateway as its own process, between a chain and an archive, with one exam that is shared with a reader. */
class Stage {
  readonly #world: World;
  readonly #archive: HospitalArchive;
  readonly #way: RpcWay;
  readonly #close: () => Promise<void>;
  #exam = { examId: "", polled: "", slow: "" };

  private constructor(world: World, archive: HospitalArchive, way: RpcWay, close: () => Promise<void>) {
    this.#world = world;
    this.#archive = archive;
    this.#way = way;
    this.#close = close;
  }

  static async open(poll: number): Promise<Stage> {
    const archive = await HospitalArchive.open();
    let way: RpcWay | undefined;
    const world = await World.open({
      environment: { DICOMWEB_URL: archive.url, HEAD_POLL_MS: String(poll), RATE_LIMIT_REFUSALS: "1000000" },
      rpcThrough: async (rpcUrl) => {
        way = await RpcWay.to(rpcUrl);
        return way.url;
      },
    });
    if (!way) throw new Error("The chain was not asked by way of the benchmark.");
    await world.enrol(SAMPLE_PATIENTS.brain, "patient");
    await world.stopGateway();
    const gateway = await startProcess(world.environment);
    if (!gateway.ready) throw new Error(gateway.stderr());
    world.useGateway(gateway.ready.url);
    const stage = new Stage(world, archive, way, async () => {
      await gateway.kill();
      await world.close();
      await archive.close();
      await way?.close();
    });
    await stage.#choose();
    return stage;
  }

  close(): Promise<void> {
    return this.#close();
  }

  /** One frame to ask for again and again, and another one to be slow with. */
  async #choose(): Promise<void> {
    const exam = await until("the exam is there", async () => (await this.#world.examsOf("patient"))[0]);
    const [series] = exam.series;
    const path = `/dicomweb/studies/${exam.studyInstanceUid}/series/${series?.seriesInstanceUid}/instances`;
    const listed = (await (await this.#world.get(path, "patient")).json()) as Record<
      string,
      { Value: string[] }
    >[];
    const [polled, slow] = listed.map((instance) => `${path}/${instance["00080018"]?.Value[0]}/frames/1`);
    this.#exam = { examId: exam.examId, polled: polled ?? "", slow: slow ?? "" };
  }

  /** Grant, open everything, revoke, and see when it is felt. */
  async run(): Promise<Times> {
    const world = this.#world;
    await world.grant("patient", this.#exam.examId, "reader");
    await until("the reader is let in", async () => (await world.get(this.#exam.polled, "reader")).ok);
    this.#archive.stall(this.#exam.slow.split("/dicomweb")[1]);
    const slow = await world.get(this.#exam.slow, "reader");
    const watch = await world.get(`/exams/${this.#exam.examId}/watch`, "reader");
    const [cut, told, denied] = [endOf(slow), endOf(watch), this.#untilDenied()];
    // So that revokes fall anywhere between two looks at the head.
    await delay(Math.random() * 1_000);
    const { seen, mined } = await this.#revoke();
    const times = { mined, seen: await seen, denied: await denied, cut: await cut, told: await told };
    this.#archive.mend();
    return times;
  }

  async #revoke(): Promise<{ mined: number; seen: Promise<number> }> {
    const before = await this.#world.provider.getBlockNumber();
    const heard = Promise.withResolvers<number>();
    let revokedIn = Number.POSITIVE_INFINITY;
    const heads: { number: number; at: number }[] = [];
    const look = () => {
      const first = heads.find(({ number }) => number >= revokedIn);
      if (first) heard.resolve(first.at);
    };
    this.#way.bend = (call, result) => {
      if (asksForHead(call))
        heads.push({ number: Number((result as RawBlock).number), at: performance.now() });
      look();
      return result;
    };
    const { reader, patient } = this.#world.people;
    const revoke = this.#world.ledger.getFunction("revoke");
    const parameters = [this.#exam.examId, granteeOf(reader.address)];
    const sent = await patient.sendTransaction(await revoke.populateTransaction(...parameters));
    // Hardhat mines at once: by its answer the block is there.
    const mined = performance.now();
    revokedIn = (await sent.wait())?.blockNumber ?? before + 1;
    look();
    return { mined, seen: heard.promise };
  }

  async #untilDenied(): Promise<number> {
    for (;;) {
      const answer = await this.#world.get(this.#exam.polled, "reader");
      if (answer.status === 403) return performance.now();
      // It may be cut half way, as the slow one is: the next is refused.
      await endOf(answer);
    }
  }
}

/** When an answer ends, whole or not. */
async function endOf(answer: Response): Promise<number> {
  await answer.arrayBuffer().catch(() => undefined);
  return performance.now();
}

function report(name: string, times: readonly number[]): void {
  const sorted = times.toSorted((a, b) => a - b);
  const median = sorted[sorted.length >> 1] ?? 0;
  const most = sorted.at(-1) ?? 0;
  console.log(
    `  ${name.padEnd(46)} median ${median.toFixed(0).padStart(4)} ms   most ${most.toFixed(0).padStart(4)} ms`,
  );
}

/** Measures with a gateway of its own, and prints. @throws {UsageError} */
export async function bench(args: string[]): Promise<void> {
  const { values } = readArguments({
    args,
    options: { runs: { type: "string", default: "20" }, poll: { type: "string", default: "250" } },
  });
  const [runs, poll] = [Number(values.runs), Number(values.poll)];
  if (!Number.isInteger(runs) || runs < 1)
    throw new UsageError(`--runs: "${values.runs}" is not a number of runs.`);
  if (!Number.isInteger(poll) || poll < 20)
    throw new UsageError(`--poll: "${values.poll}" is not 20 ms or more.`);
  const stage = await Stage.open(poll);
  const all: Times[] = [];
  try {
    for (let run = 0; run < runs; run += 1) all.push(await stage.run());
  } finally {
    await stage.close();
  }
  console.log(
    `\nA revoke, ${runs} times, on ${cpus().length} cores; the head is looked at every ${poll} ms:`,
  );
  const since = (from: keyof Times, to: keyof Times) =>
    all.map((times) => Math.max(0, times[to] - times[from]));
  report("from its block to the gateway's sight of it", since("mined", "seen"));
  report("from its block to the first 403", since("mined", "denied"));
  report("from its block to the cut of a frame under way", since("mined", "cut"));
  report("from its block to a viewer's being told", since("mined", "told"));
  const felt = (["denied", "cut", "told"] as const).map((what) => since("seen", what));
  const [denied = [], cut = [], told = []] = felt;
  report("from its sight to the first 403", denied);
  report("from its sight to the cut of a frame under way", cut);
  report("from its sight to a viewer's being told", told);
  const most = Math.max(...felt.flat());
  console.log(
    most <= LIMIT ? `All within ${LIMIT} ms of its sight.` : `Over the limit of ${LIMIT} ms of its sight.`,
  );
  if (most > LIMIT) process.exitCode = 1;
}
