/** What is signed means the same to the protocol and to the contracts: domains, types, hashes. */
import { readFile } from "node:fs/promises";
import { type BaseContract, TypedDataEncoder, ZeroHash } from "ethers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ACT_TYPES, EMERGENCY_TYPES, emergencyDomain, typedDataDomain } from "../../protocol/typedData.ts";
import { type OpenLedger, openLedger } from "./world.ts";

const CHAIN_ID = 31337;

let world: OpenLedger;

beforeAll(async () => {
  world = await openLedger();
});
afterAll(() => world.close());

/** What a contract says of itself to wallets (ERC-5267): its domain, and which fields that has. */
async function toldBy(contract: BaseContract) {
  const { fields, name, version, chainId, verifyingContract, salt, extensions } = await contract
    .getFunction("eip712Domain")
    .staticCall();
  expect({ fields, salt, extensions: [...extensions] }).toEqual({
    fields: "0x0f",
    salt: ZeroHash,
    extensions: [],
  });
  return { name, version, chainId: Number(chainId), verifyingContract };
}

describe("a domain", () => {
  it("of the ledger is what the ledger tells wallets", async () => {
    const address = await world.ledger.getAddress();
    expect(await toldBy(world.ledger)).toEqual(typedDataDomain(CHAIN_ID, address));
  });

  it("of EmergencyAccess is what that tells wallets, and not the ledger's", async () => {
    const emergencies = await world.ethers.deployContract("EmergencyAccess", [world.ledger]);
    const address = await emergencies.getAddress();
    expect(await toldBy(emergencies)).toEqual(emergencyDomain(CHAIN_ID, address));
    expect(TypedDataEncoder.hashDomain(emergencyDomain(CHAIN_ID, address))).not.toBe(
      TypedDataEncoder.hashDomain(typedDataDomain(CHAIN_ID, address)),
    );
  });
});

it("the types are those that TypedData.sol hashes, and no other", async () => {
  const source = await readFile("contracts/libraries/TypedData.sol", "utf8");
  const hashed = [...source.matchAll(/keccak256\(\s*"([^"]+)"/g)].map(([, type]) => type);
  const types = Object.entries({ ...ACT_TYPES, ...EMERGENCY_TYPES }).map(([name, fields]) =>
    TypedDataEncoder.from({ [name]: [...fields] }).encodeType(name),
  );
  expect(hashed).toEqual(types);
});
