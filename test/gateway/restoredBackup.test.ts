import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { lastSequence } from "../../gateway/audit/log.ts";
import { openDatabase } from "../../gateway/database/database.ts";
import type { Exam } from "../../protocol/api.ts";
import { decodeReceipt, RECEIPT_HEADER, type Receipt } from "../../protocol/receipt.ts";
import { findPostgres, type Postgres, startPostgres } from "../postgres.ts";
import { SAMPLE_PATIENTS, until, World } from "../world.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

describe.skipIf(!findPostgres())("a backup that was restored (needs Debian's postgresql)", () => {
  let postgres: Postgres;
  let world: World;
  let exam: Exam;

  beforeAll(async () => {
    postgres = await startPostgres();
    world = await World.open({ environment: { DATABASE_URL: postgres.url } });
    await world.enrol(SAMPLE_PATIENTS.pet, "patient");
    [exam] = (await world.examsOf("patient")) as [Exam];
  });
  afterAll(async () => {
    await world.close();
    await postgres.close();
  });

  const read = async (): Promise<{ text: string; receipt: Receipt }> => {
    const answer = await world.get(`/dicomweb/studies/${exam.studyInstanceUid}/metadata`, "patient");
    const text = answer.headers.get(RECEIPT_HEADER) ?? "";
    return { text, receipt: decodeReceipt(text) };
  };

  test("gives no number a second time that was given since, anchored or not, and the log says what is missing", async () => {
    await read();
    await world.stopGateway();
    await postgres.backUp();
    await world.startGateway();
    const lost = [await read(), await read(), await read()];
    await world.stopGateway();
    await postgres.restore();
    await world.startGateway();
    const next = await read();
    const last = lost.at(-1)?.receipt.sequence ?? 0;
    expect(next.receipt.sequence).toBe(last + 1);
    const { code, output } = await verify(lost[0]?.text ?? "");
    expect(output).toMatch(new RegExp(`^Receipts \\d+ to ${last} are missing from the log\\.$`, "m"));
    expect(output).toContain(
      `The log has no receipt ${lost[0]?.receipt.sequence}, which the operator signed`,
    );
    expect(code).toBe(1);
  });

  test("under a running gateway is noticed too", async () => {
    await world.stopGateway();
    await postgres.backUp();
    await world.startGateway();
    const { receipt } = await read();
    // The gateway looks once a second.
    await until("the number is kept", async () => (await keptNumber()) >= receipt.sequence);
    await postgres.restore();
    const { database, close } = await openDatabase({ databaseUrl: postgres.url, dataDir: "" });
    onTestFinished(close);
    // Nobody asks for anything meanwhile: the gateway itself sets the counter on.
    await until("numbers go on after it", async () => {
      return (await lastSequence(database).catch(() => 0)) === receipt.sequence;
    });
    expect((await read()).receipt.sequence).toBe(receipt.sequence + 1);
  });

  async function keptNumber(): Promise<number> {
    const text = await readFile(join(world.environment.DATA_DIR ?? "", "audit-head.json"), "utf8");
    return (JSON.parse(text) as { last: number }).last;
  }

  function verify(receipt: string): Promise<{ code: number; output: string }> {
    const { CONSENT_LEDGER, ACCESS_LOG, CUSTODIAN, DATA_DIR = "" } = world.environment;
    const env = { ...process.env, RPC_URL: world.rpcUrl, CONSENT_LEDGER, ACCESS_LOG, CUSTODIAN };
    const script = [join(root, "scripts/audit-verify.ts"), "--data", DATA_DIR, "--receipt", receipt];
    return new Promise((resolve) => {
      execFile(process.execPath, script, { cwd: root, env }, (error, stdout, stderr) =>
        resolve({ code: Number(error?.code ?? 0), output: stdout + stderr }),
      );
    });
  }
});
