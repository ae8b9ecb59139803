import { afterAll, beforeAll, expect, test } from "vitest";
import type { Exam } from "../../protocol/api.ts";
import { granteeOf } from "../../protocol/ids.ts";
import { reasonOf, SAMPLE_PATIENTS, until, World } from "../world.ts";
import { asksForHead, RpcWay } from "./rpcWay.ts";

let world: World;
let frame: string;
let exam: Exam;
let way: RpcWay;

beforeAll(async () => {
  world = await World.open({
    rpcThrough: async (rpcUrl) => {
      way = await RpcWay.to(rpcUrl);
      return way.url;
    },
  });
  await world.enrol(SAMPLE_PATIENTS.brain, "patient");
  await until("the chain is followed", async () => (await world.get("/exams", "patient")).ok);
  [exam] = (await world.examsOf("patient")) as [Exam];
  frame = new URL(exam.picture ?? "").pathname.replace(/rendered$/, "frames/1");
});

afterAll(async () => {
  await world.close();
  await way.close();
});

test("a revoke counts also where the reading of events broke off after it", async () => {
  await world.grant("patient", exam.examId, "reader");
  expect((await world.get(frame, "reader")).status).toBe(200);
  // The revoke, and one block more, are read in one go.
  await world.provider.send("evm_setIntervalMining", [0]);
  way.refuses = asksForHead;
  await world.act("patient", "revoke", [exam.examId, granteeOf(world.people.reader.address)]);
  await world.provider.send("evm_mine", []);
  const last = await world.provider.getBlock("latest");
  // One block at a time is given; the one after the revoke not at first.
  let brokeOff = false;
  way.refuses = ({ method, params: [filter] }) => {
    if (method !== "eth_getLogs" || brokeOff) return false;
    const { fromBlock, toBlock, blockHash } = filter as Record<string, string>;
    brokeOff = blockHash === last?.hash;
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
