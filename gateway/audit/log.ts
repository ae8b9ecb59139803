/** The log of receipts in the database: written in one piece with numbers and signature, and read back by number. */
import { between, lt, type SQL, sql } from "drizzle-orm";
import type { Hex } from "../../protocol/hash.ts";
import { LOST, type Receipt } from "../../protocol/receipt.ts";
import { receiptProofs } from "../../protocol/receiptTree.ts";
import type { SignedReceipts } from "../../protocol/typedData.ts";
import type { Database } from "../database/database.ts";
import { auditCounter, envelopes, receipts } from "../database/schema.ts";
import type { Sealed } from "./sealing.ts";

/** Who signs receipts, in whose name. */
export type Signer = { custodian: Hex; signReceipts(run: SignedReceipts): Hex };

/** The number of the last receipt that is written. */
export async function lastSequence(database: Database): Promise<number> {
  const [counter] = await database.select().from(auditCounter);
  return counter?.last ?? 0;
}

/** The digests of receipts by their numbers, `LOST` where there is none. */
export async function digestsBetween(database: Database, first: number, last: number): Promise<Hex[]> {
  const rows = await database
    .select({ seq: receipts.seq, digest: receipts.digest })
    .from(receipts)
    .where(between(receipts.seq, first, last));
  const digests = Array.from({ length: last - first + 1 }, () => LOST);
  for (const { seq, digest } of rows) digests[seq - first] = digest;
  return digests;
}

/** Go on after a number that is used already, if that is further on. */
export async function skipTo(database: Database, used: number): Promise<boolean> {
  const skipped = await database
    .update(auditCounter)
    .set({ last: used })
    .where(lt(auditCounter.last, used))
    .returning();
  return skipped.length > 0;
}

/**
 * Write receipts under the numbers after `last`, all or none, in one statement; null where that is not the last number any
 * more, and nothing was written.
 */
export async function writeAfter(
  database: Database,
  sealed: readonly Sealed[],
  last: number,
  signer: Signer,
): Promise<Receipt[] | null> {
  const { receipts, columns } = sign(sealed, last + 1, signer);
  const counted = sql`
    update ${auditCounter} set last = ${last + sealed.length}::bigint where last = ${last}::bigint returning last`;
  return (await insert(database, columns, counted)) ? receipts : null;
}

/** Write receipts under the next numbers, within a transaction: nobody else writes until it ends. */
export async function writeNext(tx: Database, sealed: readonly Sealed[], signer: Signer): Promise<Receipt[]> {
  const [counter] = await tx.select().from(auditCounter).for("update");
  const written = counter && (await writeAfter(tx, sealed, counter.last, signer));
  if (!written) throw new Error("The audit's counter is missing.");
  return written;
}

/** Write receipts under the numbers from `first` on, which were counted already, within a transaction. */
export async function write(
  tx: Database,
  sealed: readonly Sealed[],
  first: number,
  signer: Signer,
): Promise<void> {
  await insert(tx, sign(sealed, first, signer).columns, sql`select 1`);
}

/** What goes into the two tables, for each row. */
type Columns = { rows: readonly object[]; letters: readonly object[] };

/** Receipts under the numbers from `first` on, signed together, and what is kept of them. */
function sign(
  sealed: readonly Sealed[],
  first: number,
  signer: Signer,
): { receipts: Receipt[]; columns: Columns } {
  const { custodian } = signer;
  const last = first + sealed.length - 1;
  const digests = sealed.map(({ digest }) => digest);
  const { root, proofs } = receiptProofs({ first: BigInt(first), receipts: digests });
  const signedAt = Math.floor(Date.now() / 1000);
  const run = { first: BigInt(first), last: BigInt(last), root, signedAt: BigInt(signedAt) };
  const signature = signer.signReceipts({ custodian, ...run });
  return {
    receipts: sealed.map(({ decided, root: envelopesRoot, opened }, index) => ({
      ...decided,
      custodian,
      sequence: first + index,
      envelopes: envelopesRoot,
      opened,
      signed: { first, last, signedAt, signature, siblings: proofs[index] ?? [] },
    })),
    columns: {
      rows: sealed.map(({ decided, digest }, index) => ({
        ...decided,
        digest,
        seq: first + index,
        ...(first + index === last && { signedFrom: first, signedAt, signature }),
      })),
      letters: sealed.flatMap((one, index) =>
        one.envelopes.map((envelope, position) => ({ seq: first + index, position, envelope })),
      ),
    },
  };
}

/**
 * One statement with two parameters for all rows, whatever their number: to build and parse one for each column of each row
 * takes longer than all that makes a receipt.
 * @param counted gives one row, or none: then nothing is written
 */
async function insert(tx: Database, { rows, letters }: Columns, counted: SQL): Promise<boolean> {
  const result = await tx.execute(sql`
    with counted as (${counted}), posted as (
      insert into ${envelopes} (seq, position, envelope)
      select seq, position, envelope from counted, jsonb_to_recordset(${JSON.stringify(letters)}::jsonb)
        as letter (seq bigint, position int, envelope text)
    ), kept as (
      insert into ${receipts} (
        seq, decided_at_ms, purpose, action, route, reason, emergency, chain_id, block_number, block_hash,
        digest, signed_from, signed_at, signature
      )
      select
        seq, "decidedAt", purpose, action, route, reason, emergency, "chainId", "blockNumber", "blockHash",
        digest, "signedFrom", "signedAt", signature
      from counted, jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as row (
        seq bigint, "decidedAt" bigint, purpose text, action text, route text, reason text, emergency boolean,
        "chainId" bigint, "blockNumber" bigint, "blockHash" text, digest text,
        "signedFrom" bigint, "signedAt" bigint, signature text
      )
    )
    select from counted`);
  // Both drivers give the rows that came back; Drizzle's type for either of them does not say so.
  return (result as { rows: unknown[] }).rows.length > 0;
}
