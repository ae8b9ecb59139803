/** What the gateway keeps of the ledger's events, and which revokes it holds, on a chain that is reorganised at will. */
import { Contract, HDNodeWallet, JsonRpcProvider, Mnemonic } from "ethers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EventFollower } from "../../gateway/chain/eventFollower.ts";
import { readBlock } from "../../gateway/chain/provider.ts";
import type { OpenDatabase } from "../../gateway/database/database.ts";
import { followedBlocks, ledgerEvents } from "../../gateway/database/schema.ts";
import { isHeld, isRevokeAllHeld } from "../../gateway/decision/heldRevokes.ts";
import { consentLedgerAbi } from "../../protocol/abi/consentLedger.ts";
import type { Hex } from "../../protocol/hash.ts";
import { ALL_EXAMS_RESOURCE, examsAtResource, granteeOf } from "../../protocol/ids.ts";
import { packTerms } from "../../protocol/terms.ts";
import { deployContracts, type LocalChain, startChain } from "../../scripts/chain.ts";
import { openEmptyDatabase } from "../emptyDatabase.ts";

const CUSTODIAN: Hex = `0x${"c0".repeat(20)}`;
const EXAM: Hex = `0x${"e1".repeat(32)}`;
const OTHER_EXAM: Hex = `0x${"e2".repeat(32)}`;
const SERIES: Hex = `0x${"5e".repeat(32)}`;
const READER: Hex = `0x${"ad".repeat(20)}`;
const GRANTEE = granteeOf(READER);
const TERMS = packTerms({ notBefore: 0, notAfter: 2 ** 39, purposes: ["TREAT"], actions: ["VIEW"] });

let chain: LocalChain;
let provider: JsonRpcProvider;
let ledger: Contract;
let patient: Hex;
let opened: OpenDatabase;
let follower: EventFollower;

beforeEach(async () => {
  chain = await startChain({ port: 0 });
  provider = new JsonRpcProvider(chain.rpcUrl, undefined, { cacheTimeout: -1, pollingInterval: 50 });
  await provider.send("evm_setIntervalMining", [0]);
  const phrase = Mnemonic.fromPhrase("test test test test test test test test test test test junk");
  const wallet = HDNodeWallet.fromMnemonic(phrase).connect(provider);
  const { consentLedger } = await deployContracts({
    rpcUrl: chain.rpcUrl,
    deployerKey: wallet.privateKey,
  });
  patient = wallet.address.toLowerCase() as Hex;
  ledger = new Contract(consentLedger, consentLedgerAbi, wallet);
  opened = await openEmptyDatabase();
  follower = newFollower();
});

afterEach(async () => {
  await opened.close();
  provider.destroy();
  await chain.close();
});

/** A node that lists the last log first. */
class BackwardsProvider extends JsonRpcProvider {
  override async send(method: string, parameters: unknown[]): Promise<unknown> {
    const result: unknown = await super.send(method, parameters);
    return method === "eth_getLogs" && Array.isArray(result) ? result.reverse() : result;
  }
}

/** Nothing here settles: on Hardhat's chain every block is final at once. */
function newFollower(): EventFollower {
  return new EventFollower(opened.database, provider, [ledger.target as Hex], 0);
}

async function follow(by = follower): Promise<void> {
  const head = await readBlock(provider, "latest");
  if (head) await by.follow(head);
}

async function act(method: string, ...parameters: unknown[]): Promise<void> {
  await (await ledger.getFunction(method)(...parameters)).wait();
}

const grant = (resource: Hex) => act("grant", resource, GRANTEE, TERMS);
const revoke = (resource: Hex) => act("revoke", resource, GRANTEE);
const grantBatch = (...resources: Hex[]) => act("grantBatch", patient, resources, GRANTEE, TERMS);
const revokeBatch = (...resources: Hex[]) => act("revokeBatch", patient, resources, GRANTEE);
const mine = (blocks: number) => provider.send("hardhat_mine", [`0x${blocks.toString(16)}`]);
const mark = (): Promise<string> => provider.send("evm_snapshot", []);
const goBack = (marked: string) => provider.send("evm_revert", [marked]);

