/**
 * What a gateway does when a part that it rests on is lost in the middle of its work: nothing is delivered without its
 * record, nothing opens that should not, and it serves again without a restart.
 */
import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { Pool } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { receipts } from "../../gateway/database/schema.ts";
import type { Exam } from "../../protocol/api.ts";
import { MADE_PATIENT_ID, madePicture } from "../madeSample.ts";
import { findOrthanc, startOrthanc } from "../orthanc.ts";
import { findPostgres, type Postgres, startPostgres } from "../postgres.ts";
import { mountSmallDisk } from "../smallDisk.ts";
import { type PersonName, reasonOf, SAMPLE_PATIENTS, until, World } from "../world.ts";
import { HospitalArchive } from "./hospitalArchive.ts";
import { expectAllRecorded } from "./recorded.ts";
import { asksForHead, type RawBlock, RpcWay } from "./rpcWay.ts";

const FRAMES = "WADO-RS instance frames";

/** A world with one exam that is shared with the reader. */
async function openWorld(
  options: Parameters<typeof World.open>[0] = {},
  patientId: string = SAMPLE_PATIENTS.brain,
) {
  const world = await World.open(options);
  await world.enrol(patientId, "patient");
  const [exam] = await until("the exam is there", async () => {
    const exams = await world.examsOf("patient");
    return exams.length > 0 && (exams as [Exam]);
  });
  await world.grant("patient", exam.examId, "reader");
  const frame = new URL(exam.picture ?? "").pathname.replace(/rendered$/, "frames/1");
  /** What somebody is told who asks for a frame; `open` where it came whole. */
  const answerTo = async (name: PersonName = "reader"): Promise<string> => {
    const answer = await world.get(frame, name);
    if (!answer.ok) return reasonOf(answer);
    return answer.arrayBuffer().then(
      () => "open",
      () => "cut",
    );
  };
  const untilAnswer = (wanted: string, name?: PersonName) =>
    until(`the answer is ${wanted}`, async () => (await answerTo(name)) === wanted);
  return { world, exam, frame, answerTo, untilAnswer };
}
type Opened = Awaited<ReturnType<typeof openWorld>>;

describe("an archive that goes in the middle of an answer", () => {
  test("leaves the answer cut and recorded; what comes after is refused, and served once it is back", async () => {
    const archive = await HospitalArchive.open();
    onTestFinished(() => archive.close());
    const { world, frame, answerTo, untilAnswer } = await openWorld({
      environment: { DICOMWEB_URL: archive.url },
    });
    onTestFinished(() => world.close());
    expect(await answerTo()).toBe("open");
    archive.stall();
    const answer = await world.get(frame, "reader");
    expect(answer.status).toBe(200);
    archive.break();
    await expect(answer.arrayBuffer()).rejects.toThrow();
    expect(await answerTo()).toBe("503 archive-unavailable");
    archive.mend();
    await untilAnswer("open");
    await expectAllRecorded(world);
  });

  test.skipIf(!findOrthanc())(
    "does so also where it is an Orthanc that is killed (needs Debian's packages)",
    async () => {
      const archive = await startOrthanc();
      onTestFinished(() => archive.close());
      await archive.take(await madePicture(1, 4_000));
      const { url, username, password } = archive;
      const { world, frame, answerTo, untilAnswer } = await openWorld(
        { environment: { DICOMWEB_URL: url, DICOMWEB_USERNAME: username, DICOMWEB_PASSWORD: password } },
        MADE_PATIENT_ID,
      );
      onTestFinished(() => world.close());
      const answer = await world.get(frame, "reader");
      expect(answer.status).toBe(200);
      // Most of it is still to come: nobody has taken any yet.
      await archive.kill();
      await expect(answer.arrayBuffer()).rejects.toThrow();
      expect(await answerTo()).toBe("503 archive-unavailable");
      await archive.restart();
      await untilAnswer("open");
      await expectAllRecorded(world);
    },
  );
});

describe("a node that lies about its head", () => {
  let way: RpcWay;
  let opened: Opened;

  beforeAll(async () => {
    opened = await openWorld({
      rpcThrough: async (rpcUrl) => {
        way = await RpcWay.to(rpcUrl);
        return way.url;
      },
    });
  });
  afterEach(async () => {
    way.mend();
    await opened.untilAnswer("open");
  });
  afterAll(async () => {
    await opened.world.close();
    await way.close();
  });
  afterAll(() => expectAllRecorded(opened.world));

  const hex = (number: number) => `0x${number.toString(16)}`;
  const bendHead = (bend: (block: RawBlock) => RawBlock) => {
    way.bend = (call, result) => (asksForHead(call) ? bend(result as RawBlock) : result);
  };

  test.each<[string, (block: RawBlock) => RawBlock, string]>([
    [
      "that it is an hour ahead",
      (block) => ({ ...block, timestamp: hex(Number(block.timestamp) + 3_600) }),
      "503 chain-stale",
    ],
    [
      "that it is an hour behind",
      (block) => ({ ...block, timestamp: hex(Number(block.timestamp) - 3_600) }),
      "503 chain-stale",
    ],
    [
      "a height that the chain has not reached",
      (block) => ({ ...block, number: hex(Number(block.number) + 1_000), hash: `0x${"ab".repeat(32)}` }),
      "503 chain-unavailable",
    ],
    ["a block that is none", () => ({}) as RawBlock, "503 chain-unavailable"],
  ])("and says %s opens nothing", async (_name, bend, refusal) => {
    bendHead(bend);
    await opened.untilAnswer(refusal);
  });

  test("and gives an older block, as one behind a balancer that lags does, opens nothing", async () => {
    const { world } = opened;
    const older = (await world.provider.send("eth_getBlockByNumber", ["0x1", false])) as RawBlock;
    bendHead(() => older);
    await opened.untilAnswer("503 chain-stale");
  });
});

