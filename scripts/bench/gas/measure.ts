/** Everything that the gas benchmark measures, in one run on one chain. */
import type { BaseContract } from "ethers";
import hre from "hardhat";
import { custodyCosts } from "./acts/custody.ts";
import { grantCosts, ownerCosts } from "./acts/grants.ts";
import { anchorCosts, emergencyCosts } from "./acts/periphery.ts";
import { signedGrantCosts, signedOwnerCosts } from "./acts/signed.ts";
import type { Chain } from "./chain.ts";
import { easCosts } from "./peers/eas.ts";
import { erc20Costs } from "./peers/erc20.ts";
import { permit2Costs } from "./peers/permit2.ts";

/** Deploys a ledger that nobody has used, from the compiler's output. */
export async function deployLedger(chain: Chain): Promise<BaseContract> {
  return chain.deploy(await hre.artifacts.readArtifact("ConsentLedger"));
}

/** ExamKey's acts, each with its floor, by name. */
export async function measureActs(chain: Chain) {
  const ledger = await deployLedger(chain);
  const beside = async (name: "AccessLog" | "EmergencyAccess") =>
    chain.deploy(await hre.artifacts.readArtifact(name), await ledger.getAddress());
  return {
    ...(await grantCosts(chain, ledger)),
    ...(await signedGrantCosts(chain, ledger)),
    ...(await custodyCosts(chain, ledger)),
    ...(await ownerCosts(chain, ledger)),
    ...(await signedOwnerCosts(chain, ledger)),
    ...(await anchorCosts(chain, await beside("AccessLog"))),
    ...(await emergencyCosts(chain, ledger, await beside("EmergencyAccess"))),
  };
}

/** What peers' acts of the same kind cost, in gas, by name. */
export async function measurePeers(chain: Chain) {
  return {
    ...(await erc20Costs(chain)),
    ...(await permit2Costs(chain)),
    ...(await easCosts(chain)),
  };
}

export type Acts = Awaited<ReturnType<typeof measureActs>>;
export type Peers = Awaited<ReturnType<typeof measurePeers>>;
