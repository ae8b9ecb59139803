/**
 * The outbox: what the ledger has yet to be brought to, as rows that outlive this process.
 *
 * Any number of gateways may take rows of one database. Times are by their own clocks, which may differ a little: they
 * say when a row is looked at again. What keeps a transaction from taking effect twice is its nonce, which is written
 * here before it is sent.
 */
import { and, asc, desc, eq, isNotNull, isNull, lte, notExists, or, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/pg-core";
import type { Hex } from "../../protocol/hash.ts";
import type { Fees } from "../chain/transactions.ts";
import { type Database, isDouble } from "../database/database.ts";
import { exams, outbox } from "../database/schema.ts";

export type OutboxRow = typeof outbox.$inferSelect;

/** Milliseconds for which a row that was taken is its taker's alone: longer than any question to a node takes. */
const TAKEN = 30_000;

/** Want an exam on the ledger as its row in `exams` says: to be called in the transaction that writes that row. */
export async function putInOutbox(database: Database, examId: Hex): Promise<void> {
  const now = Date.now();
  await database
    .insert(outbox)
    .values({ examId, since: now, dueAt: now })
    .onConflictDoUpdate({
      target: outbox.examId,
      set: { revision: sql`${outbox.revision} + 1`, dueAt: now, failures: 0, why: null, there: false },
    });
}

/** Put every exam in that is pending and not in it yet. */
export async function putPendingInOutbox(database: Database): Promise<void> {
  const now = Date.now();
  const pending = await database
    .select({ examId: exams.examId })
    .from(exams)
    .leftJoin(outbox, eq(outbox.examId, exams.examId))
    .where(and(eq(exams.state, "pending"), isNull(outbox.examId)));
  for (const { examId } of pending) {
    await database.insert(outbox).values({ examId, since: now, dueAt: now }).onConflictDoNothing();
  }
}

/**
 * A row that is due, for the caller alone; null where there is none. While a sender's transaction is in flight, only it is
 * given, and those that were mined already.
 */
export async function takeDue(database: Database, sender: Hex): Promise<OutboxRow | null> {
  const now = Date.now();
  const other = alias(outbox, "other");
  const inFlight = database
    .select({ examId: other.examId })
    .from(other)
    .where(and(other.inFlight, eq(other.sender, sender)));
  const due = database
    .select({ examId: outbox.examId })
    .from(outbox)
    .where(and(lte(outbox.dueAt, now), or(isNotNull(outbox.nonce), notExists(inFlight))))
    .orderBy(desc(outbox.inFlight), sql`${outbox.nonce} asc nulls last`, asc(outbox.since))
    .limit(1)
    .for("update", { skipLocked: true });
  const [row] = await database
    .update(outbox)
    .set({ dueAt: now + TAKEN })
    .where(eq(outbox.examId, sql`(${due})`))
    .returning();
  return row ?? null;
}

/** Look at a row again at a time, in milliseconds since 1970-01-01 UTC; at once where something else is wanted by now. */
export async function lookAgain(database: Database, row: OutboxRow, dueAt: number): Promise<void> {
  await database.update(outbox).set({ dueAt }).where(asTaken(row));
}

/** Set one nonce aside for a row. False where the sender has another transaction in flight, or the row has a nonce. */
export async function reserveNonce(
  database: Database,
  row: OutboxRow,
  { sender, nonce, fees }: { sender: Hex; nonce: number; fees: Fees },
): Promise<boolean> {
  const reserved = await database
    .update(outbox)
    .set({ sender, nonce, inFlight: true, sentAt: null, sendings: 0, ...fees })
    .where(
      and(
        eq(outbox.examId, row.examId),
        row.nonce === null ? isNull(outbox.nonce) : eq(outbox.nonce, row.nonce),
      ),
    )
    .returning()
    .catch(refusedAsDouble);
  return reserved.length > 0;
}

/** Put a transaction in flight again that a reorganisation took back. False where the sender has another in flight. */
export async function putInFlight(database: Database, row: OutboxRow): Promise<boolean> {
  const back = await database
    .update(outbox)
    .set({ inFlight: true, sentAt: null, there: false })
    .where(withItsNonce(row))
    .returning()
    .catch(refusedAsDouble);
  return back.length > 0;
}

/** Write down what the next sending offers, before it is sent. */
export async function offerFees(database: Database, row: OutboxRow, fees: Fees): Promise<void> {
  await database.update(outbox).set(fees).where(withItsNonce(row));
}

/** A node has the transaction. */
export async function markSent(database: Database, row: OutboxRow): Promise<void> {
  const now = Date.now();
  const sent = { sentAt: now, sendings: row.sendings + 1, failures: 0, why: null };
  await database
    .update(outbox)
    .set({ ...sent, dueAt: now })
    .where(withItsNonce(row));
}

/** The head has what is wanted: the next transaction may be sent. */
export async function markThere(database: Database, row: OutboxRow, dueAt: number): Promise<void> {
  await database
    .update(outbox)
    .set({ there: true, inFlight: false, failures: 0, why: null, dueAt })
    .where(asTaken(row));
}

/** The nonce is used up, or was never sent: another may be set aside. */
export async function releaseNonce(database: Database, row: OutboxRow): Promise<void> {
  const free = { sender: null, nonce: null, inFlight: false, sentAt: null, sendings: 0, there: false };
  await database
    .update(outbox)
    .set({ ...free, maxFee: null, priorityFee: null })
    .where(withItsNonce(row));
}

/** Something went wrong that waiting may mend. */
export async function markFailed(
  database: Database,
  row: OutboxRow,
  { why, dueAt }: { why: string; dueAt: number },
): Promise<void> {
  const failed = { why, failures: row.failures + 1, dueAt, there: false };
  await database.update(outbox).set(failed).where(asTaken(row));
}

/** The ledger has what was wanted, for good. Nothing is removed where something else is wanted by now. */
export async function finish(database: Database, row: OutboxRow): Promise<void> {
  await database.delete(outbox).where(asTaken(row));
}

function asTaken({ examId, revision }: OutboxRow) {
  return and(eq(outbox.examId, examId), eq(outbox.revision, revision));
}

function withItsNonce({ examId, nonce }: OutboxRow) {
  return and(eq(outbox.examId, examId), nonce === null ? isNull(outbox.nonce) : eq(outbox.nonce, nonce));
}

function refusedAsDouble(error: unknown): [] {
  if (isDouble(error)) return [];
  throw error;
}
