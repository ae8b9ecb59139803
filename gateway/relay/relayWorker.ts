/**
 * Works on the relay's queue for as long as the gateway runs. Of the gateways over one database, one does: who holds the
 * lease. Another takes over when it ends. Should two ever work at once, what each writes down before it sends keeps them apart.
 */
import { randomUUID } from "node:crypto";
import { isError, type JsonRpcProvider } from "ethers";
import type { Chain } from "../chain/chain.ts";
import { readBlock } from "../chain/provider.ts";
import { giveBackLease, takeLease } from "../database/lease.ts";
import { LastingFault } from "../operations/lastingFault.ts";
import type { Metrics } from "../operations/metrics.ts";
import { Rounds } from "../operations/rounds.ts";
import { Problem, toProblem } from "../problem.ts";
import { type Look, Progress, type ProgressContext } from "./progress.ts";
import { dueActs, forgetSettled, queueLength, type RelayRow } from "./queue.ts";

export type WorkerContext = Omit<ProgressContext, "metrics"> & {
  chain: Pick<Chain, "followedTo">;
  provider: JsonRpcProvider;
  metrics: ProgressContext["metrics"] & Pick<Metrics, "relayQueue">;
  /** Milliseconds between looks while something is open. */
  pace: number;
};

/** Seconds after which another gateway goes on where this one stopped without a word. */
const LEASE = 6;

/** Milliseconds between looks at a queue where nothing is due: another gateway may have put something in. */
const IDLE = 500;

/** Milliseconds between two cleanings of what was settled long ago. */
const CLEANING = 3_600_000;

/** How many transactions wait for their blocks at once: nodes keep few of one sender's. */
const MOST_IN_FLIGHT = 16;

/** Blocks after which a chain that knows no finality is taken to be final. */
const DEEP = 128;

export class RelayWorker {
  readonly #context: WorkerContext;
  readonly #progress: Progress;
  readonly #lease: { name: string; holder: string; seconds: number };
  readonly #silence: LastingFault;
  readonly #turns = new Rounds(() => this.#turn());
  #leasedUntil = Number.NEGATIVE_INFINITY;
  #cleanedAt = Number.NEGATIVE_INFINITY;
  #lastHead: string | null = null;

  constructor(context: WorkerContext) {
    this.#context = context;
    this.#progress = new Progress(context);
    this.#lease = { name: `relay ${context.key.address}`, holder: randomUUID(), seconds: LEASE };
    this.#silence = new LastingFault(context.log, {
      level: "error",
      comes: "The relay waits",
      goes: "The relay goes on",
    });
  }

  start(): void {
    void this.#turns.start();
  }

  /** End after the step under way, and let another gateway go on at once. */
  async close(): Promise<void> {
    await this.#turns.close();
    await giveBackLease(this.#context.database, this.#lease).catch(() => undefined);
  }

  /** Something was put in: look at once. */
  kick(): void {
    this.#turns.hurry();
  }

  /** Look at everything that is due. @returns milliseconds to wait before the next look */
  async #turn(): Promise<number> {
    try {
      if (!(await this.#hasLease())) return IDLE;
      const rows = await this.#due();
      if (rows.length > 0) await this.#work(rows);
      this.#silence.gone();
      return rows.length > 0 ? this.#context.pace : IDLE;
    } catch (error) {
      // What was begun may have failed after its head was noted: look at all of it again.
      this.#lastHead = null;
      this.#silence.met(toProblem(error));
      return this.#silence.pause;
    }
  }

  async #due(): Promise<RelayRow[]> {
    const { database, metrics } = this.#context;
    metrics.relayQueue(await queueLength(database));
    if (performance.now() > this.#cleanedAt + CLEANING) {
      await forgetSettled(database);
      this.#cleanedAt = performance.now();
    }
    return dueActs(database);
  }

  async #work(rows: readonly RelayRow[]): Promise<void> {
    const look = await this.#look();
    let inFlight = rows.filter(isInFlight).length;
    for (const row of rows) {
      if (this.#turns.isEnding) return;
      const isNew = row.state === "queued" && row.nonce === null;
      if (isNew && inFlight >= MOST_IN_FLIGHT) continue;
      await this.#progress.step(row, look);
      if (isNew) inFlight += 1;
    }
  }

  async #look(): Promise<Look> {
    const { provider, chain } = this.#context;
    const head = await readBlock(provider, "latest");
    if (!head) throw new Problem("chain-unavailable");
    const isNew = head.hash !== this.#lastHead;
    const finalized = await readBlock(provider, "finalized").catch((error: unknown) => {
      if (isError(error, "UNKNOWN_ERROR")) return null;
      throw error;
    });
    this.#lastHead = head.hash;
    const deepest = finalized?.number ?? Math.max(0, head.number - DEEP);
    // What the gateway still decides without is not over, however final it is.
    return { head: head.number, isNew, finalized: Math.min(deepest, chain.followedTo) };
  }

  async #hasLease(): Promise<boolean> {
    const now = performance.now();
    // Renewed after a third of it: a look that takes long leaves enough.
    if (now < this.#leasedUntil - (LEASE * 2_000) / 3) return true;
    const isTaken = await takeLease(this.#context.database, this.#lease);
    this.#leasedUntil = isTaken ? now + LEASE * 1_000 : Number.NEGATIVE_INFINITY;
    return isTaken;
  }
}

function isInFlight({ nonce, state }: RelayRow): boolean {
  return nonce !== null && state !== "mined";
}
