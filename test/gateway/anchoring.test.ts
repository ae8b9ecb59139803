import { asc, eq } from "drizzle-orm";
import { Contract } from "ethers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { AccessLog } from "../../gateway/audit/accessLog.ts";
import { Anchoring } from "../../gateway/audit/anchoring.ts";
import { Audit } from "../../gateway/audit/audit.ts";
import { listReceipts } from "../../gateway/audit/ownReceipts.ts";
import { type Call, Sender } from "../../gateway/chain/sender.ts";
import { type Database, openDatabase } from "../../gateway/database/database.ts";
import { anchors, envelopeKeys, receipts } from "../../gateway/database/schema.ts";
import { Operator } from "../../gateway/enrolment/operator.ts";
import { accessLogAbi } from "../../protocol/abi/accessLog.ts";
import type { Hex } from "../../protocol/hash.ts";
import { newSalt } from "../../protocol/ids.ts";
import { receiptDigest } from "../../protocol/receipt.ts";
import { openEmptyDatabase } from "../emptyDatabase.ts";
import { findPostgres, startPostgres } from "../postgres.ts";
import { until, World } from "../world.ts";
import { DECISION } from "./decision.ts";

let world: World;
let contract: Contract;
/** For each test a state of the chain without any anchor. */
let bare: string;
const closers: (() => Promise<unknown>)[] = [];
const worldClosers: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  world = await World.onNewChain({}, worldClosers);
  contract = new Contract(world.environment.ACCESS_LOG ?? "", accessLogAbi, world.people.custodian);
});
beforeEach(async () => {
  bare = await world.provider.send("evm_snapshot", []);
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await world.provider.send("evm_revert", [bare]);
});
afterAll(() => world.close());

const custodian = () => world.people.custodian.address.toLowerCase() as Hex;
const [examId] = DECISION.exams as [Hex];

async function openPglite(): Promise<Database> {
  const { database, close } = await openEmptyDatabase();
  closers.push(close);
  return database;
}

/** As a gateway does it: what it records, and what it anchors. */
function gatewayOver(database: Database, execute?: (sender: Sender, call: Call) => Promise<void>) {
  const operatorKey = world.people.operator.privateKey as Hex;
  const operator = new Operator({
    ledger: world.environment.CONSENT_LEDGER as Hex,
    chainId: 31337,
    custodian: custodian(),
    operatorKey,
  });
  const sender = new Sender(world.provider, operatorKey, 31337);
  const lines: string[] = [];
  const log = (_: object, line: string) => void lines.push(line);
  const accessLog = new AccessLog(world.provider, world.environment.ACCESS_LOG as Hex, custodian());
  const anchoring = new Anchoring({
    database,
    sender: execute ? { execute: (call) => execute(sender, call) } : sender,
    accessLog,
    interval: 1,
    log: { info: log, error: log },
  });
  closers.push(() => anchoring.close());
  const audit = new Audit(database, operator);
  const record = async (count: number) => {
    const made = Array.from({ length: count }, () => audit.record(DECISION));
    return Promise.all(made);
  };
  return { operator, anchoring, record, lines };
}

/** The ranges of the custodian's anchors, as the chain has them. */
async function anchored(): Promise<[number, number][]> {
  const count = Number(await contract.getFunction("anchorCount").staticCall(custodian()));
  const ranges = Array.from({ length: count }, async (_, index): Promise<[number, number]> => {
    const { first, last } = await contract.getFunction("anchorOf").staticCall(custodian(), index);
    return [Number(first), Number(last)];
  });
  return Promise.all(ranges);
}
const untilAnchored = (last: number) =>
  until(`${last} is anchored`, async () => (await anchored()).at(-1)?.[1] === last);

/** How many of an exam's receipts, of a page, the chain holds by the proofs that the gateway gives. */
async function provedIn(database: Database): Promise<number> {
  const { receipts: listed } = await listReceipts({ database, custodian: custodian() }, examId, 1e9);
  let proved = 0;
  for (const { anchored, sequence, ...receipt } of listed) {
    const proof = [sequence, receiptDigest(receipt), anchored?.siblings ?? []] as const;
    const verify = contract.getFunction("verify");
    if (await verify.staticCall(custodian(), anchored?.index ?? 0, ...proof)) proved += 1;
  }
  return proved;
}

