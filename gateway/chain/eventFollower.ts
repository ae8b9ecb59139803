/**
 * Follows the events of the ledger, and of emergencies, into the database: in chunks, resumable, and through reorganisations.
 * What it gathers says who may be a candidate for what; decisions are the ledger's own.
 */
import { and, desc, eq, gt, inArray, lte, ne } from "drizzle-orm";
import { isError, type JsonRpcProvider, toQuantity } from "ethers";
import type { Hex } from "../../protocol/hash.ts";
import type { Database } from "../database/database.ts";
import { emergencyEvents, followedBlocks, ledgerEvents } from "../database/schema.ts";
import { type Change, type DecodedLog, decodeLog, type RawLog, WATCHED_TOPICS } from "./logs.ts";
import { type Block, readBlock } from "./provider.ts";
import { withNonces } from "./slotNonces.ts";

/** Blocks asked for at once; halved while a node finds that too much. */
const LARGEST_CHUNK = 5_000;

/** Blocks after which a position is kept even where nothing happened. */
const CHECKPOINT_EVERY = 100;

/** How many positions are kept, to find a fork by. */
const CHECKPOINTS_KEPT = 1_000;

/** What following up to a head brought: changes to single decisions, or `"all"` after a reorganisation. */
export type Followed = Change[] | "all";

/** What is written down of logs. */
type Rows = {
  events: (typeof ledgerEvents.$inferInsert)[];
  emergencies: (typeof emergencyEvents.$inferInsert)[];
};

type Position = { number: number; hash: Hex | null };

export class EventFollower {
  readonly #database: Database;
  readonly #provider: JsonRpcProvider;
  readonly #contracts: readonly Hex[];
  readonly #firstBlock: number;
  #position: Position | null = null;
  #lastCheckpoint = 0;
  #chunk = LARGEST_CHUNK;
  #mayHoldOrphans = true;

  /** @param contracts whose events are read; one that is added later is read from the first block on (`bindEmergencies`) */
  constructor(database: Database, provider: JsonRpcProvider, contracts: readonly Hex[], firstBlock: number) {
    this.#database = database;
    this.#provider = provider;
    this.#contracts = contracts;
    this.#firstBlock = firstBlock;
  }

