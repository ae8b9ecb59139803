import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/hash.ts";
import {
  type AnchoredRun,
  CHUNK,
  proofsThroughChunk,
  type ReceiptRun,
  receiptProof,
  receiptProofs,
  receiptRoot,
  rootOverChunks,
  verifyReceipt,
} from "../../protocol/receiptTree.ts";

const digest = (text: string): Hex => `0x${createHash("sha256").update(text).digest("hex")}`;

/** A run of that many receipts that differ. */
const runOf = (first: bigint, count: number): ReceiptRun => ({
  first,
  receipts: Array.from({ length: count }, (_, i) => digest(`${first} ${i}`)),
});

const anchorOf = (run: ReceiptRun): AnchoredRun => ({
  root: receiptRoot(run),
  first: run.first,
  last: run.first + BigInt(run.receipts.length) - 1n,
});

const receiptAt = (run: ReceiptRun, sequence: bigint) => run.receipts[Number(sequence - run.first)] as Hex;

/** Every sequence number of a run. */
const sequencesOf = ({ first, receipts }: ReceiptRun) => receipts.map((_, i) => first + BigInt(i));

const runs = () =>
  fc
    .tuple(fc.bigInt({ min: 1n, max: (1n << 64n) - 101n }), fc.integer({ min: 1, max: 100 }))
    .map(([first, count]) => runOf(first, count));

/** A run, and one of its sequence numbers. */
const places = () => runs().chain((run) => fc.tuple(fc.constant(run), fc.constantFrom(...sequencesOf(run))));

describe("known answers", () => {
  it("pins the roots of small runs", () => {
    const roots = [1, 2, 3, 4, 5].map((count) => receiptRoot(runOf(1n, count)));
    expect(roots).toMatchInlineSnapshot(`
      [
        "0x653c2ff5483f60c3261ccb9d0a3f4d13b14da7ee2cf0b4ccd596284ffb54ed0e",
        "0xc57947cc0054ea94fd65edbb0f7d4be1135a20477fd23da2b9cdd47321d0a904",
        "0x70f1a84095aa859516a0e98b8432441a55130b74a9662510f078ebaaec806b3a",
        "0xebaa6223b354c92a82f1836e347c8d7ac530d6950b99163d25beca6ed2171666",
        "0xe06dd67aa64a2376c284ebe9542a2d28863c40bbb7c009eee97ef57d439b1066",
      ]
    `);
  });

  it("pins a proof: the sibling at each level that has one, from the leaf up", () => {
    expect(receiptProof(runOf(1n, 5), 2n)).toMatchInlineSnapshot(`
      [
        "0x653c2ff5483f60c3261ccb9d0a3f4d13b14da7ee2cf0b4ccd596284ffb54ed0e",
        "0xb32595b1a5b9fac66e60bba3f5a97af2b17f65e86eb3fdc7e43121ee4acf0392",
        "0x0a992568b9a1ac1a5a65102f469c700f7b6f7c9d7d6fbff3529eaaa5e9e57955",
      ]
    `);
    expect(receiptProof(runOf(1n, 5), 5n)).toHaveLength(1);
    expect(receiptProof(runOf(1n, 1), 1n)).toEqual([]);
  });

  it("depends on where a run begins", () => {
    const { receipts } = runOf(1n, 3);
    expect(receiptRoot({ first: 1n, receipts })).not.toBe(receiptRoot({ first: 2n, receipts }));
  });
});

