/**
 * The contract and a model of it in plain words (./model/ledger.ts, ./model/decision.ts) live through the same random
 * histories. At each step they must do or refuse the same, for the same reason; and at any time decide alike.
 *
 * A history that divides them is shrunk, and printed with the seed that made it. `EXAMKEY_DEEP=1` draws new ones, and more.
 */

import { ZeroHash } from "ethers";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { consentLedgerAbi } from "../../protocol/abi/consentLedger.ts";
import { LEDGER_REASONS } from "../../protocol/reasons.ts";
import type { Query, Step } from "./model/acts.ts";
import { functionOf } from "./model/calls.ts";
import { EXAMS, PATIENTS, START } from "./model/cast.ts";
import { LedgerOnChain } from "./model/chain.ts";
import { decide } from "./model/decision.ts";
import { histories } from "./model/histories.ts";
import { LedgerModel } from "./model/ledger.ts";
import { type Plan, stepOf } from "./model/plans.ts";
import { QUERIES } from "./model/queries.ts";
import { addressOf, wordOf } from "./model/words.ts";

const DEEP = process.env.EXAMKEY_DEEP === "1";
/** Histories, of some 30 steps each. */
const RUNS = DEEP ? { numRuns: 6_000 } : { numRuns: 100, seed: 1 };
const MINUTES = 60_000;

/** All queries, a few at a time: after each step the next few, and all after the last. */
const PARTS = Array.from({ length: 80 }, (_, part) => QUERIES.filter((_, i) => i % 80 === part));

let chain: LedgerOnChain;
/** What came to pass in any history: acts, errors and reasons. */
const seen = new Set<string>();

beforeAll(async () => {
  chain = await LedgerOnChain.open(START);
});
afterAll(() => chain.close());

it("does, refuses and decides what the model does", { timeout: (DEEP ? 240 : 10) * MINUTES }, async () => {
  await fc.assert(fc.asyncProperty(histories, compare), RUNS);
  expect(everything().filter((what) => !seen.has(what))).toEqual([]);
});

/** Lets both live through a history, from an empty ledger. */
async function compare(history: Plan[]): Promise<void> {
  await chain.empty();
  const model = new LedgerModel();
  const steps: Step[] = [];
  let now = START;
  for (const plan of history) {
    now += plan.after;
    const step = stepOf(plan, now, model, steps);
    if (!step) continue;
    steps.push(step);
    await compareOutcomes(model, step);
    await compareDecisions(model, PARTS[steps.length % PARTS.length] ?? []);
  }
  await compareDecisions(model, QUERIES);
  await compareWhatIsKept(model);
}

async function compareOutcomes(model: LedgerModel, step: Step): Promise<void> {
  const outcome = model.take(step);
  expect(await chain.take(step), JSON.stringify(step)).toBe(outcome);
  seen.add(outcome.startsWith("refused") ? outcome : `${functionOf(step)}: ${outcome}`);
}

async function compareDecisions(model: LedgerModel, queries: readonly Query[]): Promise<void> {
  for (const query of queries) {
    const [expected, actual] = [decide(model, query), await chain.check(query)];
    const isSame = actual.reason === expected.reason && actual.validUntil === expected.validUntil;
    // To assert as often as this is asked would take as long as to ask.
    if (!isSame) expect(actual, JSON.stringify(query)).toEqual(expected);
    seen.add(`${query.membership ? "checkUnclaimed" : "check"}: ${expected.reason}`);
  }
}

async function compareWhatIsKept(model: LedgerModel): Promise<void> {
  for (const exam of EXAMS) {
    const { owner, ownedSince, manifests, retired } = model.examOf(exam);
    const manifest = manifests.at(-1);
    expect(await chain.pointerOf(exam), exam).toEqual({
      owner: addressOf(owner),
      ownedSince: BigInt(ownedSince),
      version: BigInt(manifests.length),
      retired,
      manifestRoot: manifest === undefined ? ZeroHash : wordOf(manifest),
    });
  }
  for (const patient of PATIENTS) {
    for (const guardian of PATIENTS) {
      const acts = await chain.isGuardian(patient, guardian);
      expect(acts, `${guardian} for ${patient}`).toBe(model.isGuardian(patient, guardian));
    }
  }
}

/** Every act done, by whatever way; every act by signature found standing; every error; every reason. */
function everything(): string[] {
  const acts = consentLedgerAbi.flatMap((entry) =>
    entry.type === "function" && entry.stateMutability === "nonpayable" ? entry.name : [],
  );
  const errors = consentLedgerAbi.flatMap((entry) => (entry.type === "error" ? entry.name : []));
  return [
    ...acts.map((name) => `${name}: done`),
    ...acts.filter((name) => name.endsWith("BySig")).map((name) => `${name}: stands already`),
    ...errors
      .filter((name) => name.startsWith("ConsentLedger"))
      .map((name) => `refused: ${name.slice("ConsentLedger".length)}`),
    ...LEDGER_REASONS.flatMap((reason) => [`check: ${reason}`, `checkUnclaimed: ${reason}`]),
  ];
}
