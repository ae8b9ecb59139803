/**
 * The gateway's tables. One dialect: PostgreSQL, or PGlite in this process.
 * Addresses and hashes are lower-case text with `0x`; times are whole seconds since 1970-01-01 UTC
 * except where a name says otherwise.
 */
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
  timestamp,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import type { Hex } from "../../protocol/hash.ts";
import type { ProblemReason } from "../../protocol/reasons.ts";
import type { Action, Purpose } from "../../protocol/terms.ts";

const hex = (name: string) => text(name).$type<Hex>();
const seconds = (name: string) => bigint(name, { mode: "number" });

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

/** That a patient id belongs to an address, signed by the operator for the custodian (EIP-712 `Enrolment`). */
export const enrolments = pgTable(
  "enrolments",
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    patientId: text("patient_id").notNull(),
    /** Empty where the archive names none. */
    issuer: text().notNull(),
    patient: hex("patient").notNull(),
    salt: hex("salt").notNull(),
    issuedAt: seconds("issued_at").notNull(),
    signature: hex("signature").notNull(),
    /** When another address took its place; null while it holds. */
    endedAt: seconds("ended_at"),
  },
  (table) => [
    uniqueIndex("enrolments_one_live").on(table.patientId, table.issuer).where(sql`${table.endedAt} is null`),
    index("enrolments_patient").on(table.patient),
  ],
);

/** How far the registration of an exam is: salt kept, on chain, or taken back. */
export type ExamState = "pending" | "registered" | "retired";

/** Exam pointers. The salt is committed here before the transaction that uses it is sent. */
export const exams = pgTable(
  "exams",
  {
    examId: hex("exam_id").primaryKey(),
    enrolmentId: integer("enrolment_id")
      .notNull()
      .references(() => enrolments.id),
    studyInstanceUid: text("study_instance_uid").notNull(),
    patient: hex("patient").notNull(),
    salt: hex("salt").notNull(),
    commitment: hex("commitment").notNull(),
    manifestRoot: hex("manifest_root").notNull(),
    /** What the archive listed when the manifest was made, digested: a cheap test for change. */
    contents: text().notNull(),
    state: text().$type<ExamState>().notNull(),
    /** Genesis of the chain that it was first registered on. */
    firstGenesisHash: hex("first_genesis_hash").notNull(),
  },
  (table) => [
    uniqueIndex("exams_one_live_pointer").on(table.studyInstanceUid).where(sql`${table.state} <> 'retired'`),
    index("exams_patient").on(table.patient),
  ],
);

/**
 * Series of exams, by the resource that a grant for one names: those of the last registration or refresh, and what came
 * later, from when somebody was told its resource.
 */
export const examSeries = pgTable(
  "exam_series",
  {
    resource: hex("resource").primaryKey(),
    examId: hex("exam_id")
      .notNull()
      .references(() => exams.examId),
    seriesInstanceUid: text("series_instance_uid").notNull(),
    commitment: hex("commitment").notNull(),
    /** Frames at the last registration or refresh; null where nobody has counted them: it came later, or counting did. */
    images: integer(),
  },
  (table) => [index("exam_series_exam").on(table.examId)],
);

/** Whom the custodian knows as practitioners. */
export const practitioners = pgTable("practitioners", {
  address: hex("address").primaryKey(),
  name: text().notNull(),
  role: text().notNull(),
});

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

/** Blocks up to which events were followed, to resume from and to find a reorganisation's fork by. */
export const followedBlocks = pgTable("followed_blocks", {
  number: bigint({ mode: "number" }).primaryKey(),
  hash: hex("hash").notNull(),
});

/** The last sequence number of the audit. One row, locked by each commit. */
export const auditCounter = pgTable(
  "audit_counter",
  {
    id: integer().primaryKey().default(1),
    last: bigint({ mode: "number" }).notNull(),
  },
  (table) => [check("audit_counter_is_one_row", sql`${table.id} = 1`)],
);

/** Every decision, recorded before the first byte that it allows. Holds exam ids, never UIDs. */
export const decisions = pgTable(
  "decisions",
  {
    /** Without gaps. */
    seq: bigint({ mode: "number" }).primaryKey(),
    /** Milliseconds since 1970-01-01 UTC. */
    decidedAt: bigint("decided_at_ms", { mode: "number" }).notNull(),
    caller: hex("caller").notNull(),
    tokenId: text("token_id").notNull(),
    purpose: text().$type<Purpose>().notNull(),
    action: text().$type<Action>().notNull(),
    /** Which kind of question, such as `retrieve-frames`; never a path, which would hold UIDs. */
    route: text().notNull(),
    permitted: boolean().notNull(),
    /** What the caller was told; `permitted` for a permit. */
    reason: text().$type<ProblemReason | "permitted">().notNull(),
    /** Null where the caller asked for something that no exam stands behind. */
    examId: hex("exam_id"),
    /** For a search: the exams that were shown. */
    shown: jsonb().$type<Hex[]>(),
    chainId: bigint("chain_id", { mode: "number" }).notNull(),
    /** The block that it was decided at; null where no chain could be asked. */
    blockNumber: bigint("block_number", { mode: "number" }),
    blockHash: hex("block_hash"),
  },
  (table) => [
    index("decisions_exam").on(table.examId, table.seq),
    index("decisions_caller").on(table.caller),
  ],
);
