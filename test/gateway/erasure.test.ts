import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readConfig } from "../../gateway/config.ts";
import { type Database, openDatabase } from "../../gateway/database/database.ts";
import { envelopeKeys, exams, manifestInstances } from "../../gateway/database/schema.ts";
import { startGateway } from "../../gateway/server.ts";
import type { Exam } from "../../protocol/api.ts";
import type { Hex } from "../../protocol/hash.ts";
import { blindedGrantee, newSalt } from "../../protocol/ids.ts";
import type { OwnReceipts } from "../../protocol/receipt.ts";
import { packTerms } from "../../protocol/terms.ts";
import { freePort } from "../freePort.ts";
import { MADE_PATIENT_ID, type MadeUids, madeSample, madeStudyUid } from "../madeSample.ts";
import { findOrthanc, type Orthanc, startOrthanc } from "../orthanc.ts";
import { findPostgres, type Postgres, startPostgres } from "../postgres.ts";
import { reasonOf, until, World } from "../world.ts";
import { giveBadge, signedEmergency } from "./breakGlass.ts";
import { filesWith, foundIn, linksTo, type Study, textOfChain, textOfDatabase } from "./leftovers.ts";
import { grantTo, RELAYING, taken, untilState } from "./relaying.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The made exam that is erased has two series, one of two instances. */
const ERASED: Required<MadeUids>[] = [
  { study: 1, series: 1, instance: 1 },
  { study: 1, series: 1, instance: 2 },
  { study: 1, series: 2, instance: 1 },
];
const KEPT: Required<MadeUids>[] = [{ study: 2, series: 1, instance: 1 }];

type Ran = { code: number; output: string };

/** Run one of the scripts against a world's gateway. */
function run(
  world: World,
  script: "erase" | "audit-verify",
  args: string[],
  { answer = "", env = {} }: { answer?: string; env?: Record<string, string> } = {},
): Promise<Ran> {
  const { CONSENT_LEDGER, ACCESS_LOG, CUSTODIAN, DATA_DIR = "" } = world.environment;
  const contracts = { RPC_URL: world.rpcUrl, CONSENT_LEDGER, ACCESS_LOG, CUSTODIAN };
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [join(root, "scripts", `${script}.ts`), "--data", DATA_DIR, ...args],
      { cwd: root, env: { ...process.env, ...contracts, ...env } },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), output: stdout + stderr }),
    );
    child.stdin?.end(answer);
  });
}

/** What a world's gateway keeps, read while it is down. */
async function readDatabase<T>(world: World, read: (database: Database) => Promise<T>): Promise<T> {
  const { DATABASE_URL = null, DATA_DIR = "" } = world.environment;
  const { database, close } = await openDatabase({ databaseUrl: DATABASE_URL, dataDir: DATA_DIR });
  try {
    return await read(database);
  } finally {
    await close();
  }
}

