import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { Audit } from "../../gateway/audit/audit.ts";
import { bindDatabase } from "../../gateway/database/binding.ts";
import { openDatabase } from "../../gateway/database/database.ts";
import { enrolments, exams, receipts } from "../../gateway/database/schema.ts";
import { openEmptyDatabase } from "../emptyDatabase.ts";
import { findPostgres, startPostgres } from "../postgres.ts";
import { reasonOf, SAMPLE_PATIENTS, World } from "../world.ts";
import { DECISION } from "./decision.ts";
import { startProcess as startGatewayProcess } from "./process.ts";
import { CUSTODIAN, LEDGER, signer } from "./signer.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "examkey-database-"));
  cleanups.push(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

async function openTemporary() {
  const opened = await openEmptyDatabase();
  cleanups.push(opened.close);
  return opened;
}

const GENESIS = `0x${"01".repeat(32)}` as const;
const BINDING = { chainId: 31337, genesisHash: GENESIS, consentLedger: LEDGER, custodian: CUSTODIAN };

describe("a data folder", () => {
  test("is made where there is none, for this user alone, and keeps what is in it", async () => {
    const dataDir = join(await temporaryFolder(), "new");
    const made = await openDatabase({ databaseUrl: null, dataDir });
    for (const folder of [dataDir, join(dataDir, "pglite")]) {
      expect((await stat(folder)).mode & 0o077).toBe(0);
    }
    await new Audit(made.database, signer).record(DECISION);
    await made.close();
    const again = await openDatabase({ databaseUrl: null, dataDir });
    cleanups.push(again.close);
    expect(await again.database.$count(receipts)).toBe(1);
  });

  test("is opened by one gateway at a time, and says so", async () => {
    const { dataDir } = await openTemporary();
    await expect(openDatabase({ databaseUrl: null, dataDir })).rejects.toThrow(/another gateway is using/);
  });

  test("that cannot be written is one clear line", async () => {
    const dataDir = join(await temporaryFolder(), "file");
    execFileSync("touch", [dataDir]);
    await expect(openDatabase({ databaseUrl: null, dataDir })).rejects.toThrow(
      /^DATA_DIR: .* cannot be used/,
    );
  });
});

describe("a database", () => {
  const other = `0x${"02".repeat(32)}` as const;

  test("is bound to its ledger, chain and custodian", async () => {
    const { database } = await openTemporary();
    await bindDatabase(database, BINDING);
    await bindDatabase(database, BINDING);
    for (const [field, value, name] of [
      ["chainId", 1, "chain id"],
      ["consentLedger", CUSTODIAN, "CONSENT_LEDGER"],
      ["custodian", LEDGER, "CUSTODIAN"],
    ] as const) {
      await expect(bindDatabase(database, { ...BINDING, [field]: value })).rejects.toThrow(name);
    }
  });

  test("refuses another genesis block on any chain but a local one", async () => {
    const { database } = await openTemporary();
    await bindDatabase(database, { ...BINDING, chainId: 1 });
    await expect(bindDatabase(database, { ...BINDING, chainId: 1, genesisHash: other })).rejects.toThrow(
      "genesis block",
    );
  });

  test("keeps salts and audit when a local chain is begun anew", async () => {
    const { database } = await openTemporary();
    await bindDatabase(database, BINDING);
    const enrolment = {
      patientId: "1",
      issuer: "",
      patient: LEDGER,
      salt: GENESIS,
      issuedAt: 1,
      signature: GENESIS,
    };
    const [enrolled] = await database.insert(enrolments).values(enrolment).returning();
    await database.insert(exams).values({
      examId: GENESIS,
      enrolmentId: enrolled?.id ?? 0,
      studyInstanceUid: "1.2.3",
      patient: LEDGER,
      salt: GENESIS,
      commitment: GENESIS,
      manifestRoot: GENESIS,
      contents: "",
      state: "registered",
      firstGenesisHash: GENESIS,
    });
    await new Audit(database, signer).record(DECISION);
    await bindDatabase(database, { ...BINDING, genesisHash: other });
    expect(await database.select().from(exams)).toMatchObject([
      { state: "pending", salt: GENESIS, firstGenesisHash: GENESIS },
    ]);
    expect(await database.$count(receipts)).toBe(1);
  });

  test("takes one live pointer for a study", async () => {
    const { database } = await openTemporary();
    const enrolment = {
      patientId: "1",
      issuer: "",
      patient: LEDGER,
      salt: GENESIS,
      issuedAt: 1,
      signature: GENESIS,
    };
    const [enrolled] = await database.insert(enrolments).values(enrolment).returning();
    const exam = (examId: `0x${string}`, state: "registered" | "retired") => ({
      ...{
        examId,
        state,
        enrolmentId: enrolled?.id ?? 0,
        studyInstanceUid: "1.2.3",
        patient: LEDGER,
        salt: examId,
      },
      ...{ commitment: examId, manifestRoot: examId, contents: "", firstGenesisHash: GENESIS },
    });
    await database.insert(exams).values(exam("0x01", "retired"));
    await database.insert(exams).values(exam("0x02", "registered"));
    await expect(database.insert(exams).values(exam("0x03", "registered"))).rejects.toThrow();
  });
});

describe("the audit", () => {
  test("numbers what is recorded at once without gaps, and commits it together", async () => {
    const { database } = await openTemporary();
    const audit = new Audit(database, signer);
    await Promise.all(Array.from({ length: 700 }, () => audit.record(DECISION)));
    const numbers = (await database.select().from(receipts)).map(({ seq }) => seq);
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 700 }, (_, index) => index + 1));
  });

  test("that cannot be written refuses, and leaves no gap for what comes after", async () => {
    const { database } = await openTemporary();
    const audit = new Audit(database, signer);
    await audit.record(DECISION);
    // The database itself refuses the row: its text holds no such character.
    const refused = audit.record({ ...DECISION, route: "\0" });
    await expect(refused).rejects.toMatchObject({ reason: "database-unavailable" });
    await audit.record(DECISION);
    const numbers = (await database.select().from(receipts)).map(({ seq }) => seq);
    expect(numbers).toEqual([1, 2]);
  });
});