describe("anchors", () => {
  test("follow one another without a gap, and prove what they hold", async () => {
    const database = await openPglite();
    const { anchoring, record } = gatewayOver(database);
    await record(600);
    await anchoring.start();
    await untilAnchored(600);
    await record(3);
    await untilAnchored(603);
    expect(await anchored()).toEqual([
      [1, 600],
      [601, 603],
    ]);
    await until("it is written down", async () => (await database.$count(anchors)) === 2);
    expect(await provedIn(database)).toBe(50);
  });

  test("are read once for all the receipts of a page that they prove", async () => {
    const database = await openPglite();
    const { anchoring, record } = gatewayOver(database);
    await record(200);
    await anchoring.start();
    await until("it is written down", async () => (await database.$count(anchors)) === 1);
    const select = vi.spyOn(database, "select");
    const counts: number[] = [];
    for (const [before, page] of [
      [11, 10],
      [1e9, 50],
    ] as const) {
      select.mockClear();
      const listed = await listReceipts({ database, custodian: custodian() }, examId, before);
      expect(listed.receipts).toHaveLength(page);
      expect(listed.receipts.every(({ signed, anchored }) => signed && anchored)).toBe(true);
      counts.push(select.mock.calls.length);
    }
    expect(counts[0]).toBe(counts[1]);
  });

  test("that were sent and not written down are found again, and not sent again", async () => {
    const database = await openPglite();
    const crashing = gatewayOver(database, async (sender, call) => {
      await sender.execute(call);
      // The process dies here: it gives nothing back, and writes nothing down.
      await new Promise(() => undefined);
    });
    await crashing.record(5);
    await crashing.anchoring.start();
    await untilAnchored(5);
    expect(await database.$count(anchors)).toBe(0);
    await crashing.anchoring.close();
    await database.execute("update leases set until = 0");

    const again = gatewayOver(database);
    await again.anchoring.start();
    expect(await database.select().from(anchors)).toMatchObject([{ index: 0, first: 1, last: 5 }]);
    await again.record(1);
    await untilAnchored(6);
    expect(await anchored()).toEqual([
      [1, 5],
      [6, 6],
    ]);
  });

  test("that were reorganised away are sent again", async () => {
    const database = await openPglite();
    const { anchoring, record } = gatewayOver(database);
    await record(2);
    const before = await world.provider.send("evm_snapshot", []);
    await anchoring.start();
    await until("it is written down", async () => (await database.$count(anchors)) === 1);
    await world.provider.send("evm_revert", [before]);
    await record(1);
    await untilAnchored(3);
    await until("it is written down", async () => {
      return (await database.select().from(anchors)).map(({ last }) => last).join() === "3";
    });
    expect(await provedIn(database)).toBe(3);
  });

  test("go on after numbers that somebody else used up, and say so", async () => {
    const database = await openPglite();
    const { anchoring, record, lines } = gatewayOver(database);
    await record(2);
    await (await contract.getFunction("anchor").send(custodian(), newSalt(), 1, 10)).wait();
    await anchoring.start();
    expect(lines).toContain("An anchor covers numbers that were never given here: they are used up");
    expect(lines).toContain("An anchor does not hold the receipts that are here");
    const [receipt] = await record(1);
    expect(receipt?.sequence).toBe(11);
    await untilAnchored(11);
    await until("it is written down", async () => (await database.$count(anchors)) === 2);
    expect(await provedIn(database)).toBe(1);
  });

  test("hold a hole where a receipt is missing, and the rest can be proved", async () => {
    const database = await openPglite();
    const { anchoring, record, lines } = gatewayOver(database);
    await record(9);
    await database.delete(receipts).where(eq(receipts.seq, 4));
    await anchoring.start();
    await untilAnchored(9);
    await until("it is written down", async () => (await database.$count(anchors)) === 1);
    expect(lines).toContain("Receipts are missing from the database");
    expect(await provedIn(database)).toBe(8);
  });

  test("wait for a chain that is down, and nobody waits for them", async () => {
    const database = await openPglite();
    let isDown = true;
    const { anchoring, record, lines } = gatewayOver(database, async (sender, call) => {
      if (isDown) throw new Error("The chain is down.");
      await sender.execute(call);
    });
    await record(1);
    await anchoring.start();
    await until("it failed", async () => lines.includes("Receipts could not be anchored"));
    expect((await record(1)).map(({ sequence }) => sequence)).toEqual([2]);
    isDown = false;
    await untilAnchored(2);
  });

  test("stay provable when the key of what is in them was destroyed", async () => {
    const database = await openPglite();
    const { anchoring, record } = gatewayOver(database);
    const given = await record(3);
    await anchoring.start();
    await untilAnchored(3);
    await database.delete(envelopeKeys).where(eq(envelopeKeys.subject, examId));
    expect((await listReceipts({ database, custodian: custodian() }, examId, 1e9)).receipts).toEqual([]);
    const rows = await database.select().from(receipts).orderBy(asc(receipts.seq));
    expect(rows.map(({ digest }) => digest)).toEqual(given.map(receiptDigest));
    await record(1);
    await untilAnchored(4);
  });
});

describe.skipIf(!findPostgres())("on PostgreSQL (needs Debian's postgresql)", () => {
  test("two gateways anchor each receipt once, and number them in one row", async () => {
    const postgres = await startPostgres();
    closers.push(postgres.close);
    const gateways = [];
    for (let i = 0; i < 2; i++) {
      const { database, close } = await openDatabase({ databaseUrl: postgres.url, dataDir: "" });
      closers.push(close);
      gateways.push({ database, ...gatewayOver(database) });
    }
    for (const { anchoring } of gateways) await anchoring.start();
    for (let round = 0; round < 5; round++) {
      await Promise.all(gateways.map(({ record }) => record(20)));
    }
    await untilAnchored(200);
    const ranges = await anchored();
    expect(ranges.map(([first]) => first)).toEqual([1, ...ranges.slice(0, -1).map(([, last]) => last + 1)]);
    const failures = gateways
      .flatMap(({ lines }) => lines)
      .filter((line) => line !== "Receipts were anchored");
    expect(failures).toEqual([]);
    const [first] = gateways;
    if (!first) throw new Error("There is no gateway.");
    await until("it is written down", async () => (await first.database.$count(anchors)) === ranges.length);
    expect(await provedIn(first.database)).toBe(50);
  });
});
