/**
 * The Merkle tree over a run of receipts, as `AccessLog` anchors it. Unlike merkle.ts's, its leaves have places: a
 * receipt's is its sequence number, so that one number cannot stand for two receipts.
 */
import { ProtocolError } from "./errors.ts";
import { type Hex, integerWord, taggedHash, wordBytes } from "./hash.ts";
import { levelsOver, rootOver, siblingsIn, siblingsOf } from "./tree.ts";

/** Consecutive receipts: the first one's sequence number, and the digest of each. */
export type ReceiptRun = { first: bigint; receipts: readonly Hex[] };

/** The root that is anchored for a run. @throws {ProtocolError} `empty-tree` */
export function receiptRoot(run: ReceiptRun): Hex {
  return rootOver(leavesOf(run), parent);
}

/**
 * What proves one receipt: the sibling at each level that has one, from the leaf up, as `AccessLog.verify` takes it.
 * @throws {ProtocolError} `empty-tree`, `unknown-leaf`
 */
export function receiptProof(run: ReceiptRun, sequence: bigint): Hex[] {
  const leaves = leavesOf(run);
  const position = Number(sequence - run.first);
  if (!(position in leaves)) throw new ProtocolError("unknown-leaf", `Not in this run: receipt ${sequence}`);
  return siblingsOf(leaves, position, parent);
}

/** The root over a run and the proof of each receipt, in order, from one tree. @throws {ProtocolError} `empty-tree` */
export function receiptProofs(run: ReceiptRun): { root: Hex; proofs: Hex[][] } {
  const levels = levelsOver(leavesOf(run), parent);
  const [root] = levels.at(-1) ?? [];
  return { root: root as Hex, proofs: run.receipts.map((_, position) => siblingsIn(levels, position)) };
}

/**
 * Receipts that hang together below one node of a long run's tree: a proof takes those around the receipt, and the roots
 * of the others.
 */
export const CHUNK = 256;

/** The root over a run, from the roots over its chunks of `CHUNK` receipts; the last may be shorter. @throws {ProtocolError} `empty-tree` */
export function rootOverChunks(chunkRoots: readonly Hex[]): Hex {
  if (chunkRoots.length === 0) throw new ProtocolError("empty-tree", "A run needs at least one receipt.");
  return rootOver(chunkRoots, parent);
}

/**
 * The proof of each receipt of a chunk, in order, from that chunk alone and the roots over all chunks of the run.
 * @throws {ProtocolError} `empty-tree`
 */
export function proofsThroughChunk(
  chunk: ReceiptRun,
  { first, chunkRoots }: { first: bigint; chunkRoots: readonly Hex[] },
): Hex[][] {
  const above = siblingsOf(chunkRoots, Number(chunk.first - first) / CHUNK, parent);
  return receiptProofs(chunk).proofs.map((siblings) => [...siblings, ...above]);
}

/** The sequence numbers of a run. */
export type RunRange = { first: bigint; last: bigint };

/** An anchor's range and root, as kept on chain. */
export type AnchoredRun = RunRange & { root: Hex };

/** Whether an anchor holds this receipt at this sequence number: what `AccessLog.verify` answers. */
export function verifyReceipt(
  anchor: AnchoredRun,
  sequence: bigint,
  receipt: Hex,
  proof: readonly Hex[],
): boolean {
  return rootFrom(anchor, sequence, receipt, proof) === anchor.root;
}

/** The root of the run that the proof puts this receipt in; null where there is no such place in a run of that range. */
export function rootFrom(
  { first, last }: RunRange,
  sequence: bigint,
  receipt: Hex,
  proof: readonly Hex[],
): Hex | null {
  if (sequence < first || sequence > last) return null;
  const siblings = proof.values();
  let node = receiptLeaf(sequence, receipt);
  let position = sequence - first;
  for (let width = last - first + 1n; width > 1n; width = (width + 1n) >> 1n) {
    if ((position ^ 1n) < width) {
      const sibling = siblings.next().value;
      if (sibling === undefined) return null;
      node = (position & 1n) === 0n ? parent(node, sibling) : parent(sibling, node);
    }
    position >>= 1n;
  }
  return siblings.next().done === true ? node : null;
}

/** `H(RECEIPT, sequence, receipt)` */
function receiptLeaf(sequence: bigint, receipt: Hex): Hex {
  return taggedHash("RECEIPT", integerWord(sequence), wordBytes(receipt));
}

function parent(left: Hex, right: Hex): Hex {
  return taggedHash("RECEIPT_NODE", wordBytes(left), wordBytes(right));
}

function leavesOf({ first, receipts }: ReceiptRun): Hex[] {
  if (receipts.length === 0) throw new ProtocolError("empty-tree", "A run needs at least one receipt.");
  return receipts.map((receipt, i) => receiptLeaf(first + BigInt(i), receipt));
}
