/** Leases: what one gateway alone does for a while, of those that share a database. */
import { and, eq, sql } from "drizzle-orm";
import type { Database } from "./database.ts";
import { leases } from "./schema.ts";

/**
 * Take or renew a lease, or learn that another has it. By the database's clock: gateways' may differ.
 * @param seconds after which it ends by itself, should the holder be gone
 */
export async function takeLease(
  database: Database,
  { name, holder, seconds }: { name: string; holder: string; seconds: number },
): Promise<boolean> {
  const now = sql`extract(epoch from clock_timestamp())::bigint`;
  const lease = { name, holder, until: sql`${now} + ${seconds}::bigint` };
  const taken = await database
    .insert(leases)
    .values(lease)
    .onConflictDoUpdate({
      target: leases.name,
      set: lease,
      setWhere: sql`${leases.holder} = ${holder} or ${leases.until} <= ${now}`,
    })
    .returning({ name: leases.name });
  return taken.length > 0;
}

/** Give a lease back, if it is still one's own. */
export async function giveBackLease(
  database: Database,
  { name, holder }: { name: string; holder: string },
): Promise<void> {
  await database.delete(leases).where(and(eq(leases.name, name), eq(leases.holder, holder)));
}
