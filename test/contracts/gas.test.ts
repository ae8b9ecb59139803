/**
 * What each act costs: the gas of the whole transaction, calldata included, as `npm run bench -- gas` measures it. Gas is
 * deterministic, so the figures are pinned as they are, in docs/performance.md too; the limits are what the ledger promises.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Chain, openChain } from "../../scripts/bench/gas/chain.ts";
import { checkCosts } from "../../scripts/bench/gas/checks.ts";
import { floorOf } from "../../scripts/bench/gas/floor.ts";
import { exceeded } from "../../scripts/bench/gas/limits.ts";
import {
  type Acts,
  deployLedger,
  measureActs,
  measurePeers,
  type Peers,
} from "../../scripts/bench/gas/measure.ts";
import { checksTable, footnotes, limitsTable, otherActsTable } from "../../scripts/bench/gas/report.ts";
import { word } from "../../scripts/bench/gas/samples.ts";

let chain: Chain;
let acts: Acts;
let peers: Peers;
let performance: string;

beforeAll(async () => {
  performance = await readFile(join(import.meta.dirname, "..", "..", "docs", "performance.md"), "utf8");
  chain = await openChain();
  acts = await measureActs(chain);
  peers = await measurePeers(chain);
});
afterAll(() => chain.close());

describe("the acts", () => {
  it("stay within what is promised", () => {
    expect(exceeded(acts)).toEqual([]);
  });

  it("cost what they cost", () => {
    const gas = Object.fromEntries(Object.entries(acts).map(([act, cost]) => [act, cost.gas]));
    expect(gas).toMatchInlineSnapshot(`
      {
        "AccessLog.anchor, first": 98479,
        "AccessLog.anchor, later": 83851,
        "EmergencyAccess.close": 43202,
        "EmergencyAccess.open, one signature": 95043,
        "EmergencyAccess.open, two signatures": 85844,
        "EmergencyAccess.setPractitioner": 46008,
        "accept": 57711,
        "acceptBySig": 67571,
        "amend": 38195,
        "change or extend a grant": 30093,
        "claim from a batch of 1,000": 83814,
        "grant, cold": 47181,
        "grantBatch of one, by a guardian": 53609,
        "grantBatch of ten": 258377,
        "grantBatchBySig of ten": 277660,
        "grantBySig, cold": 57184,
        "handOver": 49537,
        "handOverBySig": 58787,
        "nameGuardian": 46307,
        "nameGuardianBySig": 56444,
        "register, by an operator": 73461,
        "register, by the custodian": 71208,
        "registerBatch of 1,000": 49133,
        "retire": 29246,
        "revoke": 29686,
        "revoke what was never granted": 46786,
        "revokeAll, first": 45698,
        "revokeAll, later": 28598,
        "revokeAllBySig, first": 51899,
        "revokeBatch of ten": 86142,
        "revokeBatchBySig of ten": 105505,
        "revokeBySig": 39280,
        "setOperator, named": 46066,
        "setOperator, taken away": 24154,
      }
    `);
  });

  it("are all reckoned with, as gas and as money, where it is asked whether a chain is worth it", async () => {
    const page = await readFile(join(import.meta.dirname, "..", "..", "docs", "why-a-chain.md"), "utf8");
    const table = page.slice(page.indexOf("| act | gas |"), page.indexOf("`check` is read"));
    const cells = [...table.matchAll(/^\| .+ \| ([\d,; ]+) \| ([\d.; ]+)(?: USD)? \|/gm)];
    const all = (column: number) => cells.flatMap((row) => row[column]?.split("; ") ?? []);
    const numbers = (texts: string[]) =>
      texts.map((text) => Number(text.replaceAll(",", ""))).sort((a, b) => a - b);
    const gas = Object.values(acts).map((cost) => cost.gas);
    expect(numbers(all(1))).toEqual(numbers(gas.map(String)));
    // At 3 gwei, and 2,000 USD for an ether.
    expect(all(2)).toEqual(all(1).map((text) => (Number(text.replaceAll(",", "")) * 6e-6).toFixed(3)));
  });

  it("have the floors that they have, and are not below them", () => {
    const floors = Object.fromEntries(Object.entries(acts).map(([act, cost]) => [act, cost.floor]));
    expect(floors).toMatchInlineSnapshot(`
      {
        "AccessLog.anchor, first": 90804,
        "AccessLog.anchor, later": 73716,
        "EmergencyAccess.close": 29699,
        "EmergencyAccess.open, one signature": 75599,
        "EmergencyAccess.open, two signatures": 62927,
        "EmergencyAccess.setPractitioner": 45428,
        "accept": 55551,
        "acceptBySig": 60947,
        "amend": 34836,
        "change or extend a grant": 29311,
        "claim from a batch of 1,000": 75463,
        "grant, cold": 46399,
        "grantBatch of one, by a guardian": 47440,
        "grantBatch of ten": 253252,
        "grantBatchBySig of ten": 259724,
        "grantBySig, cold": 51783,
        "handOver": 45919,
        "handOverBySig": 51303,
        "nameGuardian": 45452,
        "nameGuardianBySig": 50836,
        "register, by an operator": 69411,
        "register, by the custodian": 69411,
        "registerBatch of 1,000": 45952,
        "retire": 28444,
        "revoke": 28819,
        "revoke what was never granted": 45919,
        "revokeAll, first": 44657,
        "revokeAll, later": 27557,
        "revokeAllBySig, first": 49545,
        "revokeBatch of ten": 81772,
        "revokeBatchBySig of ten": 88352,
        "revokeBySig": 34215,
        "setOperator, named": 45428,
        "setOperator, taken away": 23516,
      }
    `);
    expect(Object.entries(acts).filter(([, { gas, floor }]) => gas < floor)).toEqual([]);
  });

  it("stand beside peers that cost what they cost", () => {
    expect(peers).toMatchInlineSnapshot(`
      {
        "EAS attest": 157588,
        "EAS attest, with the resource": 200342,
        "EAS attestByDelegation": 173770,
        "EAS attestByDelegation, with the resource": 216537,
        "EAS multiAttest of ten": 1303516,
        "EAS multiAttest of ten, with the resources": 1690799,
        "EAS revoke": 57655,
        "EAS revoke, with the resource": 59890,
        "OpenZeppelin ERC-20 approve": 45882,
        "OpenZeppelin ERC-20 approve, another amount": 28782,
        "OpenZeppelin ERC-20 approve, to zero": 23958,
        "Permit2 approve": 47566,
        "Permit2 approve, another amount": 30466,
        "Permit2 lockdown": 29934,
        "Permit2 permit": 57518,
        "Permit2 permit of ten": 306775,
      }
    `);
  });
});

describe("the arithmetic floor", () => {
  /** Sends calldata to an address, and tells by how much the EVM charges more than the floor. */
  async function aboveFloor(to: string, calldata: string, work: Parameters<typeof floorOf>[1]) {
    const receipt = await (await chain.accountOf("patient").sendTransaction({ to, data: calldata })).wait();
    if (!receipt) throw new Error("The transaction is in no block.");
    return Number(receipt.gasUsed) - floorOf({ calldata, logs: receipt.logs }, work);
  }

  it.each([1, 10, 1_000])("is all that %i words to nobody cost", async (words) => {
    expect(await aboveFloor(word(0x99).slice(0, 42), `0x${"00ff".repeat(16 * words)}`, {})).toBe(0);
  });

  it("lacks nothing but the opcodes of a contract that writes a slot and an event", async () => {
    // PUSH0 CALLDATALOAD PUSH0 SSTORE, PUSH0 PUSH1 32 PUSH0 LOG1, in what deploys these nine bytes.
    const contract = await chain.deploy({ abi: [], bytecode: "0x685f355f555f60205fa15f5260096017f3" });
    const to = await contract.getAddress();
    expect(await aboveFloor(to, word(0x11), { fresh: 1 })).toBe(17);
    expect(await aboveFloor(to, word(0x22), { changed: 1 })).toBe(17);
    expect(await aboveFloor(to, `0x${"00".repeat(32)}`, { changed: 1, cleared: 1 })).toBe(17);
  });
});

describe("check", () => {
  it("costs the same with one grant in the ledger and with ten thousand", async () => {
    const { one, many } = await checkCosts(chain, await deployLedger(chain), 10_000);
    expect(many).toEqual(one);
    expect(one).toMatchInlineSnapshot(`
      {
        "denied": 40812,
        "permitted": 35899,
      }
    `);
    expect(performance).toContain(checksTable({ one, many }, 1_000_000));
  });
});

describe("docs/performance.md", () => {
  it("has the tables as they are printed", async () => {
    expect(performance).toContain(limitsTable(acts, peers));
    expect(performance).toContain(otherActsTable(acts));
    expect(performance).toContain(footnotes(acts, chain.hardfork));
  });
});
