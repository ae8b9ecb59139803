/** The figures as text, the same on every machine. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { CheckCosts } from "./checks.ts";
import { costUnder, LIMITS, type Limit } from "./limits.ts";
import type { Acts, Peers } from "./measure.ts";

const NAME = 46;
const FIGURE = 12;

/** Gas with thousands apart, to the unit, or to a tenth where it is for each of many. */
function gasText(gas: number): string {
  const digits = Number.isInteger(gas) ? 0 : 1;
  return gas.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function line(name: string, ...figures: string[]): string {
  return (name.padEnd(NAME) + figures.map((figure) => figure.padStart(FIGURE)).join("")).trimEnd();
}

/** A ratio, to the thousandth. */
const times = (ratio: number) => ratio.toFixed(3);

function limitLines(limit: Limit, acts: Acts, peers: Peers): string[] {
  const { gas, floor } = costUnder(limit, acts);
  const name = limit.each ? `${limit.act}, for each` : limit.act;
  const verdict = gas <= limit.atMost ? "pass" : "OVER";
  return [
    line(name, gasText(gas), gasText(limit.atMost), verdict, gasText(floor), times(gas / floor)),
    ...limit.peers.map((peer) =>
      line(`  ${peer}`, gasText(peers[peer]), "", "", "", "", times(peers[peer] / gas)),
    ),
  ];
}

/** The acts that have a limit, each with its floor and its nearest peers. */
export function limitsTable(acts: Acts, peers: Peers): string {
  return [
    line("", "gas", "at most", "", "floor", "× floor", "× ExamKey"),
    ...LIMITS.flatMap((limit) => limitLines(limit, acts, peers)),
  ].join("\n");
}

/** The acts without a limit. */
export function otherActsTable(acts: Acts): string {
  const limited = LIMITS.map(({ act }): string => act);
  return [
    line("", "gas", "floor", "× floor"),
    ...Object.entries(acts)
      .filter(([act]) => !limited.includes(act))
      .map(([act, { gas, floor }]) => line(act, gasText(gas), gasText(floor), times(gas / floor))),
  ].join("\n");
}

/** What `check` costs, by how many grants the ledger has. */
export function checksTable({ one, many }: { one: CheckCosts; many: CheckCosts }, grants: number): string {
  return [
    line("grants in the ledger", "1", gasText(grants)),
    line("check, permitted by a grant on the exam", gasText(one.permitted), gasText(many.permitted)),
    line("check, denied after all four slots", gasText(one.denied), gasText(many.denied)),
  ].join("\n");
}

function versionOf(name: string): string {
  const file = fileURLToPath(import.meta.resolve(`${name}/package.json`));
  const { version }: { version: string } = JSON.parse(readFileSync(file, "utf8"));
  return `${name} ${version}`;
}

/** How the figures came about, and what they leave out. */
export function footnotes(acts: Acts, hardfork: string): string {
  return `- Gas of the whole transaction, calldata included, from its receipt; all of it in one run on one EVM, that of
  ${versionOf("hardhat")}, by the rules of ${hardfork}. \`check\` was sent as one too; a node that is only asked charges nothing.
- Floor: 21,000, the calldata (EIP-2028, EIP-7623), the slots written, cold (EIP-2200, 2929, 3529), the events, and 3,000 for
  each signature. What a contract reads or computes is not in it. With ten events in place of its one, the floor of ten
  grants would be ${gasText(acts["grantBatch of ten"].floorWithTenEvents)}.
- Ids, addresses and signatures have no zero byte, as dear as calldata gets, for all alike. Dates are the same for all, and
  allowances are small. Senders have a balance. Slots are cold, and empty or not as the name of the act says.
- OpenZeppelin's ERC-20 is from ${versionOf("@openzeppelin/contracts")}, compiled like the ledger. Permit2 is the bytecode in
  ${versionOf("@uniswap/universal-router")}, EAS that in ${versionOf("@ethereum-attestation-service/eas-contracts")}.
- An attestation with nothing in its data names no resource: it is EAS at its cheapest. The attester has signed before, which
  spares the slot of a counter. Permit2 approves ten at once by signature alone; grantBatchBySig is what compares.
- delegate.xyz is not in this run: we know of no npm package with its registry. Measured elsewhere, its version 2 takes 157,525
  to delegate, 31,390 to end that, and 1,212,243 for ten.`;
}
