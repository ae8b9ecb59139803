/** One process for one data folder: PGlite loses rows, without an error, when two open the same folder. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ConfigError } from "../config.ts";

/** SQLite's code for a database that another connection holds. */
const SQLITE_BUSY = 5;

/**
 * Take the folder for this process until `release`, or until the process ends in whatever way.
 *
 * Node has no file locks of its own. An exclusive SQLite transaction is one that the operating system
 * releases when its holder is killed, which a file with a process id in it is not.
 * @throws {ConfigError} when the folder is taken
 */
export function lockFolder(folder: string): { release(): void } {
  const lock = new DatabaseSync(join(folder, "lock"));
  try {
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    if (!(error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY)) throw error;
    throw new ConfigError(
      `DATA_DIR: another gateway is using ${folder}. Stop it, or set DATA_DIR to another folder.`,
    );
  }
  return { release: () => lock.close() };
}
