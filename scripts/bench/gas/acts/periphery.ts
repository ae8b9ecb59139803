/** The contracts beside the ledger: anchors of receipts, and emergencies. */
import { type BaseContract, ZeroAddress } from "ethers";
import { blindedGrantee, type ExamParts, examId } from "../../../../protocol/ids.ts";
import { EMERGENCY_REASONS } from "../../../../protocol/reasons.ts";
import { EMERGENCY_TYPES, emergencyDomain } from "../../../../protocol/typedData.ts";
import { BEGIN, type Chain, type Role } from "../chain.ts";
import { costOf } from "../floor.ts";
import { signedFrom, word } from "../samples.ts";

/** A custodian's first two anchors, of a thousand receipts each. Its operator is named in the ledger. */
export async function anchorCosts({ measure, accountOf }: Chain, accessLog: BaseContract) {
  const custodian = accountOf("custodian").address;
  const anchor = (root: string, first: number, last: number) =>
    measure(accessLog, "operator", "anchor", custodian, root, first, last);
  return {
    "AccessLog.anchor, first": costOf(await anchor(word(0x71), 1, 1_000), { fresh: 3 }),
    "AccessLog.anchor, later": costOf(await anchor(word(0x72), 1_001, 2_000), { fresh: 2, changed: 1 }),
  };
}

/** An exam is opened with one signature, and again within a day with two. Its custodian's operator is named in the ledger. */
export async function emergencyCosts(chain: Chain, ledger: BaseContract, emergencies: BaseContract) {
  const { measure, accountOf } = chain;
  const [custodian, patient] = [accountOf("custodian").address, accountOf("patient").address];
  const [badge, second] = [accountOf("badge").address, accountOf("secondBadge").address];
  const exam = { custodian, patient, commitment: word(0x15) };
  await measure(ledger, "custodian", "register", custodian, patient, exam.commitment, word(0xaa));
  const name = (who: string) => measure(emergencies, "custodian", "setPractitioner", who, true);
  const named = await name(badge);
  await name(second);

  const sign = await emergencySigner(chain, emergencies, exam);
  const one = await sign(["badge"], 0);
  const two = await sign(["badge", "secondBadge"], 1);
  const send = (act: string, ...args: unknown[]) => measure(emergencies, "operator", act, ...args);
  const open = await send("open", one.emergency, badge, one.signatures[0], ZeroAddress, "0x");
  const again = await send("open", two.emergency, badge, two.signatures[0], second, two.signatures[1]);
  const close = await send("close", custodian, patient, exam.commitment, two.emergency.reader);
  return {
    "EmergencyAccess.setPractitioner": costOf(named, { fresh: 1 }),
    "EmergencyAccess.open, one signature": costOf(open, { fresh: 2, signatures: 1 }),
    "EmergencyAccess.open, two signatures": costOf(again, { fresh: 1, changed: 1, signatures: 2 }),
    "EmergencyAccess.close": costOf(close, { changed: 1 }),
  };
}

/** Signs emergencies on one exam, each for a reader who is blinded anew. `count` is how many it has had. */
async function emergencySigner(chain: Chain, emergencies: BaseContract, exam: ExamParts) {
  const domain = emergencyDomain(chain.chainId, await emergencies.getAddress());
  const reason = EMERGENCY_REASONS.indexOf("life-threatening");
  return async (roles: readonly Role[], count: number) => {
    const reader = blindedGrantee(chain.accountOf("reader").address, word(0x73 + count));
    const message = { examId: examId(exam), reader, reason, count };
    const { second: until, signatures } = await signedFrom(
      roles.map((role) => chain.accountOf(role)),
      BEGIN + 3 * 3_600,
      (second, badge) => ({
        domain,
        types: { Emergency: [...EMERGENCY_TYPES.Emergency] },
        message: { ...message, badge, until: second },
      }),
    );
    return { emergency: { ...exam, reader, reason, until, count }, signatures };
  };
}
