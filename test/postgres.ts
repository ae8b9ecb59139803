/** PostgreSQL for tests: a server of its own, with a folder of its own, as Debian packages it. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { chmod, cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { freePort } from "./freePort.ts";
import { until } from "./world.ts";

/** A running server: a database to use, and the ways to end it. */
export interface Postgres {
  /** For `DATABASE_URL`. */
  url: string;
  /** The folder that it keeps all in. */
  data: string;
  /** End the server, as a fault would. */
  stop(): Promise<void>;
  /** Start it again, with what it had. */
  start(): Promise<void>;
  /** Put a copy of all that it has aside, and go on. */
  backUp(): Promise<void>;
  /** Go back to the copy. */
  restore(): Promise<void>;
  /** End it, and remove its folder. */
  close(): Promise<void>;
}

/** The server's program, of the newest version that is installed, or null. */
export function findPostgres(): string | null {
  return globSync("/usr/lib/postgresql/*/bin/postgres").sort().at(-1) ?? null;
}

/**
 * Start a server on a free port of 127.0.0.1. Call only where `findPostgres` finds one.
 * @param within the folder to make its own folder in, to choose what it is stored on
 */
export async function startPostgres(within = tmpdir()): Promise<Postgres> {
  const program = findPostgres();
  if (!program) throw new Error("PostgreSQL is not installed");
  const folder = await mkdtemp(join(within, "examkey-postgres-"));
  const identity = await ownerOf(folder);
  const [data, backup] = [join(folder, "data"), join(folder, "backup")];
  const asOwner = { ...identity, cwd: folder, stdio: "ignore" } as const;
  const initdb = join(dirname(program), "initdb");
  const cluster = ["-A", "trust", "-U", "examkey", "--no-sync", "--wal-segsize=1"];
  execFileSync(initdb, ["-D", data, ...cluster], asOwner);
  const port = await freePort();
  const settings = [
    "listen_addresses=127.0.0.1",
    `unix_socket_directories=${folder}`,
    "min_wal_size=4MB",
    "max_wal_size=8MB",
    // As operations.md says for erasures.
    "wal_recycle=off",
  ];
  const options = settings.flatMap((setting) => ["-c", setting]);
  let server: ChildProcess;
  let ended: Promise<unknown>;
  const start = async () => {
    server = spawn(program, ["-D", data, "-p", String(port), ...options], asOwner);
    ended = once(server, "close");
    await until("PostgreSQL answers", async () => answers(dirname(program), port));
  };
  const stop = async () => {
    server.kill("SIGQUIT");
    await ended;
  };
  const copy = async (from: string, to: string) => {
    await stop();
    await rm(to, { recursive: true, force: true, maxRetries: 3 });
    await cp(from, to, { recursive: true });
    if (identity.uid !== undefined) execFileSync("chown", ["-R", "postgres", to]);
    await start();
  };
  await start();
  return {
    url: `postgresql://examkey@127.0.0.1:${port}/postgres`,
    data,
    stop,
    start,
    backUp: () => copy(data, backup),
    restore: () => copy(backup, data),
    async close() {
      await stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** PostgreSQL refuses root: then the folder is the user's that the package made. */
async function ownerOf(folder: string): Promise<{ uid?: number; gid?: number }> {
  await chmod(folder, 0o700);
  if (process.getuid?.() !== 0) return {};
  execFileSync("chown", ["postgres", folder]);
  const idOf = (which: string) => Number(execFileSync("id", [which, "postgres"]));
  return { uid: idOf("-u"), gid: idOf("-g") };
}

function answers(programs: string, port: number): boolean {
  try {
    execFileSync(join(programs, "pg_isready"), ["-h", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
