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
  numeric,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import type { Hex } from "../../protocol/hash.ts";
import type { EmergencyReason, ProblemReason } from "../../protocol/reasons.ts";
import type { ERASE } from "../../protocol/receipt.ts";
import type { RelayState } from "../../protocol/relay.ts";
import type { Action, Purpose } from "../../protocol/terms.ts";
import type { Act } from "../../protocol/typedData.ts";

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

/** How far the registration of an exam is: salt kept, on chain, taken back, or closed to everybody until it is erased. */
export type ExamState = "pending" | "registered" | "retired" | "erasing";

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
    index("exams_erasing").on(table.examId).where(sql`${table.state} = 'erasing'`),
  ],
);

/**
 * Studies that were erased while the archive keeps them, so that they are not registered again: each a keyed hash of its
 * UID (`Seal`), beside nothing. Who has the UID and the key, which is not in the database, learns that this study is among
 * them.
 */
export const withheldStudies = pgTable("withheld_studies", { tag: text().primaryKey() });

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

/**
 * What exams' manifests are made of: the digests of every instance's frames, as the archive had them when they were first
 * read. They stay as they are when an exam grows, and when the archive has others: that is how a change is found.
 */
export const manifestInstances = pgTable(
  "manifest_instances",
  {
    examId: hex("exam_id")
      .notNull()
      .references(() => exams.examId),
    seriesInstanceUid: text("series_instance_uid").notNull(),
    sopInstanceUid: text("sop_instance_uid").notNull(),
    /** SHA-256 of each frame's stored bytes, in order; none for an instance without pixels. */
    digests: text("digests").array().$type<Hex[]>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.examId, table.sopInstanceUid] })],
);

/**
 * Exams that the ledger has yet to be brought to: registered where it has none, amended where it has another manifest. A
 * row is there before anything is sent, and until the ledger has it for good; the exam's own row says what it should have.
 */
export const outbox = pgTable(
  "outbox",
  {
    examId: hex("exam_id")
      .primaryKey()
      .references(() => exams.examId),
    /** One more whenever something else is wanted of the exam: what is done for an older one finishes nothing. */
    revision: integer().notNull().default(1),
    /** When it was first wanted, in milliseconds since 1970-01-01 UTC. */
    since: bigint("since_ms", { mode: "number" }).notNull(),
    /** When it is looked at again, in the same; whoever takes it moves this on, so that no other does. */
    dueAt: bigint("due_at_ms", { mode: "number" }).notNull(),
    /** Failures in a row. */
    failures: integer().notNull().default(0),
    /** The last of them; null while nothing is wrong. */
    why: text(),
    /** Whether the head has it; until enough blocks are on top, a reorganisation may take it back. */
    there: boolean().notNull().default(false),
    /** Who sends the transaction, and under which nonce: kept before it is sent, so that no second one can take effect. */
    sender: hex("sender"),
    nonce: bigint({ mode: "number" }),
    /** Until it is mined. Each sender has one in flight. */
    inFlight: boolean("in_flight").notNull().default(false),
    /** When it was last given to a node, in milliseconds since 1970-01-01 UTC; null where no node took it yet. */
    sentAt: bigint("sent_at_ms", { mode: "number" }),
    /** How often, under this nonce. */
    sendings: integer().notNull().default(0),
    /** What it offers for a unit of gas, in wei: with the base fee, and on top of it. */
    maxFee: numeric("max_fee", { precision: 78, scale: 0, mode: "bigint" }),
    priorityFee: numeric("priority_fee", { precision: 78, scale: 0, mode: "bigint" }),
  },
  (table) => [
    uniqueIndex("outbox_one_in_flight").on(table.sender).where(sql`${table.inFlight}`),
    index("outbox_due").on(table.dueAt),
  ],
);

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

/** Whom the custodian knows as practitioners. */
export const practitioners = pgTable("practitioners", {
  address: hex("address").primaryKey(),
  name: text().notNull(),
  role: text().notNull(),
  /** The address that they sign emergencies with, and nothing else; null for none. No two people have one. */
  badge: hex("badge").unique(),
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

/**
 * Whose blinded grantees are, as patients or readers told. Reader and salt are sealed, and found again by a tag of the
 * reader's address: without the key, these rows name nobody.
 */
export const blindedGrantees = pgTable(
  "blinded_grantees",
  {
    patient: hex("patient").notNull(),
    grantee: hex("grantee").notNull(),
    readerTag: text("reader_tag").notNull(),
    sealed: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.patient, table.grantee] }),
    index("blinded_grantees_reader").on(table.readerTag),
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

/** Who reads in an emergency, written before it is sent to the chain. Reader and salt are sealed, as blinded grantees' are. */
export const emergencyReaders = pgTable(
  "emergency_readers",
  {
    /** The blinded name. */
    reader: hex("reader").primaryKey(),
    examId: hex("exam_id").notNull(),
    readerTag: text("reader_tag").notNull(),
    sealed: text().notNull(),
  },
  (table) => [index("emergency_readers_tag").on(table.readerTag)],
);

/** Blocks up to which events were followed, to resume from and to find a reorganisation's fork by. */
export const followedBlocks = pgTable("followed_blocks", {
  number: bigint({ mode: "number" }).primaryKey(),
  hash: hex("hash").notNull(),
});

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

/** What one gateway alone does for a while, of those that share this database. A lease that was not given back ends by itself. */
export const leases = pgTable("leases", {
  name: text().primaryKey(),
  holder: text().notNull(),
  /** By the database's clock. */
  until: seconds("until").notNull(),
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
