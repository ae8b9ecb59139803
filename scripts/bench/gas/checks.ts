/** What `check` costs, with one grant in the ledger and with very many. */
import type { BaseContract } from "ethers";
import { examId, granteeOf } from "../../../protocol/ids.ts";
import { LEDGER_REASONS } from "../../../protocol/reasons.ts";
import { actionsToMask, purposesToMask } from "../../../protocol/terms.ts";
import { fill, MOST_GAS } from "../filling.ts";
import type { Chain } from "./chain.ts";
import { PERIOD, TERMS, word } from "./samples.ts";

/** Gas of a whole transaction that asks `check`, by what it answers. */
export type CheckCosts = {
  /** By the grant on the exam, after its series' slot was found empty. */
  permitted: number;
  /** After all four slots were found empty. */
  denied: number;
};

/**
 * Grants one exam, asks, writes as many more grants of the same patient to the same reader as it takes to have `grants`,
 * and asks again.
 * @param progress called every hundred transactions, with how many grants are in the ledger
 */
export async function checkCosts(
  chain: Chain,
  ledger: BaseContract,
  grants: number,
  progress: (written: number) => void = () => {},
): Promise<{ one: CheckCosts; many: CheckCosts }> {
  const { accountOf, measure } = chain;
  const [custodian, patient] = [accountOf("custodian").address, accountOf("patient").address];
  const commitment = word(0x11);
  const resource = examId({ custodian, patient, commitment });
  const reader = granteeOf(accountOf("reader").address);
  await measure(ledger, "custodian", "register", custodian, patient, commitment, word(0xaa));
  await measure(ledger, "patient", "grant", resource, reader, TERMS);

  const ask = () => askBoth(chain, ledger, { custodian, patient, commitment });
  const one = await ask();
  const grant = async (resources: string[]) => {
    const limit = { gasLimit: MOST_GAS };
    await measure(ledger, "patient", "grantBatch", patient, resources, reader, TERMS, limit);
  };
  await fill(1, grants, grant, progress);
  return { one, many: await ask() };
}

/** A view costs gas like any function once a transaction calls it, which is measured the same way as all else. */
async function askBoth(
  chain: Chain,
  ledger: BaseContract,
  exam: { custodian: string; patient: string; commitment: string },
): Promise<CheckCosts> {
  const ask = async (role: "reader" | "stranger", expected: (typeof LEDGER_REASONS)[number]) => {
    const query = {
      ...exam,
      seriesCommitment: word(0x12),
      reader: chain.accountOf(role).address,
      granteeSalt: `0x${"0".repeat(64)}`,
      purpose: purposesToMask(["TREAT"]),
      action: actionsToMask(["VIEW"]),
      time: PERIOD.notBefore,
    };
    const [reason] = await ledger.getFunction("check").staticCall(query);
    if (LEDGER_REASONS[Number(reason)] !== expected)
      throw new Error(`check says ${reason}, not ${expected}.`);
    return (await chain.measure(ledger, "relayer", "check", query)).gas;
  };
  return { permitted: await ask("reader", "permitted"), denied: await ask("stranger", "not-granted") };
}
