/** Receipts of decisions, what is in them, and where they are anchored. */
import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
} from "drizzle-orm/pg-core";
import type { Hex } from "../../../protocol/hash.ts";
import type { ProblemReason } from "../../../protocol/reasons.ts";
import type { ERASE } from "../../../protocol/receipt.ts";
import type { Action, Purpose } from "../../../protocol/terms.ts";
import { hex, seconds } from "./columns.ts";

/**
 * Keys of envelopes: each exam's, and each caller's for what no exam stands behind. Deleting a row erases what its
 * envelopes say.
 */
export const envelopeKeys = pgTable("envelope_keys", {
  /** An exam's id, or a caller's address. */
  subject: hex("subject").primaryKey(),
  keyId: hex("key_id").notNull().unique(),
  key: hex("key").notNull(),
});

/** The last sequence number of the audit. One row, which is there from the first migration to receipts on, locked by each commit. */
export const auditCounter = pgTable(
  "audit_counter",
  {
    id: integer().primaryKey().default(1),
    last: bigint({ mode: "number" }).notNull(),
  },
  (table) => [check("audit_counter_is_one_row", sql`${table.id} = 1`)],
);

/** What a receipt says in clear: the same columns wherever a decision is kept. */
const decided = {
  /** Without gaps. */
  seq: bigint({ mode: "number" }).primaryKey(),
  /** Milliseconds since 1970-01-01 UTC. */
  decidedAt: bigint("decided_at_ms", { mode: "number" }).notNull(),
  purpose: text().$type<Purpose>().notNull(),
  action: text().$type<Action | typeof ERASE>().notNull(),
  /** Which kind of question, such as `retrieve-frames`; never a path, which would hold UIDs. */
  route: text().notNull(),
  /** What the caller was told; `permitted` for a permit. */
  reason: text().$type<ProblemReason | "permitted">().notNull(),
  chainId: bigint("chain_id", { mode: "number" }).notNull(),
  /** The block that it was decided at; null where no chain could be asked. */
  blockNumber: bigint("block_number", { mode: "number" }),
  blockHash: hex("block_hash"),
};

/** Every decision's receipt, recorded before the first byte that it allows. Who and which exam is in `envelopes`. */
export const receipts = pgTable("receipts", {
  ...decided,
  /** Whether it rests on an emergency. */
  emergency: boolean().notNull().default(false),
  /** What is anchored (`receiptDigest`). */
  digest: hex("digest").notNull(),
  /** In the last row of those that were written together: the first of them, and the operator's signature over all. */
  signedFrom: bigint("signed_from", { mode: "number" }),
  signedAt: seconds("signed_at"),
  signature: hex("signature"),
});

/** The envelopes of receipts: one for each exam, or the caller's own. */
export const envelopes = pgTable(
  "envelopes",
  {
    seq: bigint({ mode: "number" }).notNull(),
    position: integer().notNull(),
    envelope: hex("envelope").notNull(),
    /** As the envelope itself says, which its receipt commits to. */
    keyId: hex("key_id").notNull().generatedAlwaysAs(sql`substr(envelope, 1, 34)`),
  },
  (table) => [
    primaryKey({ columns: [table.seq, table.position] }),
    index("envelopes_key").on(table.keyId, table.seq),
  ],
);

/** The custodian's anchors, as they were last read from `AccessLog`: the chain says what is anchored, this is a copy. */
export const anchors = pgTable("anchors", {
  /** Position among the custodian's anchors. */
  index: integer().primaryKey(),
  root: hex("root").notNull(),
  first: bigint({ mode: "number" }).notNull(),
  last: bigint({ mode: "number" }).notNull(),
  anchoredAt: seconds("anchored_at").notNull(),
  /** The roots over its chunks of receipts, for proofs; null where the receipts here do not make its root. */
  chunkRoots: jsonb("chunk_roots").$type<Hex[]>(),
});

/**
 * Decisions of before there were receipts, all of it in clear. They are sealed at the next start (`sealEarlier`), and the
 * table is empty from then on.
 */
export const decisions = pgTable(
  "decisions",
  {
    ...decided,
    caller: hex("caller").notNull(),
    tokenId: text("token_id").notNull(),
    permitted: boolean().notNull(),
    /** Null where the caller asked for something that no exam stands behind. */
    examId: hex("exam_id"),
    /** For a search: the exams that were shown. */
    shown: jsonb().$type<Hex[]>(),
  },
  (table) => [
    index("decisions_exam").on(table.examId, table.seq),
    index("decisions_caller").on(table.caller),
  ],
);
