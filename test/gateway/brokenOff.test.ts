import { once } from "node:events";
import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Exam } from "../../protocol/api.ts";
import { granteeOf } from "../../protocol/ids.ts";
import { reasonOf, SAMPLE_PATIENTS, until, World } from "../world.ts";

type Call = { id: number; method: string; params: [unknown, ...unknown[]] };

let world: World;
let frame: string;
let exam: Exam;
let node: string;
let refuses: (call: Call) => boolean = () => false;

/** A way to the node that refuses single calls, as nodes do that have limits, or hiccups. */
const way = createServer(async (request, response) => {
  const body = (await json(request)) as Call | Call[];
  const calls = [body].flat();
  const error = { code: -32005, message: "limit exceeded" };
  const answer = calls.some((call) => refuses(call))
    ? JSON.stringify(calls.map(({ id }) => ({ jsonrpc: "2.0", id, error })))
    : await (await fetch(node, { method: "POST", body: JSON.stringify(body) })).text();
  response.setHeader("content-type", "application/json").end(answer);
});

beforeAll(async () => {
  world = await World.open({
    rpcThrough: async (rpcUrl) => {
      node = rpcUrl;
      await once(way.listen(0, "127.0.0.1"), "listening");
      const address = way.address();
      return `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
    },
  });
  await world.enrol(SAMPLE_PATIENTS.brain, "patient");
  await until("the chain is followed", async () => (await world.get("/exams", "patient")).ok);
  [exam] = (await world.examsOf("patient")) as [Exam];
  frame = new URL(exam.picture ?? "").pathname.replace(/rendered$/, "frames/1");
});

afterAll(async () => {
  await world.close();
  way.close();
});

test("a revoke counts also where the reading of events broke off after it", async () => {
  await world.grant("patient", exam.examId, "reader");
  expect((await world.get(frame, "reader")).status).toBe(200);
  // The revoke, and one block more, are read in one go.
  await world.provider.send("evm_setIntervalMining", [0]);
  refuses = ({ method, params: [block] }) => method === "eth_getBlockByNumber" && block === "latest";
  await world.act("patient", "revoke", [exam.examId, granteeOf(world.people.reader.address)]);
  await world.provider.send("evm_mine", []);
  const last = await world.provider.getBlockNumber();
  // One block at a time is given; the one after the revoke not at first.
  let brokeOff = false;
  refuses = ({ method, params: [filter] }) => {
    if (method !== "eth_getLogs" || brokeOff) return false;
    const { fromBlock, toBlock } = filter as Record<"fromBlock" | "toBlock", string>;
    brokeOff = Number(fromBlock) === last;
    return brokeOff || fromBlock !== toBlock;
  };
  await until("the reading breaks off", async () => brokeOff);
  await world.provider.send("evm_setIntervalMining", [1_000]);
  await until("the chain is followed again", async () => (await world.get(frame, "patient")).ok);
  await until("the reader is shut out", async () => {
    const answer = await world.get(frame, "reader");
    return !answer.ok && (await reasonOf(answer)) === "403 revoked";
  });
});