describe("a clock that is moved", () => {
  let opened: Opened;
  beforeAll(async () => {
    opened = await openWorld();
  });
  afterEach(async () => {
    vi.useRealTimers();
    await opened.untilAnswer("open");
  });
  afterAll(() => opened.world.close());
  afterAll(() => expectAllRecorded(opened.world));

  const move = (seconds: number) => {
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.now() + seconds * 1_000);
  };

  test.each([
    ["forward by ten minutes", 600],
    ["back by ten minutes", -600],
  ])("%s opens nothing, since the chain does not agree", async (_name, seconds) => {
    expect(await opened.answerTo()).toBe("open");
    move(seconds);
    expect(await opened.answerTo()).toBe("503 chain-stale");
  });

  test("back by a little revives no grant that has ended by the chain's clock", async () => {
    const { world, exam } = opened;
    const now = Math.floor(Date.now() / 1000);
    await world.grant("patient", exam.examId, "otherReader", { notAfter: now + 4 });
    await opened.untilAnswer("403 expired", "otherReader");
    move(-8);
    expect(await opened.answerTo("otherReader")).toBe("403 expired");
    expect(await opened.answerTo()).toBe("open");
  });
});

describe.skipIf(!findPostgres())("a database (needs Debian's postgresql)", () => {
  let postgres: Postgres;
  let opened: Opened;

  beforeAll(async () => {
    postgres = await startPostgres();
    opened = await openWorld({ environment: { DATABASE_URL: postgres.url } });
  });
  afterAll(async () => {
    await opened.world.close();
    await postgres.close();
  });

  test("that is killed while exams are read has a record of each that was delivered, and is used again", async () => {
    const before = await recordedPermits(postgres.url);
    let delivered = 0;
    let refused = 0;
    const reading = Array.from({ length: 8 }, async () => {
      while (refused < 100) {
        const answer = await opened.answerTo();
        if (answer === "open") delivered += 1;
        else refused += 1;
        if (answer !== "open") expect(answer).toBe("503 database-unavailable");
      }
    });
    await until("exams are read", async () => delivered > 20);
    await postgres.stop();
    await Promise.all(reading);
    await postgres.start();
    await opened.untilAnswer("open");
    const recorded = (await recordedPermits(postgres.url)) - before;
    expect(recorded).toBeGreaterThanOrEqual(delivered + 1);
  });

  test("that is set back to a backup opens nothing that was closed since, and forgets nothing that the chain knows", async () => {
    const { world, exam, frame } = opened;
    const ended = await accessToken(await world.trySignIn(world.people.reader));
    await world.grant("patient", exam.examId, "stranger");
    await opened.untilAnswer("open", "stranger");
    await postgres.backUp();
    await until("the database is back", async () => (await world.get("/exams", "patient")).ok);

    await world.grant("patient", exam.examId, "otherReader");
    await world.revoke("patient", exam.examId, "stranger");
    const body = new URLSearchParams({ token: ended });
    await fetch(`${world.gateway.url}/auth/revoke`, { method: "POST", body });
    expect(await opened.answerTo("stranger")).toBe("403 revoked");
    await postgres.restore();

    await opened.untilAnswer("open", "otherReader");
    await until("the chain is followed anew", async () =>
      (await world.grantsOf("patient")).some(({ grantee, state }) => {
        return grantee.address === world.people.stranger.address && state === "revoked";
      }),
    );
    expect(await opened.answerTo("stranger")).toBe("403 revoked");
    expect(await opened.answerTo()).toBe("open");
    expect(await reasonOf(await world.get(frame, { token: ended }))).toBe("401 token-revoked");
  });
});

describe.skipIf(!findPostgres())(
  "a full disk (needs Debian's postgresql, and root to mount a small one)",
  () => {
    test("stops delivery, and lets it go on when there is room again", async ({ skip }) => {
      const disk = await mountSmallDisk(96);
      if (!disk) return skip("only root may mount a small disk");
      onTestFinished(() => disk.close());
      const postgres = await startPostgres(disk.folder);
      onTestFinished(() => postgres.close());
      const opened = await openWorld({ environment: { DATABASE_URL: postgres.url } });
      onTestFinished(() => opened.world.close());
      const before = await recordedPermits(postgres.url);
      let delivered = 0;
      await disk.fill();
      await until("the disk is full", async () => {
        const answers = await Promise.all(Array.from({ length: 20 }, () => opened.answerTo()));
        delivered += answers.filter((answer) => answer === "open").length;
        return answers.every((answer) => answer === "503 database-unavailable");
      });
      const readiness = await opened.world.get("/readyz");
      expect(await readiness.json()).toMatchObject({ checks: { chain: "ok", archive: "ok" } });
      await disk.empty();
      await opened.untilAnswer("open");
      expect((await recordedPermits(postgres.url)) - before).toBeGreaterThanOrEqual(delivered + 1);
    });
  },
);

/** Permits to read frames that are in the database. */
async function recordedPermits(url: string): Promise<number> {
  const pool = new Pool({ connectionString: url });
  const rows = await drizzle({ client: pool })
    .select()
    .from(receipts)
    .where(eq(receipts.reason, "permitted"));
  await pool.end();
  return rows.filter(({ route }) => route === FRAMES).length;
}

async function accessToken(answer: Response): Promise<string> {
  return ((await answer.json()) as { access_token: string }).access_token;
}