  /** Bring the database up to `head`. Throws where the node cannot be read or changed its mind meanwhile; try again then. */
  async follow(head: Block): Promise<Followed> {
    const before = this.#position;
    const resumed = await this.#resume();
    this.#position = resumed;
    const fork = await this.#findFork(resumed, head);
    if (fork !== resumed) {
      await this.#rollBack(fork);
      this.#position = fork;
    }
    const changes: Change[] = [];
    let position = fork;
    while (position.number < head.number) {
      const from = position.number + 1;
      const to = Math.min(position.number + this.#chunk, head.number);
      const isHeadAlone = from === head.number;
      const range = { fromBlock: toQuantity(from), toBlock: toQuantity(to) };
      const logs = await this.#readLogs(isHeadAlone ? { blockHash: head.hash } : range, to - from + 1);
      if (!logs) continue;
      const end = to === head.number ? head : await this.#mustRead(to);
      // Named by its hash, the head gives its own logs or none: no second look is needed before a revoke is felt.
      if (!isHeadAlone) await this.#requireCanonical(head);
      changes.push(...(await this.#keep(logs, end)));
      position = { number: end.number, hash: end.hash };
      this.#position = position;
    }
    return fork === (before ?? resumed) ? changes : "all";
  }

  /** Let go of orphaned revokes that finalised blocks have passed: finalised state speaks for itself. */
  async settle(): Promise<Change[]> {
    if (!this.#mayHoldOrphans) return [];
    const finalized = await readBlock(this.#provider, "finalized").catch(ignoreUnsupported);
    if (!finalized) return [];
    const orphaned = eq(ledgerEvents.orphaned, true);
    const settled = await this.#database
      .delete(ledgerEvents)
      .where(and(orphaned, lte(ledgerEvents.blockNumber, finalized.number)))
      .returning({ patient: ledgerEvents.patient });
    this.#mayHoldOrphans = (await this.#database.$count(ledgerEvents, orphaned)) > 0;
    return settled;
  }

  /** Where to go on: from memory, unless the database knows less, as after a backup was restored. */
  async #resume(): Promise<Position> {
    const [last] = await this.#database
      .select()
      .from(followedBlocks)
      .orderBy(desc(followedBlocks.number))
      .limit(1);
    const stored = last?.number ?? 0;
    if (this.#position && stored >= this.#lastCheckpoint) return this.#position;
    this.#lastCheckpoint = stored;
    this.#mayHoldOrphans = true;
    return last ?? this.#start();
  }

  #start(): Position {
    return { number: this.#firstBlock - 1, hash: null };
  }

  /** The last position that is on the head's chain: the one given, where nothing was reorganised. */
  async #findFork(position: Position, head: Block): Promise<Position> {
    if (await this.#isOnChain(position, head)) return position;
    const kept = await this.#database
      .select()
      .from(followedBlocks)
      .where(lte(followedBlocks.number, position.number))
      .orderBy(desc(followedBlocks.number));
    for (const checkpoint of kept) if (await this.#isOnChain(checkpoint, head)) return checkpoint;
    return this.#start();
  }

  async #isOnChain({ number, hash }: Position, head: Block): Promise<boolean> {
    if (hash === null) return true;
    if (number > head.number) return false;
    if (number === head.number) return hash === head.hash;
    if (number === head.number - 1) return hash === head.parentHash;
    return (await readBlock(this.#provider, number))?.hash === hash;
  }

  /**
   * Forget what followed the fork, but for revokes, which deny from first sight until they are settled, and for emergencies
   * that were closed.
   */
  async #rollBack(fork: Position): Promise<void> {
    await this.#database.transaction(async (tx) => {
      const after = gt(ledgerEvents.blockNumber, fork.number);
      await tx.delete(ledgerEvents).where(and(after, eq(ledgerEvents.kind, "granted")));
      await tx
        .update(ledgerEvents)
        .set({ orphaned: true })
        .where(and(after, ne(ledgerEvents.kind, "granted")));
      const opened = and(gt(emergencyEvents.blockNumber, fork.number), eq(emergencyEvents.kind, "opened"));
      await tx.delete(emergencyEvents).where(opened);
      await tx.delete(followedBlocks).where(gt(followedBlocks.number, fork.number));
    });
    this.#mayHoldOrphans = true;
    this.#lastCheckpoint = Math.min(this.#lastCheckpoint, fork.number);
  }

  /** Logs of so many blocks; null where the node wants fewer. */
  async #readLogs(range: Record<string, string>, blocks: number): Promise<RawLog[] | null> {
    try {
      const filter = { address: this.#contracts, topics: [WATCHED_TOPICS], ...range };
      const logs = (await this.#provider.send("eth_getLogs", [filter])) as RawLog[];
      this.#chunk = Math.min(LARGEST_CHUNK, this.#chunk * 2);
      // Nonces are counted in the chain's order, which a node that gathers logs from others may not keep.
      return logs.sort(byPlace);
    } catch (error) {
      const refused = isError(error, "UNKNOWN_ERROR") || isError(error, "SERVER_ERROR");
      if (blocks === 1 || !refused) throw error;
      this.#chunk = Math.max(1, Math.floor(blocks / 2));
      return null;
    }
  }

  /** Logs were read by number: they belong to the head's chain only if it still is the chain. */
  async #requireCanonical(head: Block): Promise<void> {
    const again = await readBlock(this.#provider, head.number);
    if (again?.hash !== head.hash) throw new Error("The chain was reorganised while its events were read.");
  }

  async #keep(logs: RawLog[], end: Block): Promise<Change[]> {
    const decoded = logs.map((log) => ({ log, ...decodeLog(log) }));
    const rows = await this.#dated(decoded, end);
    const isEmpty = rows.events.length === 0 && rows.emergencies.length === 0;
    const isCheckpoint = !isEmpty || end.number - this.#lastCheckpoint >= CHECKPOINT_EVERY;
    if (isCheckpoint) await this.#store(rows, end);
    return decoded.map(({ change }) => change);
  }

  /** Rows with the times of their blocks. */
  async #dated(decoded: readonly (DecodedLog & { log: RawLog })[], end: Block): Promise<Rows> {
    const rows: Rows = { events: [], emergencies: [] };
    for (const { log, events, emergencies } of decoded) {
      if (events.length === 0 && emergencies.length === 0) continue;
      const blockTime = await this.#timeOf(log, end);
      rows.events.push(...events.map((event) => ({ ...event, blockTime })));
      rows.emergencies.push(...emergencies.map((event) => ({ ...event, blockTime })));
    }
    return rows;
  }

  async #store({ events, emergencies }: Rows, end: Block): Promise<void> {
    await this.#database.transaction(async (tx) => {
      if (emergencies.length > 0) await tx.insert(emergencyEvents).values(emergencies).onConflictDoNothing();
      for (let start = 0; start < events.length; start += 500) {
        const some = await withNonces(tx, events.slice(start, start + 500));
        await tx.insert(ledgerEvents).values(some).onConflictDoNothing();
        // A block that was reorganised away may come back: its revokes are no orphans then.
        const hashes = [...new Set(some.map((row) => row.blockHash))];
        await tx.update(ledgerEvents).set({ orphaned: false }).where(inArray(ledgerEvents.blockHash, hashes));
      }
      const checkpoint = { number: end.number, hash: end.hash };
      await tx
        .insert(followedBlocks)
        .values(checkpoint)
        .onConflictDoUpdate({ target: followedBlocks.number, set: { hash: end.hash } });
      const oldest = await tx
        .select({ number: followedBlocks.number })
        .from(followedBlocks)
        .orderBy(desc(followedBlocks.number))
        .offset(CHECKPOINTS_KEPT)
        .limit(1);
      if (oldest[0]) await tx.delete(followedBlocks).where(lte(followedBlocks.number, oldest[0].number));
    });
    this.#lastCheckpoint = end.number;
  }

  async #timeOf(log: RawLog, end: Block): Promise<number> {
    if (log.blockTimestamp) return Number(log.blockTimestamp);
    const number = Number(log.blockNumber);
    return number === end.number ? end.timestamp : (await this.#mustRead(number)).timestamp;
  }

  async #mustRead(number: number): Promise<Block> {
    const block = await readBlock(this.#provider, number);
    if (!block) throw new Error(`The node has no block ${number}.`);
    return block;
  }
}

function byPlace(a: RawLog, b: RawLog): number {
  return Number(a.blockNumber) - Number(b.blockNumber) || Number(a.logIndex) - Number(b.logIndex);
}

/** Chains without finality have no finalised block. */
function ignoreUnsupported(error: unknown): null {
  if (isError(error, "UNKNOWN_ERROR")) return null;
  throw error;
}
