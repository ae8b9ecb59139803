/** What is signed is sent once, whatever happens meanwhile: fees that rise, a node that is away, a gateway that is killed. */
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Exam } from "../../protocol/api.ts";
import type { Relayed } from "../../protocol/relay.ts";
import { until, World } from "../world.ts";
import { type GatewayProcess, startProcess } from "./process.ts";
import {
  goOnMining,
  grantTo,
  mineCheap,
  mineTooDear,
  NOWHERE,
  RELAYER,
  RELAYING,
  stopMining,
  taken,
  transactionsOf,
  untilState,
} from "./relaying.ts";
import { RpcWay } from "./rpcWay.ts";

let world: World;
let way: RpcWay;
let exam: Exam;

beforeAll(async () => {
  world = await World.open({
    environment: { ...RELAYING, RESEND_AFTER: "1" },
    rpcThrough: async (rpcUrl) => {
      way = await RpcWay.to(rpcUrl);
      return way.url;
    },
  });
  ({ brain: exam } = await world.enrolTwoExams());
});
afterEach(() => way.mend());
afterAll(async () => {
  await world.close();
  await way.close();
});

/** The transactions of the relay's key that the node waits with. */
async function waiting(): Promise<
  { hash: string; nonce: string; maxFeePerGas: string; maxPriorityFeePerGas: string }[]
> {
  const pending = await world.provider.send("eth_getBlockByNumber", ["pending", true]);
  return pending.transactions.filter(({ from }: { from: string }) => from === RELAYER.address.toLowerCase());
}

test("one that is stuck is sent again under its nonce, for a tenth more at least, until it is mined", async () => {
  await stopMining(world);
  onTestFinished(() => goOnMining(world));
  const before = await transactionsOf(world);
  const act = await taken(world, "Grant", "patient", grantTo(world, "reader", NOWHERE));
  const first = (await untilState(world, act, "sent")).transaction;
  const one = await until("the node has it", async () => (await waiting())[0]);
  const second = await until("it is replaced", async () =>
    (await waiting()).find(({ hash }) => hash !== first),
  );
  expect(second.nonce).toBe(one.nonce);
  for (const fee of ["maxFeePerGas", "maxPriorityFeePerGas"] as const)
    expect(Number(second[fee])).toBeGreaterThanOrEqual(Number(one[fee]) * 1.1);
  await goOnMining(world);
  const mined = await untilState(world, act, "mined");
  expect(mined.transaction).not.toBe(first);
  expect(await transactionsOf(world)).toBe(before + 1);
});

test("several at once are mined, each once, though the base fee had risen over what the first offered", async () => {
  await stopMining(world);
  onTestFinished(() => goOnMining(world));
  const before = await transactionsOf(world);
  const resources = ["1", "2", "3", "4", "5"].map((digit) => `0x${digit.repeat(64)}`);
  const acts: Relayed[] = [];
  for (const resource of resources)
    acts.push(await taken(world, "Grant", "patient", grantTo(world, "reader", resource)));
  for (const act of acts) await untilState(world, act, "sent");
  await mineTooDear(world);
  expect(await transactionsOf(world)).toBe(before);
  await mineCheap(world);
  await goOnMining(world);
  const transactions = await Promise.all(
    acts.map(async (act) => (await untilState(world, act, "mined")).transaction),
  );
  expect(new Set(transactions).size).toBe(acts.length);
  expect(await transactionsOf(world)).toBe(before + acts.length);
});

test("a node that is away is waited for", async () => {
  const before = await transactionsOf(world);
  await stopMining(world);
  onTestFinished(() => goOnMining(world));
  const refused = new Promise<void>((heard) => {
    way.refuses = ({ method }) => {
      if (method === "eth_sendRawTransaction") heard();
      return method === "eth_sendRawTransaction";
    };
  });
  const act = await taken(world, "Grant", "patient", grantTo(world, "otherReader", NOWHERE));
  await refused;
  way.break();
  await goOnMining(world);
  await until("the gateway has noticed", async () => (await world.get("/readyz")).status === 503);
  expect(await (await world.get(`/relay/${act.id}`)).json()).toMatchObject({
    state: "queued",
    transaction: expect.any(String),
  });
  way.mend();
  await untilState(world, act, "mined");
  expect(await transactionsOf(world)).toBe(before + 1);
});

test("an answer of the node's that nobody heard makes no second transaction", async () => {
  const before = await transactionsOf(world);
  const heard = way.swallow("eth_sendRawTransaction");
  const act = await taken(world, "Grant", "patient", grantTo(world, "stranger", exam.examId));
  await heard;
  way.mend();
  await untilState(world, act, "mined");
  expect(await transactionsOf(world)).toBe(before + 1);
});

describe("a gateway that is killed", () => {
  let gateway: GatewayProcess;

  /** The same gateway, as a process of its own, in the place of the world's or of one that was killed. */
  const start = async () => {
    gateway = await startProcess(world.environment);
    world.useGateway(gateway.ready?.url ?? "");
  };
  beforeAll(async () => {
    await world.stopGateway();
    await start();
  });
  afterAll(async () => {
    await gateway.kill();
    await world.startGateway();
  });

  test.each([
    [
      "before it has sent",
      (heard: () => void) => {
        way.refuses = ({ method }) => {
          if (method === "eth_sendRawTransaction") heard();
          return method === "eth_sendRawTransaction";
        };
      },
    ],
    [
      "after it has sent, before it has heard",
      (heard: () => void) => {
        void way.swallow("eth_sendRawTransaction").then(heard);
      },
    ],
  ])("%s sends it once, after its restart", async (when, arrange) => {
    await stopMining(world);
    onTestFinished(() => goOnMining(world));
    const before = await transactionsOf(world);
    const sending = new Promise<void>(arrange);
    const act = await taken(
      world,
      "Grant",
      "patient",
      grantTo(world, "reader", `0x${when.length.toString(16).padStart(64, "0")}`),
    );
    await sending;
    await gateway.kill();
    way.mend();
    await start();
    await untilState(world, act, "sent");
    await goOnMining(world);
    const mined = await untilState(world, act, "mined");
    expect((await world.provider.getTransaction(mined.transaction ?? ""))?.nonce).toBe(before);
    expect(await transactionsOf(world)).toBe(before + 1);
  });

  test("between sending and the block finds it mined, and sends nothing", async () => {
    await stopMining(world);
    onTestFinished(() => goOnMining(world));
    const before = await transactionsOf(world);
    const act = await taken(world, "Grant", "patient", grantTo(world, "otherReader", exam.examId));
    await untilState(world, act, "sent");
    await gateway.kill();
    await goOnMining(world);
    await until("it is mined", async () => (await transactionsOf(world)) === before + 1);
    await start();
    await untilState(world, act, "mined");
    await until(
      "the reader reads",
      async () => (await world.get(`/exams/${exam.examId}/manifest`, "otherReader")).ok,
    );
    expect(await transactionsOf(world)).toBe(before + 1);
  });
});