describe.skipIf(!findOrthanc()).each([
  ["PGlite", false],
  ["PostgreSQL", true],
])("an exam that was erased, on %s and Orthanc (needs Debian's orthanc, postgresql)", (_, onPostgres) => {
  if (onPostgres && !findPostgres()) return;
  let orthanc: Orthanc;
  let postgres: Postgres | null = null;
  let folder: string;
  let world: World;
  let erased: Exam;
  let kept: Exam;
  /** What leads to the study: UIDs, salts, digests, the pointer's own names, the key of who read it. */
  let secrets: string[];
  let study: Study;
  let before: { database: string; chain: string };
  let readersReceipt: string;

  const readBoth = async () => {
    await world.stopGateway();
    const database = await readDatabase(world, textOfDatabase);
    return { database, chain: await textOfChain(world.provider) };
  };
  const metadata = ({ studyInstanceUid }: Exam) => `/dicomweb/studies/${studyInstanceUid}/metadata`;
  const receiptsOf = async ({ examId }: Exam): Promise<OwnReceipts> =>
    (await world.get(`/exams/${examId}/receipts`, "patient")).json() as Promise<OwnReceipts>;
  const made = (uids: Required<MadeUids>) =>
    join(folder, `${uids.study}-${uids.series}-${uids.instance}.dcm`);
  const sopOf = ({ study, series, instance }: Required<MadeUids>) =>
    `${madeStudyUid(study)}.${series}.${instance}`;

  /** Everything that leads from a pointer to its study, as the database has it. */
  const learn = (examId: Hex) =>
    readDatabase(world, async (database) => {
      const [exam] = (await database.select().from(exams)).filter((one) => one.examId === examId);
      const digested = (await database.select().from(manifestInstances)).filter(
        (one) => one.examId === examId,
      );
      const [key] = (await database.select().from(envelopeKeys)).filter((one) => one.subject === examId);
      if (!exam || !key) throw new Error("The exam is not there.");
      const frames = digested.flatMap(({ sopInstanceUid, digests }) =>
        digests.map((digest, index) => ({ sopInstanceUid, frame: index + 1, digest })),
      );
      study = {
        studyInstanceUid: exam.studyInstanceUid,
        seriesInstanceUids: [...new Set(digested.map((one) => one.seriesInstanceUid))],
        frames,
        listed: digested.map((one) => `${one.seriesInstanceUid} ${one.sopInstanceUid} ${one.digests.length}`),
      };
      secrets = [
        ...[study.studyInstanceUid, ...study.seriesInstanceUids],
        ...frames.flatMap(({ sopInstanceUid, digest }) => [sopInstanceUid, digest]),
        ...[exam.salt, exam.commitment, exam.manifestRoot, exam.contents, exam.examId, key.key],
      ];
    });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "examkey-erasure-"));
    orthanc = await startOrthanc();
    for (const uids of [...ERASED, ...KEPT]) {
      // No frame is like another's, so that no digest belongs to both exams.
      const pixel = 100 * (uids.study - 1) + 10 * uids.series + uids.instance;
      await writeFile(made(uids), await madeSample(uids, pixel));
      await orthanc.add([made(uids)]);
    }
    if (onPostgres) postgres = await startPostgres();
    const port = await freePort();
    world = await World.open({
      environment: {
        DICOMWEB_URL: orthanc.url,
        DICOMWEB_USERNAME: orthanc.username,
        DICOMWEB_PASSWORD: orthanc.password,
        ARCHIVE_POLL: "1",
        STUDY_STABLE: "1",
        ANCHOR_INTERVAL: "1",
        ...RELAYING,
        PORT: String(port),
        PUBLIC_URL: `http://127.0.0.1:${port}`,
        ...(postgres && { DATABASE_URL: postgres.url }),
      },
    });
    await world.enrol(MADE_PATIENT_ID, "patient");
    const both = await world.examsOf("patient");
    erased = both.find((one) => one.studyInstanceUid === madeStudyUid(1)) as Exam;
    kept = both.find((one) => one.studyInstanceUid === madeStudyUid(2)) as Exam;

    for (const exam of [erased, kept]) await world.grant("patient", exam.examId, "reader");
    const relayed = grantTo(world, "otherPatient", erased.examId);
    await untilState(world, await taken(world, "Grant", "patient", relayed), "mined");
    // Of this reader nothing else is known here than a blinded name, for one series of this exam.
    const { address } = world.people.otherReader;
    const salt = newSalt();
    const name = { patient: world.people.patient.address, reader: address, salt };
    const grantee = blindedGrantee(address, salt);
    const token = await world.signIn("patient");
    const authorization = `Bearer ${token}`;
    expect((await world.post("/grantees", { ...name, grantee }, { authorization })).status).toBe(201);
    const terms = packTerms(world.terms());
    await world.act("patient", "grant", [erased.series[0]?.seriesResource, grantee, terms]);
    const [first] = erased.series;
    const ofSeries = `/dicomweb/studies/${erased.studyInstanceUid}/series/${first?.seriesInstanceUid}/metadata`;
    await until("the series is open", async () => (await world.get(ofSeries, "otherReader")).ok);

    // Somebody had to break the glass.
    const badge = await giveBadge(world, "governor", "Dr. Night");
    const emergency = await signedEmergency(world, erased, ["governor", badge]);
    const inEmergency = await world.signIn("governor", "ETREAT");
    const broken = await world.post("/emergencies", emergency, {
      authorization: `Bearer ${inEmergency}`,
    });
    expect(broken.status).toBe(201);
    expect((await world.get(metadata(erased), { token: inEmergency })).status).toBe(200);

    for (const exam of [erased, kept]) {
      const answer = await world.get(metadata(exam), "reader");
      expect(answer.status).toBe(200);
      if (exam === erased) readersReceipt = answer.headers.get("examkey-receipt") ?? "";
      expect((await world.get(metadata(exam), "stranger")).status).toBe(403);
      expect((await world.get(`/exams/${exam.examId}/manifest`, "reader")).status).toBe(200);
    }
    await until("its receipts are anchored", async () => {
      const { receipts } = await receiptsOf(erased);
      return receipts.length > 2 && receipts.every(({ anchored }) => anchored);
    });
    await world.stopGateway();
    await learn(erased.examId as Hex);
    before = await readBoth();
    await world.startGateway();
  });

  afterAll(async () => {
    await world.close();
    await orthanc.close();
    await postgres?.close();
    await rm(folder, { recursive: true });
  });

  test("before, all of it is found, and whoever has the study can tell its pointer", () => {
    expect(foundIn(before.database, secrets)).toEqual(secrets);
    expect(foundIn(before.database, [MADE_PATIENT_ID])).toEqual([MADE_PATIENT_ID]);
    expect(linksTo(study, `${before.database}\n${before.chain}`)).toEqual([
      "commitment",
      "fingerprint",
      "manifest's root",
      "series' commitment",
    ]);
  });

  test("is shown first, and left alone where the archive would have it found again", async () => {
    const shown = await run(world, "erase", ["--exam", erased.examId, "--dry-run"]);
    expect(shown.output).toContain(`study ${erased.studyInstanceUid}`);
    expect(shown.output).toMatch(/exam 0x[0-9a-f]{64}, registered, of 0x.*: \d+ receipts, 3 grants/);
    expect(shown.output).toContain(`(${MADE_PATIENT_ID})`);
    expect(shown.code).toBe(0);
    const declined = await run(world, "erase", ["--study", erased.studyInstanceUid], { answer: "no\n" });
    expect(declined).toMatchObject({ code: 1, output: expect.stringContaining("Nothing was done.") });
    const refused = await run(world, "erase", ["--study", erased.studyInstanceUid, "--yes"]);
    expect(refused).toMatchObject({ code: 1, output: expect.stringContaining("Delete it there first") });
    const withheld = await run(world, "erase", ["--exam", erased.examId, "--yes", "--withhold"]);
    expect(withheld).toMatchObject({ code: 1, output: expect.stringContaining("set DATA_KEY") });
    expect((await world.get(metadata(erased), "reader")).status).toBe(200);
  });

  test("closes at once, what is open is cut, and it waits for the custodian", async () => {
    const elsewhere = postgres ? await startSecond() : null;
    const path = `/exams/${erased.examId}/watch`;
    const reader = { token: await world.signIn("reader") };
    const inEmergency = { token: await world.signIn("governor", "ETREAT") };
    const watching = await Promise.all([
      ...[reader, inEmergency].map((token) => world.get(path, token)),
      ...(elsewhere ? [elsewhere.get(path, reader.token)] : []),
    ]);
    for (const { ok } of watching) expect(ok).toBe(true);
    for (const uids of ERASED) await orthanc.remove(sopOf(uids));
    const waiting = run(world, "erase", ["--exam", erased.examId, "--yes"]);
    for (const stream of watching) expect(await stream.text()).toContain('"reason":"not-granted"');
    expect(await reasonOf(await world.get(metadata(erased), inEmergency))).toBe("403 not-granted");
    for (const name of ["patient", "reader", "otherReader", "stranger"] as const)
      expect(await reasonOf(await world.get(metadata(erased), name))).toBe("403 not-granted");
    expect(await world.examsOf("patient")).toHaveLength(1);
    const { commitment, examId } = erased;
    expect((await world.ledger.getFunction("pointerOf").staticCall(examId)).retired).toBe(false);
    // As from a wallet of the custodian's, somewhere else.
    await delay(2_000);
    await world.act("custodian", "retire", [world.people.patient.address, commitment]);
    const { code, output } = await waiting;
    expect(output).toContain("ConsentLedger.retire(");
    expect(output).toContain("Swept: the tables were rewritten without them.");
    expect(output).not.toContain("write-ahead log");
    expect(code).toBe(0);
    await elsewhere?.close();
  });

  test("leaves nothing that leads back to the study, in the database or on the chain", async () => {
    const { database, chain } = await readBoth();
    expect(foundIn(database, secrets)).toEqual([]);
    const uids = secrets.filter((secret) => !secret.startsWith("0x"));
    expect(foundIn(chain, uids)).toEqual([]);
    expect(linksTo(study, `${database}\n${chain}`)).toEqual([]);
    // The patient has another exam here, whose blinded names and enrolment stay.
    expect(foundIn(database, [kept.studyInstanceUid, MADE_PATIENT_ID])).toHaveLength(2);
    expect(database).not.toMatch(/"reader_tag"/);
    await world.startGateway();
  });

  test("is in none of the database's files any more", async () => {
    await world.stopGateway();
    const data = postgres?.data ?? join(world.environment.DATA_DIR ?? "", "pglite");
    expect(filesWith(data, [kept.studyInstanceUid])).not.toEqual([]);
    // Files of copies of the ledger's events may hold the pointer's id, which the chain has for everybody.
    const hidden = secrets.filter((secret) => secret !== erased.examId);
    expect(hidden.filter((secret) => filesWith(data, [secret]).length > 0)).toEqual([]);
    if (postgres) {
      const dump = execFileSync(join(dirname(findPostgres() ?? ""), "pg_dump"), ["-d", postgres.url]);
      expect(foundIn(dump.toString(), secrets)).toEqual([]);
    }
    await world.startGateway();
  });

  test("is gone for everybody alike, and another of the same patient's is untouched", async () => {
    const answer = await world.get(`/exams/${erased.examId}/receipts`, "patient");
    expect(await reasonOf(answer)).toBe("403 not-granted");
    expect(await reasonOf(await world.get(metadata(erased), "patient"))).toBe("403 not-granted");
    expect((await world.get(metadata(kept), "reader")).status).toBe(200);
    expect((await receiptsOf(kept)).receipts.length).toBeGreaterThan(2);
    expect((await world.grantsOf("patient")).map(({ examId }) => examId)).toEqual([kept.examId]);
    const again = await run(world, "erase", ["--exam", erased.examId, "--yes"]);
    expect(again).toMatchObject({ code: 1, output: expect.stringContaining("Nothing here leads from") });
    expect((await run(world, "erase", ["--list"])).output).toContain("Nothing was begun that is not whole.");
  });

  test("has receipts that prove what they proved, and the log says that it was erased", async () => {
    await until("the erasure is anchored", async () => {
      const { output } = await run(world, "audit-verify", []);
      return /Not anchored yet: 0/.test(output);
    });
    const { code, output } = await run(world, "audit-verify", ["--receipt", readersReceipt]);
    expect(output).toMatch(/^\d+ receipts of erased exams: what they say of whom is gone\.$/m);
    expect(output).toContain(
      "The operator signed it, and the log has it. It is among those that were anchored",
    );
    expect(output).toContain("Nothing was found.");
    expect(code).toBe(0);
  });

  test("is one exam of a patient's; who leaves takes the enrolment along", async () => {
    const { privateKey: KEY } = world.people.custodian;
    const wrong = { KEY: world.people.stranger.privateKey };
    const refused = await run(world, "erase", ["--patient", MADE_PATIENT_ID, "--yes"], { env: wrong });
    expect(refused).toMatchObject({ code: 2, output: expect.stringContaining("KEY is not the custodian's") });
    const left = await run(world, "erase", ["--patient", MADE_PATIENT_ID, "--yes"], { env: { KEY } });
    expect(left.output).toContain("Swept");
    expect(left.code).toBe(0);
    // The archive has it still, and nobody it belongs to is enrolled.
    await delay(3_000);
    const { database } = await readBoth();
    const { address } = world.people.patient;
    expect(foundIn(database, [MADE_PATIENT_ID, kept.studyInstanceUid, kept.examId, address])).toEqual([]);
    await world.startGateway();
    expect(await world.examsOf("patient")).toEqual([]);
    expect((await run(world, "audit-verify", [])).code).toBe(0);
  });

  /** Another gateway over the same database, which is not told of anything. */
  async function startSecond() {
    const PORT = String(await freePort());
    const DATA_DIR = join(folder, "second");
    const gateway = await startGateway(readConfig({ ...world.environment, PORT, DATA_DIR }));
    const get = (path: string, token: string) =>
      fetch(`http://127.0.0.1:${PORT}${path}`, { headers: { authorization: `Bearer ${token}` } });
    return { get, close: () => gateway.close() };
  }
});
