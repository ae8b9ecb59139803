/**
 * The Merkle tree over a run of receipts, as `AccessLog` anchors it. Unlike merkle.ts's, its leaves have places: a
 * receipt's is its sequence number, so that one number cannot stand for two receipts.
 */
import { ProtocolError } from "./errors.ts";
import { type Hex, integerWord, taggedHash, wordBytes } from "./hash.ts";
import { rootOver, siblingsOf } from "./tree.ts";

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

/** An anchor's range and root, as kept on chain. */
export type AnchoredRun = { root: Hex; first: bigint; last: bigint };

/** Whether an anchor holds this receipt at this sequence number: what `AccessLog.verify` answers. */
export function verifyReceipt(
  anchor: AnchoredRun,
  sequence: bigint,
  receipt: Hex,
  proof: readonly Hex[],
): boolean {
  if (sequence < anchor.first || sequence > anchor.last) return false;
  const siblings = proof.values();
  let node = receiptLeaf(sequence, receipt);
  let position = sequence - anchor.first;
  for (let width = anchor.last - anchor.first + 1n; width > 1n; width = (width + 1n) >> 1n) {
    if ((position ^ 1n) < width) {
      const sibling = siblings.next().value;
      if (sibling === undefined) return false;
      node = (position & 1n) === 0n ? parent(node, sibling) : parent(sibling, node);
    }
    position >>= 1n;
  }
  return siblings.next().done === true && node === anchor.root;
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
