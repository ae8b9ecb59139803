/**
 * Anchoring: at an interval, the operator commits to the receipts that came since, in `AccessLog`.
 *
 * What is anchored, the chain says; the table `anchors` is a copy, made before and after each anchor. So an anchor that was
 * sent and not written down is found at the next turn, and one that was reorganised away is sent again. A lease keeps
 * gateways that share a database from sending the same; should it fail them, the contract takes the first and refuses
 * the second. Nobody waits for any of this: receipts are given and kept whether or not they can be anchored.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { desc, eq } from "drizzle-orm";
import type { Hex } from "../../protocol/hash.ts";
import { LOST } from "../../protocol/receipt.ts";
import { type AnchoredRun, CHUNK, receiptRoot, rootOverChunks } from "../../protocol/receiptTree.ts";
import type { Sender } from "../chain/sender.ts";
import type { Database } from "../database/database.ts";
import { giveBackLease, takeLease } from "../database/lease.ts";
import { anchors } from "../database/schema.ts";
import { faultOf } from "../operations/log.ts";
import { Rounds } from "../operations/rounds.ts";
import type { AccessLog, Anchor } from "./accessLog.ts";
import { digestsBetween, lastSequence, skipTo } from "./log.ts";

export type AnchoringContext = {
  database: Database;
  /** The operator's key. */
  sender: Pick<Sender, "execute">;
  accessLog: AccessLog;
  /** Seconds. */
  interval: number;
  log: Record<"info" | "error", (about: object, line: string) => void>;
};

/** Receipts under one anchor: more make several. */
export const LARGEST_RUN = 1 << 16;

/** Seconds after which what failed is tried again, where the interval is longer. */
const RETRY = 30;

/** Seconds after which another gateway goes on, should this one be gone. */
const LEASE = 300;

/** Milliseconds that a turn under way gets to finish when the gateway goes down. */
const GRACE = 2_000;

export class Anchoring {
  readonly #context: AnchoringContext;
  readonly #lease = { name: "anchoring", holder: randomUUID(), seconds: LEASE };
  readonly #turns = new Rounds(() => this.#attempt(() => this.#anchorAll()));

  constructor(context: AnchoringContext) {
    this.#context = context;
  }

  /**
   * Learn what is anchored, before numbers are given that are used already; then anchor what is new, and from then on at
   * the interval.
   */
  async start(): Promise<void> {
    await this.#attempt(() => this.#learn());
    void this.#turns.start();
  }

  /** Take no more turns. One that waits for the chain is left: the next start finds what it sent. */
  async close(): Promise<void> {
    await Promise.race([this.#turns.close(), delay(GRACE, undefined, { ref: false })]);
  }

  /** Do it, unless another gateway is at it. Resolves with the milliseconds until the next turn. */
  async #attempt(work: () => Promise<void>): Promise<number> {
    const { database, interval, log } = this.#context;
    try {
      if (await takeLease(database, this.#lease)) {
        await work();
        await giveBackLease(database, this.#lease);
      }
      return interval * 1_000;
    } catch (error) {
      const retry = Math.min(interval, RETRY);
      if (!this.#turns.isEnding)
        log.error({ fault: faultOf(error), retry }, "Receipts could not be anchored");
      return retry * 1_000;
    }
  }

  async #anchorAll(): Promise<void> {
    const { database, sender, accessLog, log } = this.#context;
    await this.#learn();
    for (let run = await this.#next(); run && !this.#turns.isEnding; run = await this.#next()) {
      await takeLease(database, this.#lease);
      await sender.execute(accessLog.callToAnchor(run));
      await this.#learn();
      log.info({ first: Number(run.first), last: Number(run.last) }, "Receipts were anchored");
    }
  }

  /** The receipts that come next, or null where all are anchored. */
  async #next(): Promise<AnchoredRun | null> {
    const { database, log } = this.#context;
    const first = ((await this.#lastKnown())?.last ?? 0) + 1;
    const last = Math.min(await lastSequence(database), first + LARGEST_RUN - 1);
    if (last < first) return null;
    const { chunkRoots, lost } = await readChunks(database, first, last);
    // The hole is anchored as one: to stop would leave all that comes after without an anchor, for one deleted row.
    if (lost > 0) log.error({ first, last, lost }, "Receipts are missing from the database");
    return { root: rootOverChunks(chunkRoots), first: BigInt(first), last: BigInt(last) };
  }

  /** Bring the copy of the anchors up to the chain. */
  async #learn(): Promise<void> {
    const { database, accessLog, log } = this.#context;
    const count = await accessLog.count();
    await this.#dropVanished(count);
    const known = (await this.#lastKnown())?.index ?? -1;
    for (let index = known + 1; index < count; index++) {
      const anchor = await accessLog.at(index);
      if (await skipTo(database, anchor.last)) {
        log.error(anchor, "An anchor covers numbers that were never given here: they are used up");
      }
      const chunkRoots = await this.#chunkRootsOf(anchor);
      await database.insert(anchors).values({ ...anchor, chunkRoots });
    }
  }

  /** Anchors that a reorganisation, or a local chain begun anew, has taken away. */
  async #dropVanished(count: number): Promise<void> {
    const { database, accessLog } = this.#context;
    for (let last = await this.#lastKnown(); last; last = await this.#lastKnown()) {
      if (last.index < count && isSame(last, await accessLog.at(last.index))) return;
      await database.delete(anchors).where(eq(anchors.index, last.index));
    }
  }

  /** What proofs need; null where the receipts here are not those that were anchored. */
  async #chunkRootsOf(anchor: Anchor): Promise<Hex[] | null> {
    const { database, log } = this.#context;
    if (anchor.last - anchor.first < LARGEST_RUN) {
      const { chunkRoots } = await readChunks(database, anchor.first, anchor.last);
      if (rootOverChunks(chunkRoots) === anchor.root) return chunkRoots;
    }
    log.error(anchor, "An anchor does not hold the receipts that are here");
    return null;
  }

  async #lastKnown(): Promise<typeof anchors.$inferSelect | undefined> {
    const [last] = await this.#context.database.select().from(anchors).orderBy(desc(anchors.index)).limit(1);
    return last;
  }
}

/** The roots over the chunks of a run, and how many of its receipts are missing. A chunk at a time: others wait no longer. */
async function readChunks(database: Database, first: number, last: number) {
  const chunkRoots: Hex[] = [];
  let lost = 0;
  for (let from = first; from <= last; from += CHUNK) {
    const digests = await digestsBetween(database, from, Math.min(last, from + CHUNK - 1));
    lost += digests.filter((digest) => digest === LOST).length;
    chunkRoots.push(receiptRoot({ first: BigInt(from), receipts: digests }));
  }
  return { chunkRoots, lost };
}

function isSame(known: Anchor, found: Anchor): boolean {
  const fields = ["root", "first", "last", "anchoredAt"] as const;
  return fields.every((field) => known[field] === found[field]);
}
