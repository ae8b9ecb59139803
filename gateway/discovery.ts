/** `GET /.well-known/examkey`: where this gateway stands and what it speaks for. */
import { getAddress } from "ethers";
import type { FastifyInstance } from "fastify";
import packageJson from "../package.json" with { type: "json" };
import type { Discovery } from "../protocol/api.ts";
import type { Hex } from "../protocol/hash.ts";
import type { GatewayConfig } from "./config.ts";
import type { CustodianName } from "./exams/custodianName.ts";
import { Problem } from "./problem.ts";
import type { Site } from "./site.ts";

export type DiscoveryContext = {
  config: GatewayConfig;
  site: Site;
  custodianName: CustodianName;
  chainId: number;
  genesisHash: Hex;
};

export function registerDiscovery(app: FastifyInstance, context: DiscoveryContext): void {
  const { config, site, custodianName, chainId, genesisHash } = context;

  app.get("/.well-known/examkey", async (): Promise<Discovery> => {
    return {
      name: await custodianName.read().catch(nameWithoutChain),
      version: packageJson.version,
      chainId,
      genesisHash,
      contracts: {
        consentLedger: getAddress(config.consentLedger),
        custodianRegistry: getAddress(config.custodianRegistry),
        accessLog: config.accessLog && getAddress(config.accessLog),
        emergencyAccess: config.emergencyAccess && getAddress(config.emergencyAccess),
      },
      custodian: getAddress(config.custodian),
      dicomwebRoot: `${site.url}/dicomweb`,
      rpcUrl: config.publicRpcUrl,
      chainName: config.chainName,
      relay: config.relayKey !== null,
      ...(config.personas && { personas: config.personas }),
    };
  });

  /** Where the gateway stands can be told without a chain. */
  function nameWithoutChain(error: unknown): string {
    if (error instanceof Problem) return getAddress(config.custodian);
    throw error;
  }
}
