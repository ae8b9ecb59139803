/**
 * What proves receipts of one page. Most share it: what the operator signed together, and each chunk of an anchor, is read
 * and hashed once, whatever the number of receipts in it.
 */
import { and, asc, gte, isNotNull, lte } from "drizzle-orm";
import type { Hex } from "../../protocol/hash.ts";
import type { OwnReceipt } from "../../protocol/receipt.ts";
import { CHUNK, proofsThroughChunk, receiptProofs } from "../../protocol/receiptTree.ts";
import type { Database } from "../database/database.ts";
import { anchors, receipts } from "../database/schema.ts";
import { digestsBetween } from "./log.ts";

type Range = { first: number; last: number };
type SignedRun = Omit<NonNullable<OwnReceipt["signed"]>, "siblings"> & { proofs: Hex[][] };
type Anchor = typeof anchors.$inferSelect;
type AnchoredChunk = Range & { proofs: Hex[][] };

export class ReceiptProofs {
  readonly #database: Database;
  readonly #runs: SignedRun[] = [];
  readonly #anchors: Anchor[] = [];
  readonly #chunks: AnchoredChunk[] = [];

  constructor(database: Database) {
    this.#database = database;
  }

  /** What the operator signed over the receipts that were written together with this one; null where that is lost. */
  async signed(sequence: number): Promise<OwnReceipt["signed"]> {
    const run = around(this.#runs, sequence) ?? (await this.#readRun(sequence));
    if (!run) return null;
    const { proofs, ...signed } = run;
    return { ...signed, siblings: proofs[sequence - run.first] ?? [] };
  }

  /** The anchor that holds a receipt; null where there is none yet, or what was anchored is not what is here. */
  async anchored(sequence: number): Promise<OwnReceipt["anchored"]> {
    const anchor = around(this.#anchors, sequence) ?? (await this.#readAnchor(sequence));
    if (!anchor?.chunkRoots) return null;
    const { chunkRoots, root: _, ...range } = anchor;
    const chunk = around(this.#chunks, sequence) ?? (await this.#readChunk(sequence, anchor, chunkRoots));
    return { ...range, siblings: chunk.proofs[sequence - chunk.first] ?? [] };
  }

  async #readRun(sequence: number): Promise<SignedRun | null> {
    const [end] = await this.#database
      .select()
      .from(receipts)
      .where(and(gte(receipts.seq, sequence), isNotNull(receipts.signature)))
      .orderBy(asc(receipts.seq))
      .limit(1);
    const { signedFrom: first, seq: last, signedAt, signature } = end ?? {};
    if (first == null || last == null || signedAt == null || signature == null || first > sequence)
      return null;
    const digests = await digestsBetween(this.#database, first, last);
    const { proofs } = receiptProofs({ first: BigInt(first), receipts: digests });
    const run = { first, last, signedAt, signature, proofs };
    this.#runs.push(run);
    return run;
  }

  async #readAnchor(sequence: number): Promise<Anchor | null> {
    const [anchor] = await this.#database
      .select()
      .from(anchors)
      .where(and(lte(anchors.first, sequence), gte(anchors.last, sequence)));
    if (anchor) this.#anchors.push(anchor);
    return anchor ?? null;
  }

  /** Only the chunk around a receipt is read of what may be a long run. */
  async #readChunk(sequence: number, anchor: Anchor, chunkRoots: Hex[]): Promise<AnchoredChunk> {
    const first = sequence - ((sequence - anchor.first) % CHUNK);
    const last = Math.min(first + CHUNK - 1, anchor.last);
    const run = { first: BigInt(first), receipts: await digestsBetween(this.#database, first, last) };
    const proofs = proofsThroughChunk(run, { first: BigInt(anchor.first), chunkRoots });
    const chunk = { first, last, proofs };
    this.#chunks.push(chunk);
    return chunk;
  }
}

/** What was read already around a receipt: of a page's, the one that was read last. */
function around<T extends Range>(read: readonly T[], sequence: number): T | undefined {
  return read.findLast(({ first, last }) => first <= sequence && sequence <= last);
}
