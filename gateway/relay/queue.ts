/**
 * The relay's queue, as rows that outlive this process. Any number of gateways over one database take acts; at any time one
 * of them sends (`relayWorker.ts`). What keeps a transaction from being sent twice is its nonce, which is written here, once
 * for each sender, before it is sent.
 */
import { randomUUID } from "node:crypto";
import { and, asc, eq, gt, inArray, isNotNull, lte, max, ne, sql } from "drizzle-orm";
import type { Hex } from "../../protocol/hash.ts";
import type { ProblemReason } from "../../protocol/reasons.ts";
import type { Fees } from "../chain/transactions.ts";
import { type Database, isDouble } from "../database/database.ts";
import { relaySlots, relays } from "../database/schema.ts";
import { Problem } from "../problem.ts";
import type { SignedAct, SignedSlot } from "./signedAct.ts";

export type RelayRow = typeof relays.$inferSelect;

/** Milliseconds for which a settled act is kept for whoever asks what became of it. */
const KEPT = 7 * 86_400_000;

/** Milliseconds over which a patient's gas is counted. */
const BUDGET_WINDOW = 86_400_000;

/** Milliseconds over which a patient's acts are counted. */
const RATE_WINDOW = 60_000;

/** The act that was handed in before, if it was. */
export async function findByDigest(database: Database, digest: Hex): Promise<RelayRow | null> {
  const [row] = await database.select().from(relays).where(eq(relays.digest, digest));
  return row ?? null;
}

export async function findById(database: Database, id: string): Promise<RelayRow | null> {
  const [row] = await database.select().from(relays).where(eq(relays.id, id));
  return row ?? null;
}

/** A patient's acts that are not settled, the oldest first, with their slots. */
export async function openActsOf(database: Database, patient: Hex) {
  const open = and(eq(relays.patient, patient), eq(relays.isSettled, false));
  const rows = await database.select().from(relays).where(open).orderBy(asc(relays.since));
  return Promise.all(
    rows.map(async (row) => ({ row, slots: row.state === "refused" ? [] : await slotsOf(database, row.id) })),
  );
}

/** The slots of an act that is not settled. */
export function slotsOf(database: Database, relayId: string): Promise<SignedSlot[]> {
  const { resource, grantee, nonce, closes } = relaySlots;
  const signed = { resource, grantee, nonce, closes };
  return database.select(signed).from(relaySlots).where(eq(relaySlots.relayId, relayId));
}

/**
 * Let no other gateway count this patient's acts before the transaction is over: of two at once, one would not be counted.
 * To be called within a transaction.
 */
