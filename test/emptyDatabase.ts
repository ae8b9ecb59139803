/** An empty database for tests: made once, then copied, since initialising PGlite takes seconds. */
import { createHash } from "node:crypto";
import { cpSync, existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type OpenDatabase, openDatabase } from "../gateway/database/database.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const cache = join(root, "node_modules", ".cache", "examkey");

/** Put an empty database into a data folder, as the gateway itself would make it. */
export async function placeEmptyDatabase(dataDir: string): Promise<void> {
  const template = join(cache, `database-${digestOfSchema()}`);
  if (!existsSync(template)) await makeTemplate(template);
  // A thousand small files: one after the other takes half the time of all at once.
  cpSync(template, dataDir, { recursive: true });
}

/** An empty database in a folder of its own, which goes when it is closed. */
export async function openEmptyDatabase(): Promise<OpenDatabase & { dataDir: string }> {
  const dataDir = await mkdtemp(join(tmpdir(), "examkey-database-"));
  await placeEmptyDatabase(dataDir);
  const { database, close } = await openDatabase({ databaseUrl: null, dataDir });
  const closeAndRemove = async () => {
    await close();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 3 });
  };
  return { database, dataDir, close: closeAndRemove };
}

async function makeTemplate(template: string): Promise<void> {
  await mkdir(cache, { recursive: true });
  const own = await mkdtemp(join(cache, "making-"));
  const { close } = await openDatabase({ databaseUrl: null, dataDir: own });
  await close();
  // Another worker may have been faster: either template will do.
  await rename(own, template).catch(() => rm(own, { recursive: true, force: true }));
}

function digestOfSchema(): string {
  const digest = createHash("sha256");
  for (const path of [
    "gateway/database/migrations/meta/_journal.json",
    "node_modules/@electric-sql/pglite/package.json",
  ]) {
    digest.update(readFileSync(join(root, path)));
  }
  return digest.digest("hex").slice(0, 16);
}