describe("the gateway as a process", () => {
  async function startProcess(environment: Record<string, string>) {
    const started = await startGatewayProcess(environment);
    cleanups.push(started.kill);
    return started;
  }

  test("says in one line each what is wrong with its configuration", async () => {
    const { ready, ended, stderr } = await startProcess({ PORT: "eighty", CONSENT_LEDGER: "0x12" });
    expect(ready).toBeNull();
    expect(await ended).toBe(1);
    expect(stderr()).toContain("PORT: must be a number\n");
    expect(stderr()).toContain("CONSENT_LEDGER: must be an address");
    expect(stderr()).toContain("OPERATOR_KEY: is not set\n");
    expect(stderr()).not.toContain("    at ");
  });

  test("refuses development keys where others could reach it", async () => {
    const world = await World.open();
    cleanups.push(() => world.close());
    await world.stopGateway();
    for (const [where, exposed] of [
      ["on HOST=0.0.0.0", { HOST: "0.0.0.0" }],
      ["at PUBLIC_URL=https://exams.example.org", { PUBLIC_URL: "https://exams.example.org" }],
    ] as const) {
      const { ready, stderr } = await startProcess({ ...world.environment, ...exposed });
      expect(ready).toBeNull();
      expect(stderr()).toContain(`OPERATOR_KEY: this is a published development key, refused ${where};`);
    }
  });

  test("names a port that is taken, and a chain that is not there", async () => {
    const taken = createServer();
    await once(taken.listen(0, "127.0.0.1"), "listening");
    cleanups.push(async () => taken.close());
    const address = taken.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const environment = {
      ...{ CONSENT_LEDGER: LEDGER, CUSTODIAN_REGISTRY: LEDGER, CUSTODIAN, OPERATOR_KEY: GENESIS },
      ...{ DICOM_DIRS: "nowhere", DATA_DIR: await temporaryFolder() },
    };
    const onTaken = await startProcess({ ...environment, PORT: String(port) });
    expect(onTaken.stderr()).toBe(
      `PORT: ${port} is taken by another program. Stop it, or set PORT to another port.\n`,
    );
    const withoutChain = await startProcess({
      ...environment,
      PORT: "0",
      RPC_URL: `http://127.0.0.1:${port}`,
    });
    expect(withoutChain.stderr()).toMatch(/^RPC_URL: no chain answers at/);
  }, 60_000);

  test("loses no decision when it is killed, and ends cleanly when it is asked to", async () => {
    const world = await World.open();
    cleanups.push(() => world.close());
    await world.enrol(SAMPLE_PATIENTS.pet, "patient");
    await world.stopGateway();
    const first = await startProcess(world.environment);
    world.useGateway(first.ready?.url ?? "");
    expect((await world.get("/exams", "patient")).status).toBe(200);
    first.child.kill("SIGKILL");
    await first.ended;

    const second = await startProcess(world.environment);
    world.useGateway(second.ready?.url ?? "");
    expect((await world.get("/exams", "patient")).status).toBe(200);
    second.child.kill("SIGTERM");
    expect(await second.ended).toBe(0);

    const { database, close } = await openDatabase({
      databaseUrl: null,
      dataDir: world.environment.DATA_DIR ?? "",
    });
    cleanups.push(close);
    const rows = await database.select().from(receipts);
    const lists = rows.filter(({ route, reason }) => reason === "permitted" && route === "list exams");
    expect(lists).toHaveLength(2);
  });
});

describe.skipIf(!findPostgres())("on PostgreSQL (needs Debian's postgresql)", () => {
  test("gateways that start at the same moment make its tables once", async () => {
    const postgres = await startPostgres();
    cleanups.push(() => postgres.close());
    const atOnce = Array.from({ length: 5 }, () => openDatabase({ databaseUrl: postgres.url, dataDir: "" }));
    for (const { database, close } of await Promise.all(atOnce)) {
      cleanups.push(close);
      expect(await database.select().from(exams)).toEqual([]);
    }
  });

  test("grants open and revokes close as ever, and without the database no byte leaves", async () => {
    const postgres = await startPostgres();
    cleanups.push(postgres.close);
    const world = await World.open({ environment: { DATABASE_URL: postgres.url } });
    cleanups.push(() => world.close());
    await world.enrol(SAMPLE_PATIENTS.brain, "patient");
    const [exam] = await world.examsOf("patient");
    if (!exam?.picture) throw new Error("The exam has no picture.");
    const frame = new URL(exam.picture).pathname.replace(/rendered$/, "frames/1");
    await world.grant("patient", exam.examId, "reader");
    expect((await world.get(frame, "reader")).status).toBe(200);
    await world.revoke("patient", exam.examId, "reader");
    expect(await reasonOf(await world.get(frame, "reader"))).toBe("403 revoked");

    await postgres.stop();
    expect(await reasonOf(await world.get(frame, "patient"))).toBe("503 database-unavailable");
  });
});
