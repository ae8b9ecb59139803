/** The local chain, and what the deployment leaves behind. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Contract, getBytes, hexlify, JsonRpcProvider, NonceManager, Wallet } from "ethers";
import hre from "hardhat";
import type { Artifact } from "hardhat/types/artifacts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { consentLedgerAbi } from "../../protocol/abi/consentLedger.ts";
import { custodianRegistryAbi } from "../../protocol/abi/custodianRegistry.ts";
import { type Deployment, deployContracts, type LocalChain, startChain } from "../../scripts/chain.ts";
import { PortBusyError } from "../../scripts/ports.ts";

// Account 0 of the development mnemonic, and account 9.
const DEPLOYER_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const OTHER_KEY = "0x2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6";

let chain: LocalChain;
let deployment: Deployment;
let provider: JsonRpcProvider;

beforeAll(async () => {
  chain = await startChain({ port: 0 });
  deployment = await deployContracts({ rpcUrl: chain.rpcUrl, deployerKey: DEPLOYER_KEY });
  provider = new JsonRpcProvider(chain.rpcUrl, undefined, { pollingInterval: 50 });
});
afterAll(async () => {
  provider.destroy();
  await chain.close();
});

/** Code with zeros where the constructor put what it was given, as the compiler leaves it. */
function withoutImmutables(code: string, { immutableReferences = {} }: Artifact): string {
  const bytes = getBytes(code);
  for (const { start, length } of Object.values(immutableReferences).flat()) {
    bytes.fill(0, start, start + length);
  }
  return hexlify(bytes);
}

describe("the local chain", () => {
  it("answers browsers of any origin", async () => {
    const preflight = await fetch(chain.rpcUrl, {
      method: "OPTIONS",
      headers: {
        origin: "http://127.0.0.1:8080",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
      },
    });
    expect(preflight.ok).toBe(true);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
    expect(preflight.headers.get("access-control-allow-headers")).toBe("*");
  });

  it("is chain 31337, and its head never runs ahead of the clock by more than a second", async () => {
    expect((await provider.getNetwork()).chainId).toBe(31337n);
    const wallet = new NonceManager(new Wallet(OTHER_KEY, provider));
    for (let i = 0; i < 20; i++) await (await wallet.sendTransaction({ to: wallet })).wait();
    const head = await provider.getBlock("latest");
    expect(head?.timestamp).toBeLessThanOrEqual(Date.now() / 1000 + 1);
  });

  it("says that a port is taken, instead of dying of it", async () => {
    const port = Number(new URL(chain.rpcUrl).port);
    const refused = await startChain({ port }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(PortBusyError);
    expect(refused).toMatchObject({ code: "EADDRINUSE", port });
  });
});

describe("the deployment", () => {
  it("puts the compiled contracts where it says", async () => {
    for (const [name, address] of [
      ["ConsentLedger", deployment.consentLedger],
      ["AccessLog", deployment.accessLog],
      ["EmergencyAccess", deployment.emergencyAccess],
      ["AccessManager", deployment.accessManager],
    ] as const) {
      const artifact = await hre.artifacts.readArtifact(name);
      expect(withoutImmutables(await provider.getCode(address), artifact)).toBe(artifact.deployedBytecode);
    }
    const registry = new Contract(deployment.custodianRegistry, custodianRegistryAbi, provider);
    expect(await registry.getFunction("authority").staticCall()).toBe(deployment.accessManager);
    const ledger = new Contract(deployment.consentLedger, consentLedgerAbi, provider);
    expect(await ledger.getFunction("patientOf").staticCall(deployment.accessManager)).toEqual([0n, 0n, 0n]);
  });

  it("lets the deployer list custodians, and nobody else (a rival lets anyone overwrite a clinic's entry)", async () => {
    const clinic = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
    const registry = new Contract(deployment.custodianRegistry, custodianRegistryAbi, provider);
    const list = (key: string, name: string) =>
      (registry.connect(new Wallet(key, provider)) as Contract)
        .getFunction("list")
        .send(clinic, name, "http://127.0.0.1:8080");
    await (await list(DEPLOYER_KEY, "Clinic")).wait();
    await expect(list(OTHER_KEY, "Thief")).rejects.toMatchObject({ code: "CALL_EXCEPTION" });
    expect((await registry.getFunction("custodianOf").staticCall(clinic)).name).toBe("Clinic");
  });

  it("keeps no record of itself", async () => {
    const folder = join(hre.config.paths.ignition, "deployments");
    const records = await readdir(folder).catch(() => []);
    expect(records.filter((record) => record.startsWith("local-"))).toEqual([]);
  });
});
