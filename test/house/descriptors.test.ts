/** `npm run custodian -- descriptors` as a person runs it, beside a real deployment. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getAddress } from "ethers";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Deployment, deployContracts, type LocalChain, startChain } from "../../scripts/chain.ts";

// Account 0 of the development mnemonic.
const DEPLOYER_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

const root = join(import.meta.dirname, "..", "..");
let chain: LocalChain;
let deployment: Deployment;
let folder: string;

beforeAll(async () => {
  chain = await startChain({ port: 0 });
  deployment = await deployContracts({ rpcUrl: chain.rpcUrl, deployerKey: DEPLOYER_KEY });
});
afterAll(() => chain.close());

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "examkey-descriptors-"));
  return () => rmSync(folder, { recursive: true, force: true });
});

async function custodian(args: string[], environment: Record<string, string>) {
  const child = spawn(process.execPath, ["scripts/custodian.ts", ...args], {
    cwd: root,
    env: { ...process.env, RPC_URL: chain.rpcUrl, EXAMKEY_FROM: folder, ...environment },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const code = await new Promise((resolve) => child.on("close", resolve));
  return { code, output };
}

const written = (name: string) => JSON.parse(readFileSync(join(folder, "registry", name), "utf8"));

test("writes a file for each contract and kind, under the publisher's name", async () => {
  const args = [
    "descriptors",
    "registry",
    "--name",
    "Riverside Hospital",
    "--url",
    "https://riverside.example",
  ];
  const { code, output } = await custodian(args, {
    CONSENT_LEDGER: deployment.consentLedger.toLowerCase(),
    EMERGENCY_ACCESS: deployment.emergencyAccess,
  });
  expect(code).toBe(0);
  const names = ["calldata-ConsentLedger.json", "eip712-ConsentLedger.json", "eip712-EmergencyAccess.json"];
  expect(readdirSync(join(folder, "registry")).toSorted()).toEqual(names);
  for (const name of names) expect(output).toContain(join(folder, "registry", name));

  const at = { chainId: 31337, address: getAddress(deployment.consentLedger) };
  expect(written("eip712-ConsentLedger.json")).toMatchObject({
    context: { eip712: { deployments: [at] } },
    metadata: { owner: "Riverside Hospital", info: { url: "https://riverside.example" } },
  });
  expect(written("calldata-ConsentLedger.json")).toMatchObject({
    context: { contract: { deployments: [at] } },
  });
  expect(written("eip712-EmergencyAccess.json").context.eip712.deployments[0].address).toBe(
    getAddress(deployment.emergencyAccess),
  );
});

test("says nothing of emergencies where their contract is not named", async () => {
  const { code } = await custodian(["descriptors", "registry"], { CONSENT_LEDGER: deployment.consentLedger });
  expect(code).toBe(0);
  expect(readdirSync(join(folder, "registry"))).toHaveLength(2);
  expect(written("eip712-ConsentLedger.json").metadata).toMatchObject({ owner: "ExamKey" });
});

test("refuses, in one line, an address where another contract or none is", async () => {
  for (const [consentLedger, words] of [
    [deployment.emergencyAccess, "There is no contract of ExamKey at"],
    [deployment.custodianRegistry, "There is no contract of ExamKey at"],
    ["0x000000000000000000000000000000000000dEaD", "There is no contract of ExamKey at"],
    ["0x1234", "CONSENT_LEDGER is not a contract's address"],
  ] as const) {
    const { code, output } = await custodian(["descriptors", "registry"], { CONSENT_LEDGER: consentLedger });
    expect(code).not.toBe(0);
    expect(output).toContain(words);
    expect(output.trim().split("\n")).toHaveLength(1);
  }
  expect(readdirSync(folder)).toEqual([]);
});