describe("a receipt", () => {
  it("is proved at its own number in a run of any size", () => {
    fc.assert(
      fc.property(runs(), (run) => {
        const anchor = anchorOf(run);
        for (const sequence of sequencesOf(run)) {
          const proof = receiptProof(run, sequence);
          expect(verifyReceipt(anchor, sequence, receiptAt(run, sequence), proof)).toBe(true);
        }
      }),
      { numRuns: 10 },
    );
  });

  it("is proved at no other number, in the run or beside it", () => {
    fc.assert(
      fc.property(places(), ([run, own]) => {
        const anchor = anchorOf(run);
        const [receipt, proof] = [receiptAt(run, own), receiptProof(run, own)];
        for (const other of [run.first - 1n, ...sequencesOf(run), anchor.last + 1n]) {
          if (other === own) continue;
          expect(verifyReceipt(anchor, other, receipt, proof)).toBe(false);
        }
      }),
      { numRuns: 20 },
    );
  });

  it("is proved by no other's proof, and by none where another stands in its place", () => {
    fc.assert(
      fc.property(places(), ([run, own]) => {
        const anchor = anchorOf(run);
        const proof = receiptProof(run, own);
        expect(verifyReceipt(anchor, own, digest("another"), proof)).toBe(false);
        for (const other of sequencesOf(run)) {
          if (other === own) continue;
          expect(verifyReceipt(anchor, own, receiptAt(run, own), receiptProof(run, other))).toBe(false);
          expect(verifyReceipt(anchor, own, receiptAt(run, other), proof)).toBe(false);
        }
      }),
      { numRuns: 10 },
    );
  });

  it("is not proved with a sibling too few or too many, or with one that was changed", () => {
    fc.assert(
      fc.property(places(), ([run, sequence]) => {
        const anchor = anchorOf(run);
        const receipt = receiptAt(run, sequence);
        const proof = receiptProof(run, sequence);
        const verify = (bent: Hex[]) => verifyReceipt(anchor, sequence, receipt, bent);
        expect(verify([...proof, digest("more")])).toBe(false);
        expect(verify([...proof, anchor.root])).toBe(false);
        for (const level of proof.keys()) {
          expect(verify(proof.toSpliced(level, 1))).toBe(false);
          expect(verify(proof.with(level, digest("other")))).toBe(false);
        }
      }),
      { numRuns: 20 },
    );
  });

  it("is not proved under an anchor of another range over the same root", () => {
    fc.assert(
      fc.property(places(), ([run, sequence]) => {
        const { root, first, last } = anchorOf(run);
        const verify = (range: { first: bigint; last: bigint }) =>
          verifyReceipt({ root, ...range }, sequence, receiptAt(run, sequence), receiptProof(run, sequence));
        expect(verify({ first, last })).toBe(true);
        expect(verify({ first: sequence + 1n, last: last + 1n })).toBe(false);
        expect(verify({ first, last: sequence - 1n })).toBe(false);
      }),
      { numRuns: 20 },
    );
  });
});

it("all receipts of a run are proved from one tree as each is by itself", () => {
  fc.assert(
    fc.property(runs(), (run) => {
      const proofs = sequencesOf(run).map((sequence) => receiptProof(run, sequence));
      expect(receiptProofs(run)).toEqual({ root: receiptRoot(run), proofs });
    }),
    { numRuns: 10 },
  );
});

describe("a long run", () => {
  it.each([1, CHUNK, CHUNK + 1, 3 * CHUNK + 5, 4 * CHUNK - 1])(
    "of %i is rooted and proved chunk by chunk",
    (count) => {
      const run = runOf(7n, count);
      const chunks: ReceiptRun[] = [];
      for (let from = 0; from < count; from += CHUNK) {
        chunks.push({ first: run.first + BigInt(from), receipts: run.receipts.slice(from, from + CHUNK) });
      }
      const chunkRoots = chunks.map(receiptRoot);
      expect(rootOverChunks(chunkRoots)).toBe(receiptRoot(run));
      for (const chunk of chunks) {
        const proofs = proofsThroughChunk(chunk, { first: run.first, chunkRoots });
        expect(proofs).toHaveLength(chunk.receipts.length);
        for (const at of [0, chunk.receipts.length - 1])
          expect(proofs[at]).toEqual(receiptProof(run, chunk.first + BigInt(at)));
      }
    },
  );
});

describe("refused", () => {
  it.each([
    ["empty-tree", () => receiptRoot({ first: 1n, receipts: [] })],
    ["empty-tree", () => rootOverChunks([])],
    ["empty-tree", () => receiptProof({ first: 1n, receipts: [] }, 1n)],
    ["unknown-leaf", () => receiptProof(runOf(5n, 3), 4n)],
    ["unknown-leaf", () => receiptProof(runOf(5n, 3), 8n)],
    ["invalid-hex", () => receiptRoot({ first: 1n, receipts: ["0x12"] })],
  ])("%s: %s", (code, act) => {
    expect(act).toThrow(ProtocolError);
    expect(act).toThrow(expect.objectContaining({ code }));
  });
});
