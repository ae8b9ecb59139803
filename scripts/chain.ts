/**
 * The local chain, in this process, and the contracts on it.
 */
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import hre from "hardhat";
import { runTool } from "./checks/program.ts";
import ExamKey from "./ignition/modules/ExamKey.ts";
import { tryPort } from "./ports.ts";

/** A chain that answers JSON-RPC, browsers included. */
export type LocalChain = { rpcUrl: string; close(): Promise<void> };

/**
 * Starts Hardhat's node with the `default` network of hardhat.config.ts. It forgets everything when closed.
 * @param port 0 for any free one
 * @throws {PortBusyError}
 */
export async function startChain({
  port,
  host = "127.0.0.1",
}: {
  port: number;
  host?: string;
}): Promise<LocalChain> {
  await tryPort(port, host);
  // Left to itself, Hardhat dates every chain of a process at the process's start: two would share a genesis block.
  const network = { network: "default", override: { initialDate: new Date() } };
  const server = await hre.network.createServer(network, host, port);
  const address = await server.listen();
  return { rpcUrl: `http://${host}:${address.port}`, close: () => server.close() };
}

/**
 * Compiles the contracts that have changed, in a process of its own: what the compiler says of the libraries that we
 * use concerns nobody here while it compiles them.
 * Two of these at once trip over each other's files: compile first, then share the work.
 * @throws Error with the compiler's output when the contracts do not compile
 */
export async function compileContracts(): Promise<void> {
  const { code, output } = await runTool("hardhat/dist/src/cli.js", ["build", "--no-tests"]);
  if (code !== 0) throw new Error(`The contracts could not be compiled.\n${output}`);
}

/** Where the contracts are. */
export type Deployment = {
  consentLedger: string;
  accessLog: string;
  emergencyAccess: string;
  custodianRegistry: string;
  accessManager: string;
};

/**
 * Deploys the compiled contracts through the Ignition module. Keeps no record of it.
 * @param deployerKey private key of the account that deploys, and then governs the registry
 */
export async function deployContracts({
  rpcUrl,
  deployerKey,
}: {
  rpcUrl: string;
  deployerKey: string;
}): Promise<Deployment> {
  const connection = await hre.network.create({
    network: "custom",
    override: { url: rpcUrl, accounts: [deployerKey] },
  });
  const deploymentId = `local-${randomUUID()}`;
  try {
    const deployed = await connection.ignition.deploy(ExamKey, {
      deploymentId,
      config: { blockPollingInterval: 100, requiredConfirmations: 1 },
    });
    return {
      consentLedger: await deployed.consentLedger.getAddress(),
      accessLog: await deployed.accessLog.getAddress(),
      emergencyAccess: await deployed.emergencyAccess.getAddress(),
      custodianRegistry: await deployed.custodianRegistry.getAddress(),
      accessManager: await deployed.accessManager.getAddress(),
    };
  } finally {
    await connection.close();
    await rm(join(hre.config.paths.ignition, "deployments", deploymentId), { recursive: true, force: true });
  }
}
