/**
 * Emergencies as the chain has them, and who reads in them.
 *
 * On the chain a reader has a blinded name that is used once. Whose it is, this gateway keeps sealed: it blinded the address
 * of whoever was signed in. An emergency that was opened elsewhere is nobody's here, and opens nothing.
 */
import { and, desc, eq, inArray } from "drizzle-orm";
import { alias } from "drizzle-orm/pg-core";
import type { Hex } from "../../protocol/hash.ts";
import type { EmergencyReason } from "../../protocol/reasons.ts";
import type { Database } from "../database/database.ts";
import { emergencyEvents, emergencyReaders } from "../database/schema.ts";
import type { Seal } from "../database/seal.ts";
import { readerName } from "../decision/question.ts";

/** An emergency that was opened. Times in seconds since 1970-01-01 UTC. */
export type Opening = {
  examId: Hex;
  /** The reader's name on the chain. */
  reader: Hex;
  /** Whose that is; null where this gateway was not told. */
  address: Hex | null;
  badge: Hex | null;
  second: Hex | null;
  reason: EmergencyReason;
  openedAt: number;
  /** The first second at which it is over: what was signed, or when it was closed. */
  until: number;
};

const closed = alias(emergencyEvents, "closed");

export class Emergencies {
  readonly #database: Database;
  readonly #seal: Seal;

  private constructor(database: Database, seal: Seal) {
    this.#database = database;
    this.#seal = seal;
  }

  /** @throws {ConfigError} where the database holds what another key sealed */
  static async open(database: Database, seal: Seal): Promise<Emergencies> {
    await seal.requireOwn(database, emergencyReaders);
    return new Emergencies(database, seal);
  }

  /** A reader's own, newest first; on one exam, or on all. */
  async ofReader(address: Hex, examId?: Hex): Promise<Opening[]> {
    const own = eq(emergencyReaders.readerTag, this.#seal.tag(address));
    return this.#find(examId === undefined ? own : and(own, eq(emergencyEvents.examId, examId)));
  }

  /** All on these exams, newest first. */
  async onExams(examIds: readonly Hex[]): Promise<Opening[]> {
    return examIds.length === 0 ? [] : this.#find(inArray(emergencyEvents.examId, [...examIds]));
  }

  /** Exams on which a reader has an emergency by what was followed, at any of these clocks. Candidates, not decisions. */
  async candidates(address: Hex, clocks: readonly number[]): Promise<Hex[]> {
    const own = await this.ofReader(address);
    const open = own.filter(({ until }) => clocks.some((clock) => clock < until));
    return [...new Set(open.map(({ examId }) => examId))];
  }

  /** Keep whose a name will be, before it is on the chain. False where it was used for another exam. */
  async keep({ examId, address, salt }: { examId: Hex; address: Hex; salt: Hex }): Promise<boolean> {
    const { grantee: reader } = readerName(address, salt);
    const sealed = this.#seal.seal(`${address} ${salt}`, contextOf({ examId, reader }));
    const row = { reader, examId, readerTag: this.#seal.tag(address), sealed };
    await this.#database.insert(emergencyReaders).values(row).onConflictDoNothing();
    const kept = and(eq(emergencyReaders.reader, reader), eq(emergencyReaders.examId, examId));
    return (await this.#database.$count(emergencyReaders, kept)) > 0;
  }

  async #find(condition: ReturnType<typeof and>): Promise<Opening[]> {
    const rows = await this.#database
      .select()
      .from(emergencyEvents)
      .leftJoin(
        emergencyReaders,
        and(
          eq(emergencyReaders.reader, emergencyEvents.reader),
          eq(emergencyReaders.examId, emergencyEvents.examId),
        ),
      )
      .leftJoin(
        closed,
        and(
          eq(closed.kind, "closed"),
          eq(closed.reader, emergencyEvents.reader),
          eq(closed.examId, emergencyEvents.examId),
        ),
      )
      .where(and(eq(emergencyEvents.kind, "opened"), condition))
      .orderBy(desc(emergencyEvents.blockNumber), desc(emergencyEvents.logIndex));
    return rows.flatMap((row) => this.#openingOf(row) ?? []);
  }

  #openingOf(row: {
    emergency_events: typeof emergencyEvents.$inferSelect;
    emergency_readers: typeof emergencyReaders.$inferSelect | null;
    closed: typeof emergencyEvents.$inferSelect | null;
  }): Opening | null {
    const { examId, reader, badge, second, reason, until, blockTime } = row.emergency_events;
    if (reason === null || until === null) return null;
    const known = row.emergency_readers;
    const address = known && (this.#seal.open(known.sealed, contextOf(known)).split(" ")[0] as Hex);
    const end = row.closed ? Math.min(until, row.closed.blockTime) : until;
    return { examId, reader, address, badge, second, reason, openedAt: blockTime, until: end };
  }
}

function contextOf({ examId, reader }: { examId: Hex; reader: Hex }): string {
  return `emergency ${examId} ${reader}`;
}
