/** Batches of pointers: the ledger finds in a tree what the protocol put there, and nothing else. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Hex } from "../../protocol/hash.ts";
import { type ExamParts, examId, granteeOf, newSalt, pointerLeaf } from "../../protocol/ids.ts";
import { merkleProof, merkleRoot, verifyMerkleProof } from "../../protocol/merkle.ts";
import { LEDGER_REASONS } from "../../protocol/reasons.ts";
import { type OpenLedger, openLedger } from "./world.ts";

type Pointer = ExamParts & { manifestRoot: Hex };
type Membership = { batchRoot: Hex; manifestRoot: Hex; proof: Hex[] };

let world: OpenLedger;
let custodian: string;
let patient: string;

beforeAll(async () => {
  world = await openLedger();
  custodian = await world.people.custodian.getAddress();
  patient = await world.people.patient.getAddress();
});
afterAll(() => world.close());

const leafOf = ({ manifestRoot, ...exam }: Pointer) => pointerLeaf(examId(exam), manifestRoot);

/** A batch of new pointers that the custodian registers; its leaves, and its root. */
async function registerBatch(count: number) {
  const pointers = Array.from({ length: count }, (): Pointer => {
    return { custodian, patient, commitment: newSalt(), manifestRoot: newSalt() };
  });
  const leaves = pointers.map(leafOf);
  const batchRoot = merkleRoot(leaves);
  const register = world.ledger.connect(world.people.custodian).getFunction("registerBatch");
  await (await register.send(custodian, batchRoot, count)).wait();
  const membershipOf = (pointer: Pointer): Membership => {
    const { manifestRoot } = pointer;
    return { batchRoot, manifestRoot, proof: merkleProof(leaves, leafOf(pointer)) };
  };
  return { pointers, membershipOf };
}

/** What the ledger says of a stranger's wish to read an exam that may be in a batch. */
async function reasonOf(exam: ExamParts, membership: Membership) {
  const query = {
    ...exam,
    seriesCommitment: `0x${"0".repeat(64)}`,
    granteeSalt: `0x${"0".repeat(64)}`,
    reader: granteeOf(custodian),
    purpose: 1,
    action: 1,
    time: 0,
  };
  const [reason] = await world.ledger.getFunction("checkUnclaimed").staticCall(query, membership);
  return LEDGER_REASONS[Number(reason)];
}

async function claim({ custodian, patient, commitment }: ExamParts, membership: Membership) {
  const send = world.ledger.connect(world.people.stranger).getFunction("claim").send;
  return (await send(custodian, patient, commitment, membership)).wait();
}

it("every pointer of a batch of any size is in it, and can be claimed by anybody", async () => {
  const places = fc.integer({ min: 1, max: 64 }).chain((count) => {
    return fc.tuple(fc.constant(count), fc.nat({ max: count - 1 }));
  });
  await fc.assert(
    fc.asyncProperty(places, async ([count, place]) => {
      const { pointers, membershipOf } = await registerBatch(count);
      for (const pointer of pointers) {
        expect(await reasonOf(pointer, membershipOf(pointer))).toBe("not-granted");
      }
      const pointer = pointers[place] as Pointer;
      const exam = examId(pointer);
      await claim(pointer, membershipOf(pointer));
      const kept = await world.ledger.getFunction("pointerOf").staticCall(exam);
      expect(kept.toObject()).toEqual({
        owner: patient,
        ownedSince: 0n,
        version: 1n,
        retired: false,
        manifestRoot: pointer.manifestRoot,
      });
      await expect(claim(pointer, membershipOf(pointer))).rejects.toThrow("ConsentLedgerExamRegistered");
    }),
    { numRuns: 15 },
  );
});

/** Ways to show something else than what is so. */
const BENDS: [string, (own: Membership, other: Membership) => Membership][] = [
  ["another's proof", (own, { proof }) => ({ ...own, proof })],
  ["another's manifest", (own, { manifestRoot }) => ({ ...own, manifestRoot })],
  ["all of another's membership", (_, other) => other],
  ["a proof too short", (own) => ({ ...own, proof: own.proof.slice(0, -1) })],
  ["a proof too long", (own) => ({ ...own, proof: [...own.proof, own.batchRoot] })],
  ["a proof upside down", (own) => ({ ...own, proof: own.proof.toReversed() })],
  ["no proof", (own) => ({ ...own, proof: [] })],
  ["a root that nobody registered", (own) => ({ ...own, batchRoot: newSalt() })],
];

it.each(BENDS)("with %s, a pointer is in a batch only if it is to the protocol", async (_, bend) => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 64 }), async (count) => {
      const { pointers, membershipOf } = await registerBatch(count);
      const [pointer, other] = pointers as [Pointer, Pointer];
      const own = membershipOf(pointer);
      const bent = bend(own, membershipOf(other));
      const leaf = leafOf({ ...pointer, manifestRoot: bent.manifestRoot });
      const isIn = bent.batchRoot === own.batchRoot && verifyMerkleProof(bent.batchRoot, leaf, bent.proof);
      expect(await reasonOf(pointer, bent)).toBe(isIn ? "not-granted" : "unknown-exam");
      if (!isIn) await expect(claim(pointer, bent)).rejects.toThrow("ConsentLedgerNotInBatch");
    }),
    { numRuns: 8 },
  );
});

it("a batch is its custodian's alone", async () => {
  const { pointers, membershipOf } = await registerBatch(3);
  const [pointer] = pointers as [Pointer];
  const foreign = { ...pointer, custodian: await world.people.stranger.getAddress() };
  expect(await reasonOf(foreign, membershipOf(pointer))).toBe("unknown-exam");
  await expect(claim(foreign, membershipOf(pointer))).rejects.toThrow("ConsentLedgerNotInBatch");
});
