/** Two gateways, each a process of its own, over one PostgreSQL and behind one nginx: as one, and whole when one is killed. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { asc } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { Pool } from "pg";
import { createSiweMessage } from "viem/siwe";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { receipts, relays } from "../../gateway/database/schema.ts";
import type { Exam } from "../../protocol/api.ts";
import { decodeReceipt, RECEIPT_HEADER, receiptDigest } from "../../protocol/receipt.ts";
import { freePort } from "../freePort.ts";
import { findNginx, type Nginx, startNginx } from "../nginx.ts";
import { findPostgres, type Postgres, startPostgres } from "../postgres.ts";
import { reasonOf, until, World } from "../world.ts";
import { type GatewayProcess, startProcess } from "./process.ts";
import {
  goOnMining,
  grantTo,
  RELAYING,
  revokeFrom,
  stopMining,
  taken,
  transactionsOf,
  untilState,
} from "./relaying.ts";

const missing = findNginx() && findPostgres() ? "" : " (needs Debian's nginx and postgresql)";

describe.skipIf(missing !== "")(`two gateways behind one nginx${missing}`, () => {
  let folder: string;
  let postgres: Postgres;
  let nginx: Nginx;
  let world: World;
  let exam: Exam;
  let frame: string;
  let ports: [number, number];
  const gateways: GatewayProcess[] = [];

  /** Start the first or the second, or start it again. */
  const start = async (which: 0 | 1) => {
    const DATA_DIR = join(folder, String(which));
    gateways[which] = await startProcess({ ...world.environment, PORT: String(ports[which]), DATA_DIR });
  };
  /** Ask one of them past nginx. */
  const at = (which: 0 | 1, path: string, options: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${ports[which]}${path}`, options);
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "examkey-scale-"));
    postgres = await startPostgres();
    ports = [await freePort(), await freePort()];
    nginx = await startNginx(ports);
    const shared = { DATABASE_URL: postgres.url, PUBLIC_URL: nginx.url, TRUST_PROXY: "127.0.0.1" };
    const PORT = String(ports[0]);
    world = await World.open({ environment: { ...shared, ...RELAYING, PORT } });
    ({ brain: exam } = await world.enrolTwoExams());
    frame = new URL(exam.picture ?? "").pathname.replace(/rendered$/, "frames/1");
    await world.stopGateway();
    await start(0);
    await start(1);
    world.useGateway(nginx.url);
  });
  afterAll(async () => {
    for (const gateway of gateways) await gateway.kill();
    await nginx?.close();
    await world?.close();
    await postgres?.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  });

  test("let somebody who signed in at one read at the other, and feel a revoke that one was handed at both", async () => {
    await untilState(
      world,
      await taken(world, "Grant", "patient", grantTo(world, "reader", exam.examId)),
      "mined",
    );
    const { reader } = world.people;
    const message = createSiweMessage(
      (await world.messageFields(reader.address)) as Parameters<typeof createSiweMessage>[0],
    );
    const signIn = await at(0, "/auth/token", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ message, signature: await reader.signMessage(message) }),
    });
    const { access_token: token } = (await signIn.json()) as { access_token: string };
    for (const which of [0, 1] as const)
      await until("it is open", async () => (await at(which, frame, bearer(token))).ok);
    const streams = await Promise.all(
      ([0, 1] as const).map((which) => at(which, `/exams/${exam.examId}/watch`, bearer(token))),
    );
    await stopMining(world);
    onTestFinished(() => goOnMining(world));
    const revoke = await taken(world, "Revoke", "patient", revokeFrom(world, "reader", exam.examId));
    for (const stream of streams) expect(await stream.text()).toContain('"reason":"revoked"');
    for (const which of [0, 1] as const)
      expect(await reasonOf(await at(which, frame, bearer(token)))).toBe("403 revoked");
    await goOnMining(world);
    await untilState(world, revoke, "mined");
  });

  test("killing one in the middle of reading and relaying leaves every answer that was delivered with its record, and every act that was taken on the chain, once", async () => {
    await untilState(
      world,
      await taken(world, "Grant", "patient", grantTo(world, "reader", exam.examId)),
      "mined",
    );
    await until("it is open at both", async () => {
      const token = await world.signIn("reader");
      const answers = await Promise.all(([0, 1] as const).map((which) => at(which, frame, bearer(token))));
      return answers.every(({ ok }) => ok);
    });
    await stopMining(world);
    onTestFinished(() => goOnMining(world));
    const delivered: string[] = [];
    let isOver = false;
    const reading = Array.from({ length: 6 }, async () => {
      while (!isOver) {
        const answer = await world.get(frame, "reader").catch(() => null);
        const bytes = await answer?.arrayBuffer().catch(() => null);
        const receipt = answer?.headers.get(RECEIPT_HEADER);
        if (answer?.ok && bytes && receipt) delivered.push(receipt);
      }
    });
    const handIn = (count: number, mark: string) =>
      Array.from({ length: count }, (_, index) => {
        const resource = `0x${mark}${index.toString(16).padStart(63, "0")}`;
        return taken(world, "Grant", "patient", grantTo(world, "otherReader", resource));
      });
    const first = await Promise.all(handIn(5, "a"));
    await until("exams are read", async () => delivered.length > 30);
    // The first to start is the one that sends: it is killed while some acts wait for a block, and others come.
    const others = handIn(5, "b").map((act) => act.catch(() => null));
    await delay(30);
    await gateways[0]?.kill();
    const second = (await Promise.all(others)).filter((act) => act !== null);
    const soFar = delivered.length;
    await until("exams are read on", async () => delivered.length > soFar + 30);
    await goOnMining(world);
    const acts = [...first, ...second];
    const mined = await Promise.all(acts.map((act) => untilState(world, act, "mined")));
    isOver = true;
    await Promise.all(reading);
    await start(0);

    expect(new Set(mined.map(({ transaction }) => transaction)).size).toBe(acts.length);
    // An act whose answer was lost may have been taken: then it is on the chain, too.
    const { kept, acts: all } = await until("all acts are mined", async () => {
      const account = await accountOf(postgres.url);
      return account.acts.every(({ state }) => state === "mined") && account;
    });
    for (const text of delivered) {
      const receipt = decodeReceipt(text);
      expect(kept.get(receipt.sequence)).toBe(receiptDigest(receipt));
    }
    expect([...kept.keys()]).toEqual(Array.from({ length: kept.size }, (_, index) => index + 1));
    expect(await transactionsOf(world)).toBe(all.length);
    await until("the first serves again", async () => (await at(0, "/readyz")).ok);
  });
});

/** What the database has: the digest of each receipt by its number, and every act. */
async function accountOf(url: string) {
  const pool = new Pool({ connectionString: url });
  const database = drizzle({ client: pool });
  const rows = await database.select().from(receipts).orderBy(asc(receipts.seq));
  const acts = await database.select().from(relays);
  await pool.end();
  return { kept: new Map(rows.map(({ seq, digest }) => [seq, digest])), acts };
}
