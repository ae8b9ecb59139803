/** One EVM for everything that a run measures: Hardhat's, in this process, with a clock that no run shifts. */
import { type BaseContract, ContractFactory, type InterfaceAbi, type Log } from "ethers";
import hre from "hardhat";
import { hasZeroByte } from "./samples.ts";

/** When the chain begins, in seconds since 1970-01-01 UTC. Each transaction comes a second after the one before. */
export const BEGIN = 1_800_000_000;

/** Who acts, each with an account of Hardhat's. */
const ROLES = [
  "custodian",
  "operator",
  "patient",
  "owner",
  "signer",
  "receiver",
  "guardian",
  "reader",
  "stranger",
  "relayer",
  "badge",
  "secondBadge",
] as const;

/** One of those who act. */
export type Role = (typeof ROLES)[number];

/** What one transaction cost, what it carried and what it left in the log. */
export type Measured = {
  /** Gas of the whole transaction, as its receipt tells. */
  gas: number;
  /** In hexadecimal, with `0x`. */
  calldata: string;
  logs: readonly Log[];
};

/** What a compiler makes of a contract. */
export type Compiled = { abi: InterfaceAbi; bytecode: string };

/** Starts the local chain of hardhat.config.ts at `BEGIN`. Close it with `close`. */
export async function openChain() {
  const connection = await hre.network.create({
    network: "default",
    override: { initialDate: new Date(BEGIN * 1000), mining: { auto: true, interval: 0 } },
  });
  const { networkConfig } = connection;
  const { provider, getSigners } = connection.ethers;
  const accounts = (await getSigners()).filter(({ address }) => !hasZeroByte(address));
  const accountOf = (role: Role) => {
    const account = accounts[ROLES.indexOf(role)];
    if (!account) throw new Error(`There is no account left for the ${role}.`);
    return account;
  };

  let clock = BEGIN;
  const tick = () => provider.send("evm_setNextBlockTimestamp", [++clock]);

  return {
    /** The rules by which it charges, as Hardhat names them. */
    hardfork: networkConfig.type === "edr-simulated" ? networkConfig.hardfork : "",
    chainId: Number((await provider.getNetwork()).chainId),
    accountOf,
    /** Deploys a contract, as the custodian. */
    async deploy({ abi, bytecode }: Compiled, ...args: unknown[]): Promise<BaseContract> {
      await tick();
      const contract = await new ContractFactory(abi, bytecode, accountOf("custodian")).deploy(...args);
      return contract.waitForDeployment();
    },
    /** Sends one transaction and reads its receipt. @throws for one that reverts */
    async measure(contract: BaseContract, role: Role, act: string, ...args: unknown[]): Promise<Measured> {
      await tick();
      const sent = await contract
        .connect(accountOf(role))
        .getFunction(act)
        .send(...args);
      const receipt = await sent.wait();
      if (!receipt) throw new Error(`"${act}" is in no block.`);
      return { gas: Number(receipt.gasUsed), calldata: sent.data, logs: receipt.logs };
    },
    close: () => connection.close(),
  };
}

export type Chain = Awaited<ReturnType<typeof openChain>>;
