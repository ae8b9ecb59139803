/** A revoke that was signed and waits in the relay's queue: it denies at once, everywhere, for as long as it has to, and no longer. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { readConfig } from "../../gateway/config.ts";
import { type RunningGateway, startGateway } from "../../gateway/server.ts";
import type { Exam } from "../../protocol/api.ts";
import { granteeOf } from "../../protocol/ids.ts";
import type { Relayed } from "../../protocol/relay.ts";
import { freePort } from "../freePort.ts";
import { findPostgres, type Postgres, startPostgres } from "../postgres.ts";
import { type PersonName, reasonOf, until, World } from "../world.ts";
import {
  goOnMining,
  grantTo,
  messageOf,
  mineCheap,
  mineTooDear,
  NOWHERE,
  RELAYER,
  RELAYING,
  relay,
  revokeFrom,
  signed,
  stopMining,
  taken,
  untilState,
} from "./relaying.ts";
import { undoSince } from "./reorganisation.ts";
import { RpcWay } from "./rpcWay.ts";

/** What a person is told who asks for an exam; `open` where it is theirs to see. */
async function answerTo(world: World, exam: Exam, name: PersonName = "reader"): Promise<string> {
  const answer = await world.get(`/exams/${exam.examId}/manifest`, name);
  return answer.ok ? "open" : reasonOf(answer);
}

/** No act of the patient's is open: finalised blocks speak for themselves. */
function untilSettled(world: World, name: PersonName = "patient") {
  return until("all is settled", async () => {
    const answer = await world.get("/relay", name);
    return ((await answer.json()) as { acts: unknown[] }).acts.length === 0;
  });
}

describe.skipIf(!findPostgres())("at two gateways over one database (needs Debian's postgresql)", () => {
  let postgres: Postgres;
  let world: World;
  let second: RunningGateway;
  let ports: Record<"first" | "second", number>;
  let exam: Exam;

  beforeAll(async () => {
    postgres = await startPostgres();
    ports = { first: await freePort(), second: await freePort() };
    const PUBLIC_URL = `http://127.0.0.1:${ports.first}`;
    const environment = { ...RELAYING, DATABASE_URL: postgres.url, PORT: String(ports.first), PUBLIC_URL };
    world = await World.open({ environment });
    ({ brain: exam } = await world.enrolTwoExams());
    second = await startGateway(readConfig({ ...world.environment, PORT: String(ports.second) }));
  });
  afterAll(async () => {
    await second?.close();
    await world.close();
    await postgres.close();
  });

  const at = (gateway: "first" | "second", path: string, token: string) =>
    fetch(`http://127.0.0.1:${ports[gateway]}${path}`, { headers: { authorization: `Bearer ${token}` } });

  test("it denies at both before any block has it, and cuts what is open", async () => {
    await world.grant("patient", exam.examId, "reader");
    const token = await world.signIn("reader");
    const streams = await Promise.all(
      (["first", "second"] as const).map(async (gateway) => {
        await until(
          `${gateway} lets the reader in`,
          async () => (await at(gateway, `/exams/${exam.examId}/manifest`, token)).ok,
        );
        return at(gateway, `/exams/${exam.examId}/watch`, token);
      }),
    );
    await stopMining(world);
    onTestFinished(() => goOnMining(world));
    const act = await taken(world, "Revoke", "patient", revokeFrom(world, "reader", exam.examId));
    expect(await reasonOf(await at("first", `/exams/${exam.examId}/manifest`, token))).toBe("403 revoked");
    for (const stream of streams) expect(await stream.text()).toContain('"reason":"revoked"');
    expect(await reasonOf(await at("second", `/exams/${exam.examId}/manifest`, token))).toBe("403 revoked");
    await untilState(world, act, "sent");
    const slot = [world.people.patient.address, exam.examId, granteeOf(world.people.reader.address)];
    expect((await world.ledger.getFunction("grantOf").staticCall(...slot)).revoked).toBe(false);

    await goOnMining(world);
    await untilState(world, act, "mined");
    await untilSettled(world);
    for (const gateway of ["first", "second"] as const)
      expect(await reasonOf(await at(gateway, `/exams/${exam.examId}/manifest`, token))).toBe("403 revoked");
    await taken(world, "Grant", "patient", grantTo(world, "reader", exam.examId));
    for (const gateway of ["first", "second"] as const)
      await until(
        `${gateway} lets the reader in again`,
        async () => (await at(gateway, `/exams/${exam.examId}/manifest`, token)).ok,
      );
  });
});

