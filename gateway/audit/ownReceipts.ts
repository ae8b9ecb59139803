/** What is recorded about an exam, for its patient: in clear, and each with what proves it. */
import { and, asc, desc, eq, gte, isNotNull, lt, lte } from "drizzle-orm";
import { envelopeProof, envelopesRoot } from "../../protocol/envelope.ts";
import type { Hex } from "../../protocol/hash.ts";
import type { Decided, OwnReceipt } from "../../protocol/receipt.ts";
import { CHUNK, proofThroughChunk, receiptProof } from "../../protocol/receiptTree.ts";
import type { Database } from "../database/database.ts";
import { anchors, envelopeKeys, envelopes, receipts } from "../database/schema.ts";
import { inOrder } from "../inOrder.ts";
import { envelopesOf } from "./export.ts";
import { digestsBetween } from "./log.ts";
import { openEnvelope } from "./sealing.ts";

type Row = typeof receipts.$inferSelect;

/** Receipts in one answer. */
export const PAGE = 50;

/** Receipts that are proved at the same time. */
const AT_ONCE = 4;

/**
 * The receipts about an exam, newest first, from those before a number on. There are none where the exam's key was
 * destroyed, and an envelope that its key does not open is left out: only the log as a whole shows what became of it.
 */
export async function listReceipts(
  { database, custodian }: { database: Database; custodian: Hex },
  examId: Hex,
  before: number,
): Promise<{ receipts: OwnReceipt[]; next: number | null }> {
  const [key] = await database.select().from(envelopeKeys).where(eq(envelopeKeys.subject, examId));
  if (!key) return { receipts: [], next: null };
  const found = await database
    .select()
    .from(envelopes)
    .innerJoin(receipts, eq(receipts.seq, envelopes.seq))
    .where(and(eq(envelopes.keyId, key.keyId), lt(envelopes.seq, before)))
    .orderBy(desc(envelopes.seq))
    .limit(PAGE + 1);
  const page = found.slice(0, PAGE);
  const beside = await envelopesOf(
    database,
    page.map(({ receipts: { seq } }) => seq),
  );
  const listed = inOrder(page, AT_ONCE, async ({ receipts: row, envelopes: { envelope } }) => {
    const opened = openEnvelope(envelope, key);
    const all = beside.get(row.seq) ?? [];
    return (
      opened && {
        ...decidedOf(row),
        custodian,
        sequence: row.seq,
        envelopes: envelopesRoot(all),
        opened: { ...opened, siblings: envelopeProof(all, envelope) },
        signed: await signedOf(database, row.seq),
        anchored: await anchoredOf(database, row.seq),
      }
    );
  });
  return {
    receipts: (await Array.fromAsync(listed)).filter((receipt) => receipt !== null),
    next: found.length > PAGE ? (page.at(-1)?.receipts.seq ?? null) : null,
  };
}

function decidedOf(row: Row): Decided {
  const { decidedAt, purpose, action, reason, route, chainId, blockNumber, blockHash } = row;
  return { decidedAt, purpose, action, reason, route, chainId, blockNumber, blockHash };
}

/** What the operator signed over the receipts that were written together with this one. */
async function signedOf(database: Database, sequence: number): Promise<OwnReceipt["signed"]> {
  const [end] = await database
    .select()
    .from(receipts)
    .where(and(gte(receipts.seq, sequence), isNotNull(receipts.signature)))
    .orderBy(asc(receipts.seq))
    .limit(1);
  const { signedFrom: first, seq: last, signedAt, signature } = end ?? {};
  if (first == null || last == null || signedAt == null || signature == null || first > sequence) return null;
  const run = { first: BigInt(first), receipts: await digestsBetween(database, first, last) };
  return { first, last, signedAt, signature, siblings: receiptProof(run, BigInt(sequence)) };
}

/** The anchor that holds a receipt. Only the chunk around it is read of what may be a long run. */
async function anchoredOf(database: Database, sequence: number): Promise<OwnReceipt["anchored"]> {
  const [anchor] = await database
    .select()
    .from(anchors)
    .where(and(lte(anchors.first, sequence), gte(anchors.last, sequence)));
  if (!anchor?.chunkRoots) return null;
  const { chunkRoots, root: _, ...range } = anchor;
  const from = sequence - ((sequence - anchor.first) % CHUNK);
  const chunk = {
    first: BigInt(from),
    receipts: await digestsBetween(database, from, Math.min(from + CHUNK - 1, anchor.last)),
  };
  const run = { first: BigInt(anchor.first), chunkRoots };
  return { ...range, siblings: proofThroughChunk(chunk, run, BigInt(sequence)) };
}
