/** A key that sends a call through a node that has its hiccups: the call is done once. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { AccessLog } from "../../gateway/audit/accessLog.ts";
import { connectChain } from "../../gateway/chain/provider.ts";
import { Sender } from "../../gateway/chain/sender.ts";
import type { Hex } from "../../protocol/hash.ts";
import { newSalt } from "../../protocol/ids.ts";
import { World } from "../world.ts";
import { RpcWay } from "./rpcWay.ts";

let world: World;
let way: RpcWay;
let log: AccessLog;
let sender: Sender;
const closers: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  world = await World.onNewChain({}, closers);
  way = await RpcWay.to(world.rpcUrl);
  const { provider } = await connectChain(way.url);
  closers.push(
    () => way.close(),
    async () => provider.destroy(),
  );
  const { operator, custodian } = world.people;
  log = new AccessLog(provider, world.environment.ACCESS_LOG as Hex, custodian.address.toLowerCase() as Hex);
  sender = new Sender(provider, operator.privateKey as Hex, 31337);
});
afterAll(() => world.close());
beforeEach(() => way.mend());

/** Anchor the next receipt. @returns how many transactions that took */
async function anchor(): Promise<number> {
  const [before, count] = [await sender.mined("latest"), await log.count()];
  const next = BigInt(count + 1);
  await sender.execute(log.callToAnchor({ root: newSalt(), first: next, last: next }));
  expect(await log.count()).toBe(count + 1);
  return (await sender.mined("latest")) - before;
}

test("a node that does not have the block yet that another has is not taken for another transaction", async () => {
  let hidden = 0;
  way.bend = ({ method }, result) => {
    if (method !== "eth_getTransactionReceipt" || hidden === 3) return result;
    hidden += 1;
    return null;
  };
  expect(await anchor()).toBe(1);
  expect(hidden).toBe(3);
});

test("a node that fails while its block is waited for is asked again", async () => {
  let failed = 0;
  way.refuses = ({ method }) => method === "eth_getTransactionReceipt" && ++failed <= 2;
  expect(await anchor()).toBe(1);
  expect(failed).toBeGreaterThan(2);
});

test("a block that does not come is waited for as long as was said", async () => {
  way.bend = ({ method }, result) => {
    if (method === "eth_getTransactionReceipt") return null;
    return method === "eth_getTransactionCount" ? "0x0" : result;
  };
  const next = BigInt((await log.count()) + 1);
  const call = log.callToAnchor({ root: newSalt(), first: next, last: next });
  await expect(sender.execute(call, 600)).rejects.toMatchObject({ reason: "chain-unavailable" });
});
