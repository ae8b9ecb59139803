/** Anchors of receipts: `AccessLog.verify` answers as the protocol does, whatever it is asked. */
import type { Contract } from "ethers";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Hex } from "../../protocol/hash.ts";
import { newSalt } from "../../protocol/ids.ts";
import { type AnchoredRun, receiptProof, receiptRoot, verifyReceipt } from "../../protocol/receiptTree.ts";
import { type OpenLedger, openLedger } from "./world.ts";

/** What `verify` is asked. */
type Question = { index: number; sequence: bigint; receipt: Hex; proof: Hex[] };

/** What may have become of a proof. */
const BENDS = {
  none: (proof: Hex[]) => proof,
  shorter: (proof: Hex[]) => proof.slice(0, -1),
  longer: (proof: Hex[]) => [...proof, newSalt()],
  upsideDown: (proof: Hex[]) => proof.toReversed(),
};

/** The custodian's anchors, in order. */
const anchors: AnchoredRun[] = [];

let world: OpenLedger;
let log: Contract;
let custodian: string;

beforeAll(async () => {
  world = await openLedger();
  custodian = await world.people.custodian.getAddress();
  log = await world.ethers.deployContract("AccessLog", [world.ledger], world.people.custodian);
});
afterAll(() => world.close());

/** The custodian anchors that many new receipts; what proves each of them. */
async function anchor(count: number): Promise<Question[]> {
  const first = (anchors.at(-1)?.last ?? 0n) + 1n;
  const last = first + BigInt(count) - 1n;
  const run = { first, receipts: Array.from({ length: count }, newSalt) };
  const root = receiptRoot(run);
  await (await log.getFunction("anchor").send(custodian, root, first, last)).wait();
  const index = anchors.push({ root, first, last }) - 1;
  return run.receipts.map((receipt, i) => {
    const sequence = first + BigInt(i);
    return { index, sequence, receipt, proof: receiptProof(run, sequence) };
  });
}

const chainSays = ({ index, sequence, receipt, proof }: Question): Promise<boolean> =>
  log.getFunction("verify").staticCall(custodian, index, sequence, receipt, proof);

function protocolSays({ index, sequence, receipt, proof }: Question): boolean {
  const anchored = anchors[index];
  return anchored !== undefined && verifyReceipt(anchored, sequence, receipt, proof);
}

it("holds every receipt of a run of any size at its own number", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 100 }), async (count) => {
      for (const question of await anchor(count)) {
        expect(await chainSays(question)).toBe(true);
        expect(protocolSays(question)).toBe(true);
      }
    }),
    { numRuns: 6 },
  );
});

it("answers as the protocol does when anchor, number, receipt or proof is another's", async () => {
  // An anchor before all that are asked for, and numbers before theirs.
  await anchor(2);
  const held: Question[] = [];
  for (let count = 1; count <= 20; count++) held.push(...(await anchor(count)));
  const mostly = <T>(usual: T, ...others: T[]) =>
    fc.oneof(
      { weight: 2, arbitrary: fc.constant(usual) },
      { weight: 1, arbitrary: fc.constantFrom(...others) },
    );
  const questions = fc.record({
    own: fc.constantFrom(...held),
    other: fc.constantFrom(...held),
    indexBy: mostly(0, -1, 1, 100),
    sequenceBy: mostly(0n, -2n, -1n, 1n, 2n, 1n << 63n),
    receiptOf: mostly("own", "other"),
    proofOf: mostly("own", "other"),
    bend: mostly(BENDS.none, BENDS.shorter, BENDS.longer, BENDS.upsideDown),
  });

  const answers = { true: 0, false: 0 };
  await fc.assert(
    fc.asyncProperty(questions, async ({ own, other, indexBy, sequenceBy, receiptOf, proofOf, bend }) => {
      const question = {
        index: own.index + indexBy,
        sequence: own.sequence + sequenceBy,
        receipt: (receiptOf === "own" ? own : other).receipt,
        proof: bend((proofOf === "own" ? own : other).proof),
      };
      const answer = await chainSays(question);
      expect(answer).toBe(protocolSays(question));
      answers[`${answer}`]++;
    }),
    { numRuns: 500 },
  );
  expect(answers.true).toBeGreaterThan(0);
  expect(answers.false).toBeGreaterThan(0);
});
