/** Whose exams the gateway knows, what is in them, and what the ledger has yet to hear of them. */
import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  index,
  integer,
  numeric,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import type { Hex } from "../../../protocol/hash.ts";
import { hex, seconds } from "./columns.ts";

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
