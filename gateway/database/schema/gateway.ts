/** What a gateway keeps for itself, or shares with the others over its database. */
import { sql } from "drizzle-orm";
import { bigint, check, integer, pgTable, text } from "drizzle-orm/pg-core";
import { hex, seconds } from "./columns.ts";

/** Which ledger on which chain this database belongs to. One row. */
export const binding = pgTable(
  "binding",
  {
    id: integer().primaryKey().default(1),
    chainId: bigint("chain_id", { mode: "number" }).notNull(),
    genesisHash: hex("genesis_hash").notNull(),
    consentLedger: hex("consent_ledger").notNull(),
    custodian: hex("custodian").notNull(),
  },
  (table) => [check("binding_is_one_row", sql`${table.id} = 1`)],
);

/** What the gateway made for itself once, such as the secret that signs tokens. */
export const settings = pgTable("settings", { name: text().primaryKey(), value: text().notNull() });

/** What one gateway alone does for a while, of those that share this database. A lease that was not given back ends by itself. */
export const leases = pgTable("leases", {
  name: text().primaryKey(),
  holder: text().notNull(),
  /** By the database's clock. */
  until: seconds("until").notNull(),
});
