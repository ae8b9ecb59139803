/**
 * Sessions and tokens that were ended before their time (RFC 7009).
 *
 * They are in the database, so that they outlive a restart and count at every gateway over it, and in memory, so that a
 * request costs no query. The gateway that is told knows at once; the others within `PROPAGATION`, or, where the
 * database does not answer, within `LONGEST_SILENCE`: after that nobody is let in.
 */
import { gt, lte, sql } from "drizzle-orm";
import type { FastifyBaseLogger } from "fastify";
import type { Database } from "../database/database.ts";
import { revocations } from "../database/schema.ts";
import { LastingFault } from "../operations/lastingFault.ts";
import { Rounds } from "../operations/rounds.ts";
import { Problem } from "../problem.ts";

/** Milliseconds between two looks at what other gateways were told. */
export const PROPAGATION = 1_000;

/** Milliseconds without a successful look after which no token counts as in force. */
export const LONGEST_SILENCE = 5_000;

/** Seconds that each look goes back behind the one before, so that a row whose commit took that long is not missed. */
const OVERLAP = 60;

/** What a revocation may name: a session's id or a token's own. */
export type Revocable = { sessionId: string; tokenId: string };

/** Told of what was ended since it was last told; `null` where that is not known any more. */
export type RevocationListener = (revoked: ReadonlySet<string> | null) => void;

export class Revocations {
  readonly #database: Database;
  readonly #fault: LastingFault;
  readonly #rounds = new Rounds(() => this.#read());
  readonly #listeners: RevocationListener[] = [];
  /** When each would have run out by itself, in seconds since 1970-01-01 UTC. */
  readonly #ends = new Map<string, number>();
  /** When it was last looked, on the monotonic clock, and by the wall's. */
  #readAt = Number.NEGATIVE_INFINITY;
  #readAtTime = Number.NEGATIVE_INFINITY;

  constructor(database: Database, log: FastifyBaseLogger) {
    this.#database = database;
    this.#fault = new LastingFault(log, {
      level: "warn",
      comes: "Revoked sessions cannot be read",
      goes: "Revoked sessions are read again",
    });
  }

  onRevoked(listener: RevocationListener): void {
    this.#listeners.push(listener);
  }

  /** Look now, and from now on at a steady pace. */
  start(): Promise<void> {
    return this.#rounds.start();
  }

  close(): Promise<void> {
    return this.#rounds.close();
  }

  /**
   * Make sure that neither a token nor its session was ended.
   * @throws {Problem} `token-revoked`; `database-unavailable` where that cannot be known
   */
  async check({ sessionId, tokenId }: Revocable): Promise<void> {
    if (this.#isSilent()) await this.#rounds.now();
    if (this.#isSilent()) throw new Problem("database-unavailable");
    if (this.#ends.has(sessionId) || this.#ends.has(tokenId)) throw new Problem("token-revoked");
  }

  /**
   * End a session or a token for good. It is ended here even where the database cannot be told: try again then.
   * @param expiresAt when it would have run out by itself, in seconds since 1970-01-01 UTC
   */
  async revoke(id: string, expiresAt: number): Promise<void> {
    this.#learn([{ id, expiresAt }]);
    await this.#database.insert(revocations).values({ id, expiresAt }).onConflictDoNothing();
  }

  #isSilent(): boolean {
    return performance.now() - this.#readAt > LONGEST_SILENCE;
  }

  async #read(): Promise<number> {
    const startedAt = performance.now();
    const startedAtTime = Date.now();
    try {
      this.#learn(await this.#recent());
      await this.#forget();
      this.#readAt = startedAt;
      this.#readAtTime = startedAtTime;
      this.#fault.gone();
    } catch (error) {
      this.#fault.met(error);
      if (this.#isSilent()) for (const listener of this.#listeners) listener(null);
    }
    return PROPAGATION;
  }

  /**
   * All at first, then those since the look before, which may be long ago, where the database was away: a restored backup
   * takes nothing back that is known here.
   */
  #recent() {
    const all = this.#database.select().from(revocations);
    // Of a machine that was suspended, the monotonic clock may have stood still.
    const passed = Math.max(performance.now() - this.#readAt, Date.now() - this.#readAtTime);
    if (passed === Number.POSITIVE_INFINITY) return all;
    const since = sql`now() - make_interval(secs => ${OVERLAP + Math.ceil(passed / 1_000)})`;
    return all.where(gt(revocations.revokedAt, since));
  }

  #learn(rows: readonly { id: string; expiresAt: number }[]): void {
    const news = rows.filter(({ id }) => !this.#ends.has(id));
    for (const { id, expiresAt } of news) this.#ends.set(id, expiresAt);
    if (news.length === 0) return;
    const ids = new Set(news.map(({ id }) => id));
    for (const listener of this.#listeners) listener(ids);
  }

  /** What has run out by itself need not be remembered. */
  async #forget(): Promise<void> {
    const now = Math.floor(Date.now() / 1000);
    const over = [...this.#ends].filter(([, expiresAt]) => expiresAt <= now);
    if (over.length === 0) return;
    await this.#database.delete(revocations).where(lte(revocations.expiresAt, now));
    for (const [id] of over) this.#ends.delete(id);
  }
}
