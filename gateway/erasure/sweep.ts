/**
 * What a database keeps of deleted rows: PostgreSQL leaves their bytes in its files until something else is written there.
 * Rewriting the tables takes them out. What is due is written down, so that a killed gateway does it at its next start.
 */
import { eq, getTableName, sql } from "drizzle-orm";
import { PgliteDatabase } from "drizzle-orm/pglite";
import type { Database } from "../database/database.ts";
import {
  binding,
  blindedGrantees,
  emergencyReaders,
  enrolments,
  envelopeKeys,
  examSeries,
  exams,
  manifestInstances,
  settings,
} from "../database/schema.ts";

/** The tables that hold secrets of exams. Events of the ledger and receipts hold none. */
const HOLD_SECRETS = [
  ...[exams, examSeries, manifestInstances, enrolments],
  ...[blindedGrantees, emergencyReaders, envelopeKeys],
];

const DUE = "sweep-due";

/** PostgreSQL's code for what its user may not do. */
const NOT_PERMITTED = "42501";

/** Write down that there is something to sweep, within the transaction that deletes it. */
export async function markSweepDue(tx: Database): Promise<void> {
  await tx.insert(settings).values({ name: DUE, value: "1" }).onConflictDoNothing();
}

/**
 * Rewrite the tables that secrets were deleted from, if that is due. Who reads one of them waits meanwhile.
 * @returns whether the write-ahead log was cut off behind them, too
 */
export async function sweep(database: Database): Promise<boolean> {
  if ((await database.$count(settings, eq(settings.name, DUE))) === 0) return true;
  for (const table of HOLD_SECRETS) {
    await database.execute(sql.raw(`vacuum (full, analyze) ${getTableName(table)}`));
  }
  const isCut = await cutLog(database);
  await database.delete(settings).where(eq(settings.name, DUE));
  return isCut;
}

/**
 * Begin another file of the write-ahead log, and have those before it removed, where that is in this user's power. PGlite
 * does as this session says. A server may keep old files to write them over, and then they hold what was deleted.
 */
async function cutLog(database: Database): Promise<boolean> {
  try {
    return await database.transaction(async (tx) => {
      if (database instanceof PgliteDatabase) await tx.execute(sql`set local wal_recycle = off`);
      await tx.execute(sql`select pg_switch_wal()`);
      await tx.execute(sql`checkpoint`);
      const isOff = sql`select 1 from pg_settings where name = 'wal_recycle' and setting = 'off'`;
      const [found] = await tx.select({ isOff: sql<boolean>`exists (${isOff})` }).from(binding);
      return found?.isOff === true;
    });
  } catch (error) {
    if (isNotPermitted(error)) return false;
    throw error;
  }
}

/** Drizzle wraps what the driver said in the query that failed. */
function isNotPermitted(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && cause.code === NOT_PERMITTED;
}