describe("at one gateway", () => {
  let world: World;
  let exam: Exam;
  let other: Exam;

  beforeAll(async () => {
    world = await World.open({ environment: RELAYING });
    ({ brain: exam, pet: other } = await world.enrolTwoExams());
  });
  afterAll(() => world.close());

  const opened = async () => {
    await world.grant("patient", exam.examId, "reader");
    await until("it is open", async () => (await answerTo(world, exam)) === "open");
  };

  test("a forged or stale one denies nothing", async () => {
    await opened();
    const by = world.people.patient;
    const fields = revokeFrom(world, "reader", exam.examId);
    const stale = await messageOf(world, "Revoke", { by, ...fields });
    await world.grant("patient", exam.examId, "reader", { actions: ["VIEW"] });
    const fresh = await messageOf(world, "Revoke", { by, ...fields });
    const bodies = [
      await signed(world, "Revoke", fresh, world.people.stranger),
      await signed(world, "Revoke", stale, by),
      await signed(world, "RevokeAll", await messageOf(world, "RevokeAll", { by }), world.people.stranger),
    ];
    for (const body of bodies) expect((await world.post("/relay", body)).ok).toBe(false);
    expect(await answerTo(world, exam)).toBe("open");
  });

  test("of all denies everybody, guardians too", async () => {
    await opened();
    await world.grant("patient", other.examId, "otherReader");
    const until2100 = 4_102_444_800;
    await world.act("patient", "nameGuardian", [world.people.stranger.address, until2100]);
    const care = `/exams?for=${world.people.patient.address}`;
    await until("the guardian is told", async () => (await world.get(care, "stranger")).ok);
    await stopMining(world);
    onTestFinished(() => goOnMining(world));
    const act = await taken(world, "RevokeAll", "patient", {});
    expect(await answerTo(world, exam)).toBe("403 revoked");
    expect(await answerTo(world, other, "otherReader")).toBe("403 revoked");
    expect((await world.get(care, "stranger")).status).toBe(403);
    await goOnMining(world);
    await untilState(world, act, "mined");
    await untilSettled(world);
    expect(await answerTo(world, exam)).toBe("403 revoked");
    await world.untilNextSecond();
  });

  test("after a grant that waits as well is not lost, whatever comes first", async () => {
    const fields = revokeFrom(world, "otherReader", exam.examId);
    await stopMining(world);
    onTestFinished(() => goOnMining(world));
    const grant = await taken(world, "Grant", "patient", grantTo(world, "otherReader", exam.examId));
    const before = await relay(world, "Revoke", "patient", fields);
    expect(await reasonOf(before)).toBe("409 act-in-doubt");
    const revoke = await taken(world, "Revoke", "patient", { ...fields, nonce: 1n });
    await goOnMining(world);
    await untilState(world, grant, "mined");
    expect(await answerTo(world, exam, "otherReader")).not.toBe("open");
    await untilState(world, revoke, "mined");
    await untilSettled(world);
    expect(await answerTo(world, exam, "otherReader")).toBe("403 revoked");
  });

  test("that the ledger can never take any more denies until its deadline, and no longer", async () => {
    await opened();
    const balance = await world.provider.send("eth_getBalance", [RELAYER.address, "latest"]);
    await world.provider.send("hardhat_setBalance", [RELAYER.address, "0x0"]);
    const time = async () => (await world.provider.getBlock("latest"))?.timestamp ?? 0;
    const deadline = (await time()) + 3;
    const fields = { ...revokeFrom(world, "reader", exam.examId), deadline: BigInt(deadline) };
    const act = await taken(world, "Revoke", "patient", fields);
    expect(await answerTo(world, exam)).toBe("403 revoked");
    await until("the deadline has passed", async () => (await time()) > deadline);
    await world.provider.send("hardhat_setBalance", [RELAYER.address, balance]);
    const refused = await untilState(world, act, "refused");
    expect(refused.reason).toBe("act-expired");
    await until("it opens again", async () => (await answerTo(world, exam)) === "open");
  });

  test("is offered to be sent directly after a while without a block, as it is", async () => {
    await world.stopGateway();
    await world.startGateway({ RELAY_PATIENCE: "1" });
    await stopMining(world);
    onTestFinished(() => goOnMining(world));
    const act: Relayed = await taken(world, "Revoke", "patient", revokeFrom(world, "reader", NOWHERE));
    expect(act.direct).toBeNull();
    const late = await until("it is offered", async () => {
      const now = (await (await world.get(`/relay/${act.id}`)).json()) as Relayed;
      return now.direct !== null && now;
    });
    await goOnMining(world);
    const { to, data } = late.direct ?? { to: "", data: "" };
    expect(to).toBe(world.environment.CONSENT_LEDGER?.toLowerCase());
    await (await world.people.governor.sendTransaction({ to, data })).wait();
    const mined = await untilState(world, act, "mined");
    expect(mined.direct).toBeNull();
  });
});

describe("where finality comes late", () => {
  test("one that is reorganised away denies all along, and is sent again", async () => {
    let way: RpcWay | undefined;
    const world = await World.open({
      environment: RELAYING,
      rpcThrough: async (rpcUrl) => {
        way = await RpcWay.to(rpcUrl);
        return way.url;
      },
    });
    onTestFinished(async () => {
      await world.close();
      await way?.close();
    });
    const { brain: exam } = await world.enrolTwoExams();
    await world.grant("patient", exam.examId, "reader");
    const old = await world.provider.send("eth_getBlockByNumber", ["latest", false]);
    if (way)
      way.bend = ({ method, params }, result) =>
        method === "eth_getBlockByNumber" && params[0] === "finalized" ? old : result;

    const snapshot = (await world.provider.send("evm_snapshot", [])) as string;
    const act = await taken(world, "Revoke", "patient", revokeFrom(world, "reader", exam.examId));
    await untilState(world, act, "mined");
    const slot = [world.people.patient.address, exam.examId, granteeOf(world.people.reader.address)];
    const isRevoked = async () => (await world.ledger.getFunction("grantOf").staticCall(...slot)).revoked;
    await stopMining(world);
    await undoSince(world.provider, snapshot);
    expect(await isRevoked()).toBe(false);
    await mineTooDear(world, 2);
    await untilState(world, act, "sent");
    await until("the new chain is followed", async () => {
      const answer = await answerTo(world, exam);
      expect(answer).not.toBe("open");
      return answer === "403 revoked";
    });
    expect(await isRevoked()).toBe(false);
    await mineCheap(world);
    await goOnMining(world);
    await untilState(world, act, "mined");
    expect(await isRevoked()).toBe(true);
    way?.mend();
    await untilSettled(world);
    expect(await answerTo(world, exam)).toBe("403 revoked");
  });
});
