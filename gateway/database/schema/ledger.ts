/** What the contracts logged, as far as it was followed. */
import { bigint, boolean, index, integer, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import type { EmergencyReason } from "../../../protocol/reasons.ts";
import { hex, seconds } from "./columns.ts";

/** What the ledger said about grants. */
export type LedgerEventKind = "granted" | "revoked" | "revoked-all";

/**
 * Grants and revokes as the ledger logged them, one row for each slot: who may be a candidate for what. Never a decision.
 * A revoke in a block that was reorganised away stays, `orphaned`, until finalised blocks reach its height.
 */
export const ledgerEvents = pgTable(
  "ledger_events",
  {
    blockHash: hex("block_hash").notNull(),
    logIndex: integer("log_index").notNull(),
    /** Which of a batch's resources, from zero; zero where the log is about one. */
    position: integer().notNull().default(0),
    blockNumber: bigint("block_number", { mode: "number" }).notNull(),
    blockTime: seconds("block_time").notNull(),
    kind: text().$type<LedgerEventKind>().notNull(),
    patient: hex("patient").notNull(),
    /** Null for `revoked-all`. */
    resource: hex("resource"),
    /** Null for `revoked-all`. */
    grantee: hex("grantee"),
    /** The terms word; null but for `granted`. */
    terms: hex("terms"),
    /** The slot's nonce after the event (`slotNonces.ts`); null for `revoked-all`. */
    nonce: bigint({ mode: "number" }),
    orphaned: boolean().notNull().default(false),
  },
  (table) => [
    primaryKey({ columns: [table.blockHash, table.logIndex, table.position] }),
    index("ledger_events_grantee").on(table.grantee, table.resource),
    index("ledger_events_patient").on(table.patient, table.resource),
    index("ledger_events_block").on(table.blockNumber),
  ],
);

/**
 * Emergencies as `EmergencyAccess` logged them. What was opened in a block that was reorganised away is deleted; what was
 * closed stays closed: a reader's blinded name is used once, so nothing that comes later needs it open.
 */
export const emergencyEvents = pgTable(
  "emergency_events",
  {
    blockHash: hex("block_hash").notNull(),
    logIndex: integer("log_index").notNull(),
    blockNumber: bigint("block_number", { mode: "number" }).notNull(),
    blockTime: seconds("block_time").notNull(),
    kind: text().$type<"opened" | "closed">().notNull(),
    examId: hex("exam_id").notNull(),
    /** Blinded, anew for each emergency. */
    reader: hex("reader").notNull(),
    /** Null with `closed`, as all that follows. */
    badge: hex("badge"),
    /** Null also where one signature was enough. */
    second: hex("second"),
    reason: text().$type<EmergencyReason>(),
    until: seconds("until"),
  },
  (table) => [
    primaryKey({ columns: [table.blockHash, table.logIndex] }),
    index("emergency_events_exam").on(table.examId),
    index("emergency_events_reader").on(table.reader),
    index("emergency_events_block").on(table.blockNumber),
  ],
);

/** Blocks up to which events were followed, to resume from and to find a reorganisation's fork by. */
export const followedBlocks = pgTable("followed_blocks", {
  number: bigint({ mode: "number" }).primaryKey(),
  hash: hex("hash").notNull(),
});
