/** What patients signed and the gateway sends. */
import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  index,
  integer,
  jsonb,
  numeric,
  pgTable,
  text,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import type { Hex } from "../../../protocol/hash.ts";
import type { ProblemReason } from "../../../protocol/reasons.ts";
import type { RelayState } from "../../../protocol/relay.ts";
import type { Act } from "../../../protocol/typedData.ts";
import { hex } from "./columns.ts";

/**
 * Acts that patients signed and the gateway sends. A row is there before anything is sent, and is worked on until finalised
 * blocks have it or can never have it (`isSettled`); it is kept for a while after, for whoever asks, and for the budget.
 */
export const relays = pgTable(
  "relays",
  {
    id: text().primaryKey(),
    /** What was signed (EIP-712): the same act is the same row. */
    digest: hex("digest").notNull().unique(),
    patient: hex("patient").notNull(),
    act: text().$type<Act>().notNull(),
    /** The ledger's call, with the signature in it. */
    data: hex("data").notNull(),
    /** What puts the patient's wallet on the chain first (ERC-6492); null where it is there. */
    factory: hex("factory"),
    factoryData: hex("factory_data"),
    /** When it was taken, in milliseconds since 1970-01-01 UTC. */
    since: bigint("since_ms", { mode: "number" }).notNull(),
    /** When it is looked at again, in the same: later than now where something failed. */
    dueAt: bigint("due_at_ms", { mode: "number" }).notNull(),
    failures: integer().notNull().default(0),
    state: text().$type<RelayState>().notNull().default("queued"),
    /** With `refused`. */
    reason: text().$type<ProblemReason>(),
    isSettled: boolean("is_settled").notNull().default(false),
    /** Who sends the transaction under way, and under which nonce: kept before it is sent. */
    sender: hex("sender"),
    nonce: bigint({ mode: "number" }),
    gas: bigint({ mode: "bigint" }),
    /** What it offers for a unit of gas, in wei: with the base fee, and on top of it. */
    maxFee: numeric("max_fee", { precision: 78, scale: 0, mode: "bigint" }),
    priorityFee: numeric("priority_fee", { precision: 78, scale: 0, mode: "bigint" }),
    /** When it was last given to a node, in milliseconds since 1970-01-01 UTC; null where no node took it yet. */
    sentAt: bigint("sent_at_ms", { mode: "number" }),
    /** How often, under this nonce. */
    sendings: integer().notNull().default(0),
    /** All transactions under this nonce, each offering more than the one before: one of them is mined. */
    hashes: jsonb().$type<Hex[]>().notNull().default([]),
    /** With `mined`: the block, and the transaction, null where somebody else sent the act. */
    block: bigint({ mode: "number" }),
    transaction: hex("transaction"),
    /** Gas that the act may still take, and that it has taken: both are the patient's budget. */
    gasReserved: bigint("gas_reserved", { mode: "number" }).notNull(),
    gasSpent: bigint("gas_spent", { mode: "number" }).notNull().default(0),
  },
  (table) => [
    uniqueIndex("relays_one_nonce").on(table.sender, table.nonce),
    index("relays_open").on(table.since).where(sql`not ${table.isSettled}`),
    index("relays_patient").on(table.patient, table.since),
  ],
);

/**
 * The slots that acts in `relays` write, with the nonces that they were signed for, until they are settled. Those of acts
 * that close deny from the moment that the row is there.
 */
export const relaySlots = pgTable(
  "relay_slots",
  {
    relayId: text("relay_id")
      .notNull()
      .references(() => relays.id, { onDelete: "cascade" }),
    patient: hex("patient").notNull(),
    /** Null for `RevokeAll`, as the grantee: all of the patient's. */
    resource: hex("resource"),
    grantee: hex("grantee"),
    nonce: bigint({ mode: "number" }).notNull(),
    closes: boolean().notNull(),
    /** Whether the nonce is taken: not once the act was refused, while it may deny for longer. */
    isTaken: boolean("is_taken").notNull().default(true),
  },
  (table) => [
    index("relay_slots_patient").on(table.patient),
    index("relay_slots_relay").on(table.relayId),
    uniqueIndex("relay_slots_one_nonce")
      .on(table.patient, table.resource, table.grantee, table.nonce)
      .where(sql`${table.isTaken}`),
  ],
);
