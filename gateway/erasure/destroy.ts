/**
 * The erasure itself, in one transaction: all that ties an exam to a study goes, with the keys of who read it, and a receipt
 * says so. Before it nothing is lost, and after it nothing is left.
 */
import { and, eq, inArray, isNotNull, like, notExists, notInArray, or, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/pg-core";
import type { Hex } from "../../protocol/hash.ts";
import { ERASE } from "../../protocol/receipt.ts";
import { EnvelopeKeys } from "../audit/envelopeKeys.ts";
import { type Signer, writeNext } from "../audit/log.ts";
import { type Decision, sealAll } from "../audit/sealing.ts";
import type { Database } from "../database/database.ts";
import {
  blindedGrantees,
  emergencyEvents,
  emergencyReaders,
  enrolments,
  envelopeKeys,
  examSeries,
  exams,
  ledgerEvents,
  manifestInstances,
  outbox,
  relays,
} from "../database/schema.ts";
import type { Scope } from "./scope.ts";
import { markSweepDue } from "./sweep.ts";

/** Receipts' `route` of an erasure. */
const ROUTE = "erase";

/** Parameters in one statement. */
const AT_ONCE = 1_000;

/**
 * Destroy what a scope holds.
 * @returns false where more came in meanwhile that has to be closed and retired first: then nothing was destroyed
 */
export async function destroyScope(
  database: Database,
  { pointers, leaving }: Scope,
  { signer, chainId }: { signer: Signer; chainId: number },
): Promise<boolean> {
  const examIds = pointers.map(({ examId }) => examId);
  return database.transaction(async (tx) => {
    const ids = leaving.map(({ id }) => id);
    // No exam can come in under an enrolment that is locked so.
    await tx.select().from(enrolments).where(inArray(enrolments.id, ids)).for("update");
    const later = and(inArray(exams.enrolmentId, ids), notInArray(exams.examId, examIds));
    if (ids.length > 0 && (await tx.$count(exams, later)) > 0) return false;
    const left = await tx.select().from(exams).where(inArray(exams.examId, examIds)).for("update");
    await destroyGrants(tx, left);
    for (const table of [manifestInstances, examSeries, outbox, emergencyEvents, emergencyReaders])
      await tx.delete(table).where(inArray(table.examId, examIds));
    await tx.delete(exams).where(inArray(exams.examId, examIds));
    const gone = await destroyEnrolments(tx, left, ids);
    await markSweepDue(tx);
    // Last, since all who record wait for the counter from here on.
    const subjects = [...left.map(({ examId }) => examId), ...gone];
    await destroyKeys(tx, subjects, { signer, chainId });
    return true;
  });
}

/** What the ledger's events said of the exam: copies, by which names were found; and names that nothing else is granted to. */
async function destroyGrants(tx: Database, pointers: Scope["pointers"]): Promise<void> {
  for (const { examId, patient } of pointers) {
    const series = await tx.select().from(examSeries).where(eq(examSeries.examId, examId));
    const resources = [examId, ...series.map(({ resource }) => resource)];
    const about = and(eq(ledgerEvents.patient, patient), inArray(ledgerEvents.resource, resources));
    const touched = await tx
      .selectDistinct({ grantee: ledgerEvents.grantee })
      .from(ledgerEvents)
      .where(about);
    await tx.delete(ledgerEvents).where(about);
    // What is still under way holds a nonce of the relay's; it goes as all acts do, some time after it was settled.
    const named = or(...resources.map((resource) => like(relays.data, `%${resource.slice(2)}%`)));
    await tx.delete(relays).where(and(eq(relays.patient, patient), relays.isSettled, named));
    const grantees = touched.flatMap(({ grantee }) => grantee ?? []);
    const other = alias(ledgerEvents, "other");
    const inUse = tx
      .select({ one: sql`1` })
      .from(other)
      .where(and(eq(other.patient, patient), eq(other.grantee, blindedGrantees.grantee)));
    await tx
      .delete(blindedGrantees)
      .where(
        and(
          eq(blindedGrantees.patient, patient),
          inArray(blindedGrantees.grantee, grantees),
          notExists(inUse),
        ),
      );
  }
}

/**
 * The enrolments of who leaves, and those that ended and have no exam any more.
 * @returns addresses that nobody here is enrolled under any more
 */
async function destroyEnrolments(tx: Database, pointers: Scope["pointers"], ids: number[]): Promise<Hex[]> {
  const before = pointers.map(({ enrolmentId }) => enrolmentId);
  const inUse = tx.select({ id: exams.enrolmentId }).from(exams);
  const isOver = and(
    inArray(enrolments.id, before),
    isNotNull(enrolments.endedAt),
    notInArray(enrolments.id, inUse),
  );
  const ended = await tx
    .delete(enrolments)
    .where(or(inArray(enrolments.id, ids), isOver))
    .returning();
  const addresses = [...new Set(ended.map(({ patient }) => patient))];
  const still = await tx.select().from(enrolments).where(inArray(enrolments.patient, addresses));
  const gone = addresses.filter((address) => !still.some(({ patient }) => patient === address));
  await tx.delete(blindedGrantees).where(inArray(blindedGrantees.patient, gone));
  await tx.delete(ledgerEvents).where(inArray(ledgerEvents.patient, gone));
  await tx.delete(relays).where(and(inArray(relays.patient, gone), relays.isSettled));
  return gone;
}

/**
 * Destroy the keys of exams and addresses, with a receipt for each. It has an envelope under that very key: the key's id,
 * in clear at its beginning, says for ever which key went, and nobody can say whose it was.
 */
async function destroyKeys(
  tx: Database,
  subjects: readonly Hex[],
  { signer, chainId }: { signer: Signer; chainId: number },
): Promise<void> {
  const decisions = subjects.map((subject) => erasureOf(subject, { signer, chainId }));
  for (let first = 0; first < subjects.length; first += AT_ONCE) {
    const sealed = await sealAll(new EnvelopeKeys(tx), decisions.slice(first, first + AT_ONCE));
    await writeNext(tx, sealed, signer);
  }
  await tx.delete(envelopeKeys).where(inArray(envelopeKeys.subject, [...subjects]));
}

function erasureOf(subject: Hex, { signer, chainId }: { signer: Signer; chainId: number }): Decision {
  const isExam = subject.length > 42;
  return {
    decidedAt: Date.now(),
    purpose: "PATRQT",
    action: ERASE,
    route: ROUTE,
    reason: "permitted",
    emergency: false,
    chainId,
    blockNumber: null,
    blockHash: null,
    tokenId: "",
    caller: isExam ? signer.custodian : subject,
    exams: isExam ? [subject] : [],
  };
}
