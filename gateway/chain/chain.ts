/** The chain as the gateway sees it: one head that everything is decided at, and what changes with it. */
import type { JsonRpcProvider } from "ethers";
import type { FastifyBaseLogger } from "fastify";
import type { Hex } from "../../protocol/hash.ts";
import { LastingFault } from "../operations/lastingFault.ts";
import { Rounds } from "../operations/rounds.ts";
import { Problem } from "../problem.ts";
import type { EventFollower, Followed } from "./eventFollower.ts";
import { faultOfHead, RecentBlocks } from "./head.ts";
import { type Block, readBlock } from "./provider.ts";

export type ChainOptions = {
  /** Milliseconds between two reads of the head. */
  poll: number;
  /** Seconds after which a head is stale. */
  maxAge: number;
};

/** Told after each read of the head, also a failed one; `changes` is empty where nothing happened. */
export type ChainListener = (changes: Followed) => void;

export class Chain {
  readonly provider: JsonRpcProvider;
  readonly #events: EventFollower;
  readonly #options: ChainOptions;
  readonly #fault: LastingFault;
  readonly #rounds = new Rounds(() => this.#read());
  readonly #listeners: ChainListener[] = [];
  readonly #recent = new RecentBlocks();
  #head: Block | null = null;
  /** On the monotonic clock, so that a moved wall clock hides no silence. */
  #readAt = Number.NEGATIVE_INFINITY;
  #goneBack = false;
  /** A reading broke off, perhaps after it had kept events that no listener was told of. */
  #brokeOff = false;

  constructor(
    provider: JsonRpcProvider,
    events: EventFollower,
    options: ChainOptions,
    log: FastifyBaseLogger,
  ) {
    this.provider = provider;
    this.#events = events;
    this.#options = options;
    this.#fault = new LastingFault(log, {
      level: "error",
      comes: "The chain cannot be followed",
      goes: "The chain is followed again",
    });
  }

  /** Called in order of registration: caches drop first, then what rests on them. */
  onRead(listener: ChainListener): void {
    this.#listeners.push(listener);
  }

  /** Read the head now, and from now on at the configured pace. */
  start(): Promise<void> {
    return this.#rounds.start();
  }

  async close(): Promise<void> {
    await this.#rounds.close();
    this.provider.destroy();
  }

  /** Read the head, or join the reading that is under way. Never throws: a failure shows in `head()`. */
  refresh(): Promise<void> {
    return this.#rounds.now();
  }

  /** Read a head that is no older than this call. */
  catchUp(): Promise<void> {
    return this.#rounds.anew();
  }

  /**
   * The head that may be decided on.
   * @throws {Problem} `chain-unavailable`, `chain-stale`
   */
  async head(): Promise<Block> {
    if (this.#faultNow()) await this.refresh();
    return this.headNow();
  }

  /** Seconds between the last head's time and the clock, decided on or not; null where none was read yet. */
  get headAge(): number | null {
    return this.#head && Date.now() / 1000 - this.#head.timestamp;
  }

  /** The number of the last head that was followed, decided on or not; -1 where none was yet. */
  get followedTo(): number {
    return this.#head?.number ?? -1;
  }

  /** As `head`, without waiting for a chain that is silent. */
  headNow(): Block {
    const fault = this.#faultNow();
    if (fault || !this.#head) throw new Problem(fault ?? "chain-unavailable");
    return this.#head;
  }

  /**
   * `eth_call` on exactly the state of a block (EIP-1898), so that a lagging node cannot answer with an older one.
   * @throws {Problem} `chain-unavailable`
   */
  async call(to: Hex, data: string, at: Block | { number: number }): Promise<string> {
    const block =
      "hash" in at ? { blockHash: at.hash, requireCanonical: true } : `0x${at.number.toString(16)}`;
    try {
      return await this.provider.send("eth_call", [{ to, data }, block]);
    } catch (error) {
      throw new Problem("chain-unavailable", undefined, { cause: error });
    }
  }

  #faultNow() {
    const reading = {
      head: this.#head,
      silence: performance.now() - this.#readAt,
      goneBack: this.#goneBack,
    };
    return faultOfHead(reading, { now: Date.now() / 1000, maxAge: this.#options.maxAge });
  }

  async #read(): Promise<number> {
    let changes: Followed = [];
    try {
      const startedAt = performance.now();
      const latest = await readBlock(this.provider, "latest");
      if (!latest) throw new Error("The node has no head.");
      changes = await this.#accept(latest);
      this.#readAt = startedAt;
      this.#fault.gone();
    } catch (error) {
      this.#fault.met(error);
    }
    for (const listener of this.#listeners) listener(changes);
    return this.#options.poll;
  }

  /** Move to a head, once its events are in the database. */
  async #accept(latest: Block): Promise<Followed> {
    const current = this.#head;
    if (current?.hash === latest.hash && !this.#brokeOff) {
      this.#goneBack = false;
      return [];
    }
    this.#goneBack = !!current && latest.number < current.number && !this.#recent.contradicts(latest);
    if (this.#goneBack) return [];
    const isRetry = this.#brokeOff;
    this.#brokeOff = true;
    const changes = await this.#events.follow(latest);
    const settled = await this.#events.settle();
    this.#brokeOff = false;
    this.#recent.add(latest);
    this.#head = latest;
    return isRetry || changes === "all" ? "all" : [...changes, ...settled];
  }
}
