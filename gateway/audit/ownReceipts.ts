/** What is recorded about an exam, for its patient: in clear, and each with what proves it. */
import { and, asc, gte, isNotNull, lte } from "drizzle-orm";
import { envelopeProof, envelopesRoot } from "../../protocol/envelope.ts";
import type { Hex } from "../../protocol/hash.ts";
import type { OwnReceipt } from "../../protocol/receipt.ts";
import { CHUNK, proofThroughChunk, receiptProof } from "../../protocol/receiptTree.ts";
import type { Database } from "../database/database.ts";
import { anchors, receipts } from "../database/schema.ts";
import { inOrder } from "../inOrder.ts";
import { receiptsAbout } from "./aboutExams.ts";
import { digestsBetween } from "./log.ts";

/** Receipts in one answer. */
const PAGE = 50;

/** Receipts that are proved at the same time. */
const AT_ONCE = 4;

/** The receipts about an exam, newest first, from those before a number on. */
export async function listReceipts(
  { database, custodian }: { database: Database; custodian: Hex },
  examId: Hex,
  before: number,
): Promise<{ receipts: OwnReceipt[]; next: number | null }> {
  const { found, next } = await receiptsAbout(database, [examId], { before, limit: PAGE });
  const openedOnes = found.flatMap(({ opened, ...receipt }) => opened.map((one) => ({ ...receipt, ...one })));
  const listed = inOrder(
    openedOnes,
    AT_ONCE,
    async ({ decided, sequence, envelopes, envelope, contents }) => ({
      ...decided,
      custodian,
      sequence,
      envelopes: envelopesRoot(envelopes),
      opened: { ...contents, siblings: envelopeProof(envelopes, envelope) },
      signed: await signedOf(database, sequence),
      anchored: await anchoredOf(database, sequence),
    }),
  );
  return { receipts: await Array.fromAsync(listed), next };
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
