/** Opens the gateway's database and brings its tables up to date. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PGlite } from "@electric-sql/pglite";
import { drizzle as drizzlePostgres } from "drizzle-orm/node-postgres";
import { migrate as migratePostgres } from "drizzle-orm/node-postgres/migrator";
import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core";
import { drizzle as drizzlePglite } from "drizzle-orm/pglite";
import { migrate as migratePglite } from "drizzle-orm/pglite/migrator";
import { Pool, type PoolClient } from "pg";
import { ConfigError, type GatewayConfig } from "../config.ts";
import { lockFolder } from "./lock.ts";

/** The database, or a transaction on it. */
export type Database = PgDatabase<PgQueryResultHKT>;

export type OpenDatabase = { database: Database; close(): Promise<void> };

/** Milliseconds after its end that a connection may still be in the hands of a transaction that is failing. */
const GIVEN_UP_AFTER = 1_000;

/** PostgreSQL's code for a row that a unique index forbids. */
const UNIQUE_VIOLATION = "23505";

/** The advisory lock of who migrates: any number that is ours alone in our database. */
const MIGRATING = 0x6b6579;

const migrationsFolder = fileURLToPath(new URL("./migrations", import.meta.url));

/**
 * PostgreSQL where `databaseUrl` is given, else PGlite in `dataDir`, which this process then holds alone.
 * @throws {ConfigError} when it cannot be opened
 */
export async function openDatabase({
  databaseUrl,
  dataDir,
}: Pick<GatewayConfig, "databaseUrl" | "dataDir">): Promise<OpenDatabase> {
  return databaseUrl ? openPostgres(databaseUrl) : openPglite(dataDir);
}

async function openPostgres(databaseUrl: string): Promise<OpenDatabase> {
  const pool = new Pool({ connectionString: databaseUrl, connectionTimeoutMillis: 5_000, keepAlive: true });
  outliveBreaks(pool);
  const database = drizzlePostgres({ client: pool });
  try {
    await migrateInTurn(pool);
  } catch (error) {
    await pool.end();
    throw new ConfigError(`DATABASE_URL: PostgreSQL cannot be used (${causeOf(error)}).`);
  }
  return { database, close: () => pool.end() };
}

/** Bring the tables up to date; gateways that start at once would get in each other's way, so each waits for the one before. */
async function migrateInTurn(pool: Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query("SELECT pg_advisory_lock($1)", [MIGRATING]);
    await migratePostgres(drizzlePostgres({ client }), { migrationsFolder });
  } finally {
    // The lock is the connection's, and ends with it.
    client.release(true);
  }
}

/**
 * Connections that break are replaced at the next query. Two things would keep the gateway from that: without a listener
 * the break ends the process, and where a transaction cannot even begin, Drizzle never gives its place in the pool back.
 */
function outliveBreaks(pool: Pool): void {
  const inUse = new Set<PoolClient>();
  pool.on("error", () => undefined);
  pool.on("acquire", (client) => inUse.add(client));
  pool.on("release", (_error, client) => inUse.delete(client));
  pool.on("connect", (client) => {
    client.on("error", () => undefined);
    const takeBack = () => {
      if (inUse.delete(client)) client.release(true);
    };
    client.once("end", () => setTimeout(takeBack, GIVEN_UP_AFTER));
  });
}

async function openPglite(dataDir: string): Promise<OpenDatabase> {
  const lock = await takeFolder(dataDir);
  try {
    const folder = join(dataDir, "pglite");
    // It holds the salts and the key of all tokens, and PGlite would let everybody on the machine read them.
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const client = await PGlite.create(folder);
    const database = drizzlePglite({ client });
    await migratePglite(database, { migrationsFolder });
    return {
      database,
      async close() {
        await client.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw new ConfigError(`DATA_DIR: the database in ${dataDir} cannot be opened (${causeOf(error)}).`);
  }
}

async function takeFolder(dataDir: string) {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    return lockFolder(dataDir);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`DATA_DIR: ${dataDir} cannot be used (${causeOf(error)}).`);
  }
}

/** Drizzle wraps what the driver said in the query that failed. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

/** Whether a query failed since there is such a row already. Drizzle wraps what the driver said. */
export function isDouble(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && cause.code === UNIQUE_VIOLATION;
}
