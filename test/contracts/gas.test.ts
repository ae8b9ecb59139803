/**
 * What each act costs: the gas of the whole transaction, calldata included. Gas is deterministic, so the figures are
 * pinned as they are; the limits are what the ledger promises.
 */

import type { ContractTransactionReceipt } from "ethers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { granteeOf } from "../../protocol/ids.ts";
import { packTerms } from "../../protocol/terms.ts";
import { type OpenLedger, openLedger } from "./world.ts";

let world: OpenLedger;

beforeAll(async () => {
  world = await openLedger();
});
afterAll(() => world.close());

/** A word without a zero byte, as costly as calldata gets. */
const word = (byte: string) => `0x${byte.repeat(32)}`;
const terms = packTerms({
  notBefore: 1_800_000_000,
  notAfter: 1_802_592_000,
  purposes: ["TREAT"],
  actions: ["VIEW", "DOWNLOAD"],
});

it("keeps every act within what is promised", async () => {
  const { ledger, people } = world;
  const gas = async (who: keyof typeof people, act: string, ...args: unknown[]) => {
    const sent = await ledger
      .connect(people[who])
      .getFunction(act)
      .send(...args);
    return Number(((await sent.wait()) as ContractTransactionReceipt).gasUsed);
  };
  const [custodian, operator, patient] = await Promise.all([
    people.custodian.getAddress(),
    people.operator.getAddress(),
    people.patient.getAddress(),
  ]);
  const reader = granteeOf(await people.reader.getAddress());

  const used = {
    setOperator: await gas("custodian", "setOperator", operator, true),
    "register by the custodian": await gas(
      "custodian",
      "register",
      custodian,
      patient,
      word("11"),
      word("aa"),
    ),
    "register by an operator": await gas("operator", "register", custodian, patient, word("22"), word("aa")),
    amend: await gas("operator", "amend", custodian, patient, word("22"), word("bb")),
    retire: await gas("custodian", "retire", patient, word("11")),
    "grant, cold": await gas("patient", "grant", word("33"), reader, terms),
    "change a grant": await gas("patient", "grant", word("33"), reader, terms + 1n),
    revoke: await gas("patient", "revoke", word("33"), reader),
    "revoke what was never granted": await gas("patient", "revoke", word("44"), reader),
    "revokeAll, first": await gas("patient", "revokeAll", patient),
    "revokeAll, later": await gas("patient", "revokeAll", patient),
  };

  expect(used["grant, cold"]).toBeLessThanOrEqual(47_500);
  expect(used["change a grant"]).toBeLessThanOrEqual(30_400);
  expect(used.revoke).toBeLessThanOrEqual(30_000);
  expect(used["revokeAll, first"]).toBeLessThanOrEqual(46_000);
  expect(used["revokeAll, later"]).toBeLessThanOrEqual(29_000);
  expect(used["register by an operator"]).toBeLessThanOrEqual(74_000);
  expect(used).toMatchInlineSnapshot(`
    {
      "amend": 38051,
      "change a grant": 30384,
      "grant, cold": 47472,
      "register by an operator": 72793,
      "register by the custodian": 70541,
      "retire": 29260,
      "revoke": 29808,
      "revoke what was never granted": 46908,
      "revokeAll, first": 44995,
      "revokeAll, later": 27895,
      "setOperator": 45951,
    }
  `);
});
