import {
  AbiCoder,
  type Contract,
  ContractFactory,
  concat,
  getCreate2Address,
  Interface,
  keccak256,
  ZeroHash,
} from "ethers";
import solc from "solc";
import { serializeErc6492Signature } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Hex } from "../../protocol/hash.ts";
import { reasonOf, World } from "../world.ts";

/** A wallet that one key owns, as small as ERC-1271 allows, and a factory that puts it where it is expected. */
const SOURCE = `
pragma solidity 0.8.37;
contract Wallet {
    address owner;
    constructor(address owner_) { owner = owner_; }
    function setOwner(address owner_) external { owner = owner_; }
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        address signer = ecrecover(hash, uint8(signature[64]), bytes32(signature[:32]), bytes32(signature[32:64]));
        return signer == owner ? this.isValidSignature.selector : bytes4(0xffffffff);
    }
}
contract Factory {
    function deploy(address owner) external returns (address) { return address(new Wallet{salt: 0}(owner)); }
}`;

type Compiled = { abi: never[]; evm: { bytecode: { object: string } } };

let world: World;
let factory: Contract;
let wallet: Compiled;

beforeAll(async () => {
  const input = {
    language: "Solidity",
    sources: { "Wallet.sol": { content: SOURCE } },
    settings: { evmVersion: "cancun", outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } } },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const contracts = output.contracts["Wallet.sol"] as { Wallet: Compiled; Factory: Compiled };
  wallet = contracts.Wallet;
  world = await World.open();
  const { abi, evm } = contracts.Factory;
  const deployed = await new ContractFactory(abi, evm.bytecode.object, world.people.stranger).deploy();
  factory = (await deployed.waitForDeployment()) as Contract;
});

afterAll(() => world.close());

/** Where the factory puts a wallet of this owner. */
async function addressOf(owner: string): Promise<Hex> {
  const parameters = AbiCoder.defaultAbiCoder().encode(["address"], [owner]);
  const code = keccak256(concat([`0x${wallet.evm.bytecode.object}`, parameters]));
  return getCreate2Address(await factory.getAddress(), ZeroHash, code) as Hex;
}

async function deploy(owner: string): Promise<void> {
  await (await factory.getFunction("deploy")(owner)).wait();
}

const renew = (token: string) => world.post("/auth/renew", undefined, { authorization: `Bearer ${token}` });
const tokenIn = async (answer: Response) => ((await answer.json()) as { access_token: string }).access_token;

test("a deployed contract wallet signs in (ERC-1271), and is asked again at each renewal", async () => {
  const { patient, stranger } = world.people;
  const address = await addressOf(patient.address);
  await deploy(patient.address);
  const owned = { address, signMessage: patient.signMessage.bind(patient) };
  const answer = await world.trySignIn(owned);
  expect(answer.status).toBe(200);
  const token = await tokenIn(answer);
  const me = (await (await world.get("/me", { token })).json()) as { address: string };
  expect(me.address).toBe(address);
  expect((await renew(token)).status).toBe(200);

  const contract = new ContractFactory(wallet.abi, wallet.evm.bytecode.object, stranger).attach(
    address,
  ) as Contract;
  await (await contract.getFunction("setOwner")(stranger.address)).wait();
  expect(await reasonOf(await renew(token))).toBe("401 signature-invalid");
  expect(await reasonOf(await world.trySignIn(owned))).toBe("401 signature-invalid");
});

test("a wallet that is not deployed yet signs in (ERC-6492)", async () => {
  const { otherPatient } = world.people;
  const address = await addressOf(otherPatient.address);
  const deployment = new Interface(["function deploy(address owner)"]).encodeFunctionData("deploy", [
    otherPatient.address,
  ]);
  const wrap = async (message: string | Uint8Array) =>
    serializeErc6492Signature({
      address: (await factory.getAddress()) as Hex,
      data: deployment as Hex,
      signature: (await otherPatient.signMessage(message)) as Hex,
    });
  expect(await world.provider.getCode(address)).toBe("0x");
  expect((await world.trySignIn({ address, signMessage: wrap })).status).toBe(200);

  const { stranger } = world.people;
  const impostor = { address: await addressOf(stranger.address), signMessage: wrap };
  expect(await reasonOf(await world.trySignIn(impostor))).toBe("401 signature-invalid");
});
