/** What custodians and their operators do: name operators, register exams, amend and retire them. */
import type { BaseContract } from "ethers";
import { examId, pointerLeaf } from "../../../../protocol/ids.ts";
import { merkleProof, merkleRoot } from "../../../../protocol/merkle.ts";
import type { Chain } from "../chain.ts";
import { costOf } from "../floor.ts";
import { withoutZeroByte, word } from "../samples.ts";

/** How many exams the measured batch has. */
export const BATCH_SIZE = 1_000;

/** Each act in turn, all of one custodian for one patient. */
export async function custodyCosts({ measure, accountOf }: Chain, ledger: BaseContract) {
  const [custodian, operator, patient] = [
    accountOf("custodian").address,
    accountOf("operator").address,
    accountOf("patient").address,
  ];
  const byCustodian = (act: string, ...args: unknown[]) => measure(ledger, "custodian", act, ...args);
  const byOperator = (act: string, ...args: unknown[]) => measure(ledger, "operator", act, ...args);
  const { leaves, first, manifestRoot } = batch(custodian, patient);
  const membership = {
    batchRoot: withoutZeroByte(merkleRoot(leaves)),
    manifestRoot,
    proof: merkleProof(leaves, pointerLeaf(examId(first), manifestRoot)).map(withoutZeroByte),
  };

  const former = accountOf("stranger").address;
  await byCustodian("setOperator", former, true);

  return {
    "setOperator, named": costOf(await byCustodian("setOperator", operator, true), { fresh: 1 }),
    "setOperator, taken away": costOf(await byCustodian("setOperator", former, false), {
      changed: 1,
      cleared: 1,
    }),
    "register, by the custodian": costOf(
      await byCustodian("register", custodian, patient, word(0x11), word(0xaa)),
      { fresh: 2 },
    ),
    "register, by an operator": costOf(
      await byOperator("register", custodian, patient, word(0x12), word(0xaa)),
      { fresh: 2 },
    ),
    amend: costOf(await byOperator("amend", custodian, patient, word(0x12), word(0xbb)), { changed: 2 }),
    retire: costOf(await byCustodian("retire", patient, word(0x11)), { changed: 1 }),
    "registerBatch of 1,000": costOf(
      await byOperator("registerBatch", custodian, membership.batchRoot, BATCH_SIZE),
      { fresh: 1 },
    ),
    "claim from a batch of 1,000": costOf(
      await measure(ledger, "relayer", "claim", custodian, patient, first.commitment, membership),
      { fresh: 2 },
    ),
  };
}

/** A batch's leaves, and the exam that will be claimed from it. */
function batch(custodian: string, patient: string) {
  const manifestRoot = word(0xc1);
  const exams = Array.from({ length: BATCH_SIZE }, (_, index) => {
    const commitment: `0x${string}` = `0x${"ab".repeat(30)}${(index + 0x1111).toString(16)}`;
    return { custodian, patient, commitment };
  });
  const [first] = exams;
  if (!first) throw new Error("The batch is empty.");
  return { leaves: exams.map((exam) => pointerLeaf(examId(exam), manifestRoot)), first, manifestRoot };
}
