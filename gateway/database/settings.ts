/** Secrets that the gateway makes once and keeps. */
import { randomBytes } from "node:crypto";
import { eq } from "drizzle-orm";
import type { Database } from "./database.ts";
import { settings } from "./schema.ts";

/** The secret kept under a name: 32 random bytes in hexadecimal, made at the first call. */
export async function keptSecret(database: Database, name: string): Promise<string> {
  await database
    .insert(settings)
    .values({ name, value: randomBytes(32).toString("hex") })
    .onConflictDoNothing();
  const [kept] = await database.select().from(settings).where(eq(settings.name, name));
  if (!kept) throw new Error(`The database lost the setting ${name}.`);
  return kept.value;
}
