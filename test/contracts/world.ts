/**
 * A ledger on a chain of its own, in this process, and the people who act on it.
 */
import { type BaseContract, type Signer, ZeroHash } from "ethers";
import hre from "hardhat";
import { LEDGER_REASONS, type LedgerReason } from "../../protocol/reasons.ts";

/** Starts the local chain of hardhat.config.ts, with contracts from the compiler's output. Close it with `close`. */
export async function openLedger() {
  const connection = await hre.network.create("default");
  const { ethers } = connection;
  const [governor, custodian, operator, patient, otherPatient, reader, stranger] =
    (await ethers.getSigners()) as unknown as [Signer, Signer, Signer, Signer, Signer, Signer, Signer];
  const ledger = await ethers.deployContract("ConsentLedger");
  await ledger.waitForDeployment();
  return {
    ethers,
    ledger,
    people: { governor, custodian, operator, patient, otherPatient, reader, stranger },
    /** The time of the latest block, in seconds. */
    now: async () => Number((await ethers.provider.getBlock("latest"))?.timestamp),
    close: () => connection.close(),
  };
}

export type OpenLedger = Awaited<ReturnType<typeof openLedger>>;

/** What `check` is asked, as ethers takes it. */
export type LedgerQuery = {
  custodian: string | bigint;
  patient: string | bigint;
  commitment: string;
  seriesCommitment: string;
  reader: string | bigint;
  /** Zero unless the reader is asked for under a blinded name. */
  granteeSalt?: string;
  purpose: bigint;
  action: bigint;
  time: bigint;
};

/** Asks the ledger, and names its reason. */
export async function check(
  ledger: BaseContract,
  query: LedgerQuery,
): Promise<{ reason: LedgerReason | undefined; validUntil: bigint }> {
  const [reason, validUntil] = await ledger
    .getFunction("check")
    .staticCall({ granteeSalt: ZeroHash, ...query });
  return { reason: LEDGER_REASONS[Number(reason)], validUntil };
}