export async function holdPatient(database: Database, patient: Hex): Promise<void> {
  await database.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`relay ${patient}`}, 0))`);
}

/** What a patient had the gateway do lately: gas of a day, apart for acts that close, and acts of a minute. */
export async function spentBy(database: Database, patient: Hex, closes: boolean) {
  const now = Date.now();
  const gas = sql<number>`coalesce(sum(${relays.gasSpent} + ${relays.gasReserved}), 0)`.mapWith(Number);
  const acts = sql<number>`count(*) filter (where ${relays.since} > ${now - RATE_WINDOW})`.mapWith(Number);
  const isClosing = inArray(relays.act, ["Revoke", "RevokeBatch", "RevokeAll"]);
  const lately = and(eq(relays.patient, patient), gt(relays.since, now - BUDGET_WINDOW));
  const [spent] = await database
    .select({ gas, acts })
    .from(relays)
    .where(and(lately, closes ? isClosing : sql`not ${isClosing}`));
  return spent ?? { gas: 0, acts: 0 };
}

/** Whether every nonce between what the ledger has and what was signed is taken by an act that waits. */
export async function areTakenBefore(
  database: Database,
  patient: Hex,
  slots: readonly SignedSlot[],
  current: readonly number[],
): Promise<boolean> {
  const taken = await database
    .select()
    .from(relaySlots)
    .where(and(eq(relaySlots.patient, patient), eq(relaySlots.isTaken, true)));
  return slots.every(({ resource, grantee, nonce }, position) => {
    const before = taken.filter((one) => one.resource === resource && one.grantee === grantee);
    const nonces = new Set(before.map((one) => one.nonce));
    const from = current[position] ?? 0;
    return nonce >= from && nonce - from <= nonces.size && range(from, nonce).every((one) => nonces.has(one));
  });
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/**
 * Keep an act to be sent; what was refused before is tried anew. To be called within a transaction.
 * @throws {Problem} `act-in-doubt` where another act has taken a nonce that it needs
 */
export async function keepAct(
  database: Database,
  { act, patient, digest, data, deployment, slots }: SignedAct,
  gasReserved: number,
): Promise<RelayRow> {
  const now = Date.now();
  const kept = {
    data,
    gasReserved,
    since: now,
    dueAt: now,
    failures: 0,
    state: "queued",
    reason: null,
  } as const;
  const wallet = { factory: deployment?.factory ?? null, factoryData: deployment?.factoryData ?? null };
  const fresh = { ...kept, ...wallet, isSettled: false };
  const [row] = await database
    .insert(relays)
    .values({ id: randomUUID(), digest, patient, act, ...fresh })
    .onConflictDoUpdate({ target: relays.digest, set: fresh, setWhere: eq(relays.state, "refused") })
    .returning();
  if (!row) return mustFind(await findByDigest(database, digest));
  await database.delete(relaySlots).where(eq(relaySlots.relayId, row.id));
  try {
    const rows = slots.map((slot) => ({ relayId: row.id, patient, ...slot }));
    if (rows.length > 0) await database.insert(relaySlots).values(rows);
  } catch (error) {
    if (isDouble(error)) throw new Problem("act-in-doubt");
    throw error;
  }
  return row;
}

function mustFind(row: RelayRow | null): RelayRow {
  if (!row) throw new Error("The database lost an act.");
  return row;
}

/** What is to be looked at now: what is under way by its nonce, then what closes, then the oldest first. */
export function dueActs(database: Database): Promise<RelayRow[]> {
  const closes = inArray(relays.act, ["Revoke", "RevokeBatch", "RevokeAll"]);
  return database
    .select()
    .from(relays)
    .where(and(eq(relays.isSettled, false), lte(relays.dueAt, Date.now())))
    .orderBy(sql`${relays.nonce} asc nulls last`, sql`${closes} desc`, asc(relays.since));
}

/** How many acts no block has yet. */
export function queueLength(database: Database): Promise<number> {
  return database.$count(relays, inArray(relays.state, ["queued", "sent"]));
}

/** The first nonce that no act of a sender's has, or has had; zero where there is none. */
export async function nonceAfterAll(database: Database, sender: Hex): Promise<number> {
  const [last] = await database
    .select({ nonce: max(relays.nonce) })
    .from(relays)
    .where(and(eq(relays.sender, sender), isNotNull(relays.nonce)));
  return (last?.nonce ?? -1) + 1;
}

/** Whether another act's transaction puts the same wallet on the chain. */
export async function isBeingDeployed(database: Database, { id, patient }: RelayRow): Promise<boolean> {
  const isUnderWay = and(isNotNull(relays.factory), isNotNull(relays.nonce), eq(relays.isSettled, false));
  return (await database.$count(relays, and(eq(relays.patient, patient), ne(relays.id, id), isUnderWay))) > 0;
}

/** Set one nonce aside for an act. False where another act has it, or this act has one. */
export async function reserveNonce(
  database: Database,
  { id }: RelayRow,
  { fees, ...terms }: { sender: Hex; nonce: number; gas: bigint; fees: Fees },
): Promise<boolean> {
  try {
    const reserved = await database
      .update(relays)
      .set({ ...terms, ...fees, sentAt: null, sendings: 0, hashes: [], failures: 0 })
      .where(and(eq(relays.id, id), eq(relays.state, "queued"), sql`${relays.nonce} is null`))
      .returning({ id: relays.id });
    return reserved.length > 0;
  } catch (error) {
    if (isDouble(error)) return false;
    throw error;
  }
}

/** Change an act, as long as it has the nonce that it had: whoever works on an older state of it changes nothing. */
export async function change(
  database: Database,
  { id, nonce, sender }: Pick<RelayRow, "id" | "nonce" | "sender">,
  to: Partial<RelayRow>,
): Promise<void> {
  const same =
    nonce === null
      ? sql`${relays.nonce} is null`
      : and(eq(relays.nonce, nonce), eq(relays.sender, sender ?? "0x"));
  await database
    .update(relays)
    .set(to)
    .where(and(eq(relays.id, id), same));
}

/** No transaction is under way any more. */
export const NO_TRANSACTION = {
  sender: null,
  nonce: null,
  gas: null,
  maxFee: null,
  priorityFee: null,
  sentAt: null,
  sendings: 0,
  hashes: [],
} satisfies Partial<RelayRow>;

/** The ledger refuses an act, as things are. Its nonces are free; what it closes stays closed until it is settled. */
export async function refuse(
  database: Database,
  row: RelayRow,
  reason: ProblemReason,
  to: Partial<RelayRow> = {},
) {
  await database.transaction(async (tx) => {
    await change(tx, row, { ...NO_TRANSACTION, ...to, state: "refused", reason });
    await tx.update(relaySlots).set({ isTaken: false }).where(eq(relaySlots.relayId, row.id));
  });
}

/** Finalised blocks have it, or can never have it: the ledger speaks for itself. */
export async function settle(database: Database, row: RelayRow): Promise<void> {
  await database.transaction(async (tx) => {
    await change(tx, row, { isSettled: true, gasReserved: 0 });
    await tx.delete(relaySlots).where(eq(relaySlots.relayId, row.id));
  });
}

/** Forget acts that were settled long ago. */
export async function forgetSettled(database: Database): Promise<void> {
  const isOld = lte(relays.since, Date.now() - KEPT);
  await database.delete(relays).where(and(eq(relays.isSettled, true), isOld));
}