const held = (examId: Hex, { series = null as Hex | null, reader = READER } = {}) =>
  isHeld(opened.database, {
    exam: { examId, custodian: CUSTODIAN, patient, commitment: EXAM },
    series: series && { resource: series, commitment: EXAM },
    name: { grantee: granteeOf(reader), salt: null },
  });

const rowsOf = async (resource: Hex) => {
  const rows = (await opened.database.select().from(ledgerEvents)).filter((row) => row.resource === resource);
  return rows
    .sort((a, b) => (a.nonce ?? 0) - (b.nonce ?? 0) || Number(a.orphaned) - Number(b.orphaned))
    .map(({ kind, nonce, orphaned }) => `${nonce} ${kind}${orphaned ? ", orphaned" : ""}`);
};

const nonceOnChain = async (resource: Hex) =>
  Number((await ledger.getFunction("grantOf").staticCall(patient, resource, GRANTEE)).nonce);

describe("events are kept", () => {
  test("with the nonces that the ledger gives their slots, in whatever chunks they come", async () => {
    await grant(EXAM);
    await grantBatch(EXAM, OTHER_EXAM, EXAM);
    await follow();
    await revokeBatch(OTHER_EXAM, EXAM);
    await act("revokeAll", patient);
    await follow();
    await revoke(EXAM);
    await follow();
    expect(await rowsOf(EXAM)).toEqual(["1 granted", "2 granted", "3 granted", "4 revoked", "5 revoked"]);
    expect(await rowsOf(OTHER_EXAM)).toEqual(["1 granted", "2 revoked"]);
    expect(await nonceOnChain(EXAM)).toBe(5);
    expect(await nonceOnChain(OTHER_EXAM)).toBe(2);
  });

  test("of a batch that is larger than what is written at once, and lists one resource again and again", async () => {
    await revoke(EXAM);
    await revokeBatch(...Array.from({ length: 1_100 }, () => EXAM), OTHER_EXAM);
    await follow();
    const rows = await rowsOf(EXAM);
    expect(rows).toHaveLength(1_101);
    expect(rows.at(-1)).toBe("1101 revoked");
    expect(await nonceOnChain(EXAM)).toBe(1_101);
    expect(await rowsOf(OTHER_EXAM)).toEqual(["1 revoked"]);
  });

  test("with those nonces also where a node gives its logs in another order", async () => {
    const backwards = new BackwardsProvider(chain.rpcUrl, undefined, { cacheTimeout: -1 });
    await grant(EXAM);
    await revokeBatch(EXAM, OTHER_EXAM);
    await grant(EXAM);
    await revoke(EXAM);
    await follow(new EventFollower(opened.database, backwards, [ledger.target as Hex], 0));
    backwards.destroy();
    expect(await rowsOf(EXAM)).toEqual(["1 granted", "2 revoked", "3 granted", "4 revoked"]);
    expect(await nonceOnChain(EXAM)).toBe(4);
  });

  test("once, by however many gateways on one database", async () => {
    await grant(EXAM);
    await revokeBatch(EXAM, OTHER_EXAM);
    await follow();
    const before = await opened.database.select().from(ledgerEvents);
    await opened.database.delete(followedBlocks);
    await follow(newFollower());
    expect(await opened.database.select().from(ledgerEvents)).toEqual(before);
  });

  test("under the same nonces, and not as orphans, when their block was reorganised away and comes back", async () => {
    await grant(EXAM);
    const time = Math.floor(Date.now() / 1000) + 1;
    const revokeAt = async (timestamp: number) => {
      await provider.send("evm_setNextBlockTimestamp", [timestamp]);
      await revokeBatch(EXAM, OTHER_EXAM);
      return (await readBlock(provider, "latest"))?.hash;
    };
    const fork = await mark();
    const first = await revokeAt(time);
    await follow();
    await goBack(fork);
    const again = await mark();
    expect(await revokeAt(time + 1)).not.toBe(first);
    await follow();
    expect(await rowsOf(EXAM)).toEqual(["1 granted", "2 revoked", "2 revoked, orphaned"]);
    await goBack(again);
    expect(await revokeAt(time)).toBe(first);
    await follow();
    expect(await rowsOf(EXAM)).toEqual(["1 granted", "2 revoked", "2 revoked, orphaned"]);
    expect(await rowsOf(OTHER_EXAM)).toEqual(["1 revoked", "1 revoked, orphaned"]);
    const returned = await opened.database.select().from(ledgerEvents);
    expect(returned.filter(({ blockHash, orphaned }) => blockHash === first && orphaned)).toEqual([]);
  });
});

