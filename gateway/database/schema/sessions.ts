/** Who has signed in, and whose session was ended. */
import { index, pgTable, text, timestamp } from "drizzle-orm/pg-core";
import { hex, seconds } from "./columns.ts";

/** Nonces that were signed in with (EIP-4361), until they would have run out. */
export const nonces = pgTable("nonces", {
  nonce: text().primaryKey(),
  expiresAt: seconds("expires_at").notNull(),
});

/** Sessions whose signature was made by a contract wallet: its word is asked for again at each renewal. */
export const contractSessions = pgTable("contract_sessions", {
  sessionId: text("session_id").primaryKey(),
  address: hex("address").notNull(),
  message: text().notNull(),
  signature: hex("signature").notNull(),
  expiresAt: seconds("expires_at").notNull(),
});

/** Sessions and tokens that were ended before their time, by `sid` or `jti`, until they would have run out. */
export const revocations = pgTable(
  "revocations",
  {
    id: text().primaryKey(),
    /** By the database's clock, which several gateways share. */
    revokedAt: timestamp("revoked_at", { withTimezone: true }).notNull().defaultNow(),
    expiresAt: seconds("expires_at").notNull(),
  },
  (table) => [index("revocations_revoked_at").on(table.revokedAt)],
);
