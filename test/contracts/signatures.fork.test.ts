/** Two chains with one past, as when a chain splits: the same ledger at the same address, under two chain ids. */
import { type Contract, id, Wallet } from "ethers";
import hre from "hardhat";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { granteeOf } from "../../protocol/ids.ts";
import { LATEST } from "../../protocol/terms.ts";
import { typedDataDomain } from "../../protocol/typedData.ts";
import { type LocalChain, startChain } from "../../scripts/chain.ts";
import { argumentsOf, signAct } from "./signing.ts";

// Account 0 of the development mnemonic.
const DEPLOYER_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

const patient = Wallet.createRandom();
const message = {
  patient: patient.address,
  resource: id("an exam"),
  grantee: granteeOf(Wallet.createRandom().address),
  notBefore: 0,
  notAfter: LATEST,
  purposes: 1,
  actions: 1,
  nonce: 0n,
  epoch: 0n,
  deadline: BigInt(LATEST),
};

let past: LocalChain;
let address: string;

beforeAll(async () => {
  past = await startChain({ port: 0 });
  const override = { url: past.rpcUrl, accounts: [DEPLOYER_KEY] };
  const connection = await hre.network.create({ network: "custom", override });
  address = await (await connection.ethers.deployContract("ConsentLedger")).getAddress();
  await connection.close();
});
afterAll(() => past.close());

describe.each([
  { chainId: 31337, other: 31338 },
  { chainId: 31338, other: 31337 },
])("chain $chainId", ({ chainId, other }) => {
  let ledger: Contract;
  let leave: () => Promise<void>;

  beforeAll(async () => {
    const override = { chainId, forking: { url: past.rpcUrl } };
    const connection = await hre.network.create({ network: "default", override });
    leave = () => connection.close();
    // By whose rules the last block of the past was made, a branch does not know: it asks from its own first on.
    await connection.ethers.provider.send("evm_mine", []);
    ledger = await connection.ethers.getContractAt("ConsentLedger", address);
  });
  afterAll(() => leave());

  const submit = async (signedFor: number) => {
    const signature = await signAct(patient, typedDataDomain(signedFor, address), "Grant", message);
    const parameters = argumentsOf(ledger.interface, "grantBySig", message, signature);
    const sent = await ledger.getFunction("grantBySig").send(...parameters);
    return (await sent.wait())?.logs;
  };

  it("tells wallets its own id (ERC-5267)", async () => {
    const told = await ledger.getFunction("eip712Domain").staticCall();
    expect(told.chainId).toBe(BigInt(chainId));
    expect(told.verifyingContract).toBe(address);
  });

  it("takes what was signed for it, and nothing that was signed for the other", async () => {
    await expect(submit(other)).rejects.toThrow("ConsentLedgerInvalidSignature");
    expect(await submit(chainId)).toHaveLength(1);
    await expect(submit(other)).rejects.toThrow("ConsentLedgerInvalidSignature");
  });
});