describe("a revoke that was reorganised away holds", () => {
  test("each resource of its batch, against the grants it was aimed at, mined again after it", async () => {
    const fork = await mark();
    await grantBatch(EXAM, OTHER_EXAM);
    await revokeBatch(EXAM, OTHER_EXAM);
    await follow();
    await goBack(fork);
    await mine(5);
    await grantBatch(EXAM, OTHER_EXAM);
    await follow();
    expect(await rowsOf(EXAM)).toEqual(["1 granted", "2 revoked, orphaned"]);
    expect(await held(EXAM)).toBe(true);
    expect(await held(OTHER_EXAM)).toBe(true);
  });

  test("until a later will of the patient's, in whatever block, for that resource alone", async () => {
    const fork = await mark();
    await grantBatch(EXAM, OTHER_EXAM);
    await mine(20);
    await revokeBatch(EXAM, OTHER_EXAM);
    await follow();
    await goBack(fork);
    await grantBatch(EXAM, OTHER_EXAM);
    await grant(EXAM);
    await follow();
    expect(await held(EXAM)).toBe(true);
    await grant(EXAM);
    await follow();
    expect(await held(EXAM)).toBe(false);
    expect(await held(OTHER_EXAM)).toBe(true);
  });

  test("of a series, for that series alone", async () => {
    const fork = await mark();
    await revoke(SERIES);
    await follow();
    await goBack(fork);
    await mine(1);
    await follow();
    expect(await held(EXAM, { series: SERIES })).toBe(true);
    expect(await held(EXAM)).toBe(false);
    expect(await held(OTHER_EXAM)).toBe(false);
  });

  test("of an exam, against what is granted on all of them", async () => {
    await grant(ALL_EXAMS_RESOURCE);
    const fork = await mark();
    await revoke(EXAM);
    await follow();
    await goBack(fork);
    await grantBatch(ALL_EXAMS_RESOURCE, ALL_EXAMS_RESOURCE);
    await follow();
    expect(await held(EXAM)).toBe(true);
    expect(await held(OTHER_EXAM)).toBe(false);
  });

  test.each([
    ["all exams at the custodian", examsAtResource(CUSTODIAN), true],
    ["all exams", ALL_EXAMS_RESOURCE, true],
    ["all exams at another custodian", examsAtResource(READER), false],
  ])("of %s", async (_, wide, closes) => {
    await grant(wide);
    const fork = await mark();
    await revoke(wide);
    await follow();
    expect(await held(EXAM)).toBe(false);
    await goBack(fork);
    await mine(1);
    await follow();
    expect(await held(EXAM)).toBe(closes);
    expect(await held(OTHER_EXAM, { series: SERIES })).toBe(closes);
    expect(await held(EXAM, { reader: CUSTODIAN })).toBe(false);
  });

  test("of everything, whatever is granted after it, and against guardians", async () => {
    const fork = await mark();
    await act("revokeAll", patient);
    await follow();
    expect(await isRevokeAllHeld(opened.database, patient)).toBe(false);
    await goBack(fork);
    await grantBatch(EXAM, EXAM, EXAM);
    await follow();
    expect(await held(EXAM)).toBe(true);
    expect(await held(EXAM, { reader: CUSTODIAN })).toBe(true);
    expect(await isRevokeAllHeld(opened.database, patient)).toBe(true);
    expect(await isRevokeAllHeld(opened.database, CUSTODIAN)).toBe(false);
  });
});
