/** The log of receipts in the database: written in one piece with numbers and signature, and read back by number. */
import { between, lt, sql } from "drizzle-orm";
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

/** Write receipts under the next numbers, within a transaction. */
export async function writeNext(tx: Database, sealed: readonly Sealed[], signer: Signer): Promise<Receipt[]> {
  const [counter] = await tx
    .update(auditCounter)
    .set({ last: sql`${auditCounter.last} + ${sealed.length}` })
    .returning();
  if (!counter) throw new Error("The audit's counter is missing.");
  return write(tx, sealed, counter.last - sealed.length + 1, signer);
}

/** Write receipts under the numbers from `first` on, within a transaction. */
export async function write(
  tx: Database,
  sealed: readonly Sealed[],
  first: number,
  signer: Signer,
): Promise<Receipt[]> {
  const last = first + sealed.length - 1;
  const { root, proofs } = receiptProofs({
    first: BigInt(first),
    receipts: sealed.map(({ digest }) => digest),
  });
  const signed = sign({ first, last, root }, signer);
  await insert(tx, sealed, { first, last, ...signed });
  return sealed.map(({ decided, root: envelopesRoot, opened }, index) => ({
    ...decided,
    custodian: signer.custodian,
    sequence: first + index,
    envelopes: envelopesRoot,
    opened,
    signed: { first, last, ...signed, siblings: proofs[index] ?? [] },
  }));
}

function sign({ first, last, root }: { first: number; last: number; root: Hex }, signer: Signer) {
  const signedAt = Math.floor(Date.now() / 1000);
  const run = { first: BigInt(first), last: BigInt(last), root, signedAt: BigInt(signedAt) };
  return { signedAt, signature: signer.signReceipts({ custodian: signer.custodian, ...run }) };
}

/**
 * One statement with two parameters, whatever the number of rows: to build and parse one for each column of each row takes
 * longer than all that makes a receipt.
 */
async function insert(
  tx: Database,
  sealed: readonly Sealed[],
  { first, last, signedAt, signature }: { first: number; last: number; signedAt: number; signature: Hex },
): Promise<void> {
  const rows = sealed.map(({ decided, digest }, index) => ({ ...decided, digest, seq: first + index }));
  const letters = sealed.flatMap((one, index) =>
    one.envelopes.map((envelope, position) => ({ seq: first + index, position, envelope })),
  );
  await tx.execute(sql`
    with posted as (
      insert into ${envelopes} (seq, position, envelope)
      select seq, position, envelope from jsonb_to_recordset(${JSON.stringify(letters)}::jsonb)
        as letter (seq bigint, position int, envelope text)
    )
    insert into ${receipts} (
      seq, decided_at_ms, purpose, action, route, reason, emergency, chain_id, block_number, block_hash, digest,
      signed_from, signed_at, signature
    )
    select
      seq, "decidedAt", purpose, action, route, reason, emergency, "chainId", "blockNumber", "blockHash", digest,
      case seq when ${last} then ${first}::bigint end, case seq when ${last} then ${signedAt}::bigint end,
      case seq when ${last} then ${signature} end
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as row (
      seq bigint, "decidedAt" bigint, purpose text, action text, route text, reason text, emergency boolean,
      "chainId" bigint, "blockNumber" bigint, "blockHash" text, digest text
    )`);
}
