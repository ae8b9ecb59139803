/** Practitioners, and who is behind a blinded name. */
import { index, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { hex } from "./columns.ts";

/** Whom the custodian knows as practitioners. */
export const practitioners = pgTable("practitioners", {
  address: hex("address").primaryKey(),
  name: text().notNull(),
  role: text().notNull(),
  /** The address that they sign emergencies with, and nothing else; null for none. No two people have one. */
  badge: hex("badge").unique(),
});

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
