/** What patients send themselves: grants and revokes, guardians, and the hand-over of an exam. */
import type { BaseContract } from "ethers";
import { examId, granteeOf } from "../../../../protocol/ids.ts";
import type { Chain } from "../chain.ts";
import { costOf, floorOf } from "../floor.ts";
import { PERIOD, TERMS, tenWords, withoutZeroByte, word } from "../samples.ts";

/** Each act in turn, all of one patient, of whom the ledger knows nothing before. */
export async function grantCosts({ measure, accountOf }: Chain, ledger: BaseContract) {
  const reader = granteeOf(accountOf("reader").address);
  const patient = accountOf("patient").address;
  const [one, ten] = [word(0x33), tenWords(0x51)];
  const act = (name: string, ...args: unknown[]) => measure(ledger, "patient", name, ...args);
  const grant = await act("grant", one, reader, TERMS);
  const change = await act("grant", one, reader, TERMS + 1n);
  const revoke = await act("revoke", one, reader);
  const grantTen = await act("grantBatch", patient, ten, reader, TERMS);
  const tenEvents = { ...grantTen, logs: Array.from({ length: 10 }, () => grant.logs).flat() };
  return {
    "grant, cold": costOf(grant, { fresh: 1 }),
    "change or extend a grant": costOf(change, { changed: 1 }),
    revoke: costOf(revoke, { changed: 1 }),
    "revoke what was never granted": costOf(await act("revoke", word(0x34), reader), { fresh: 1 }),
    "grantBatch of ten": {
      ...costOf(grantTen, { fresh: 10 }),
      /** What the floor would be, had each of the ten an event of its own as `grant` has. */
      floorWithTenEvents: floorOf(tenEvents, { fresh: 10 }),
    },
    "revokeBatch of ten": costOf(await act("revokeBatch", patient, ten, reader), { changed: 10 }),
    "revokeAll, first": costOf(await act("revokeAll", patient), { fresh: 1 }),
    "revokeAll, later": costOf(await act("revokeAll", patient), { changed: 1 }),
  };
}

/** A guardian is named, and grants; an exam is offered and accepted. The ledger knows nothing of the owner before. */
export async function ownerCosts({ measure, accountOf }: Chain, ledger: BaseContract) {
  const [custodian, owner, receiver, guardian] = [
    accountOf("custodian").address,
    accountOf("owner").address,
    accountOf("receiver").address,
    accountOf("guardian").address,
  ];
  const reader = granteeOf(accountOf("reader").address);
  const exam = withoutZeroByte(examId({ custodian, patient: owner, commitment: word(0x16) }));
  await measure(ledger, "custodian", "register", custodian, owner, word(0x16), word(0xaa));
  return {
    nameGuardian: costOf(await measure(ledger, "owner", "nameGuardian", guardian, PERIOD.notAfter), {
      fresh: 1,
    }),
    "grantBatch of one, by a guardian": costOf(
      await measure(ledger, "guardian", "grantBatch", owner, [word(0x35)], reader, TERMS),
      { fresh: 1 },
    ),
    handOver: costOf(await measure(ledger, "owner", "handOver", exam, receiver), { fresh: 1 }),
    accept: costOf(await measure(ledger, "receiver", "accept", exam), { fresh: 1, changed: 2 }),
  };
}
