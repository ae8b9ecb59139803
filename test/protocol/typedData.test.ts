import { TypedDataEncoder, verifyTypedData, Wallet } from "ethers";
import { hashTypedData } from "viem";
import { describe, expect, it } from "vitest";
import { ENROLMENT_TYPES, type Enrolment, patientIdHash, typedDataDomain } from "../../protocol/typedData.ts";

const SALT = `0x${"5a".repeat(32)}` as const;
const LEDGER = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512";
const enrolment: Enrolment = {
  patient: "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
  patientIdHash: patientIdHash(SALT, "123565", "HOSPITAL"),
  custodian: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
  issuedAt: 1_800_000_000n,
};
const types = { Enrolment: [...ENROLMENT_TYPES.Enrolment] };

describe("an enrolment", () => {
  it("pins its type and its hash for one domain", () => {
    expect(TypedDataEncoder.from(types).encodeType("Enrolment")).toBe(
      "Enrolment(address patient,bytes32 patientIdHash,address custodian,uint64 issuedAt)",
    );
    expect(TypedDataEncoder.hash(typedDataDomain(31337, LEDGER), types, enrolment)).toMatchInlineSnapshot(
      `"0x50ddeedbed11f7163c0f242f7b96ce8c62c4b99b68424974318952f351d41915"`,
    );
  });

  it("hashes alike in ethers and viem", () => {
    expect(
      hashTypedData({
        domain: typedDataDomain(31337, LEDGER),
        types: ENROLMENT_TYPES,
        primaryType: "Enrolment",
        message: enrolment,
      }),
    ).toBe(TypedDataEncoder.hash(typedDataDomain(31337, LEDGER), types, enrolment));
  });

  it("is signed for one ledger on one chain", async () => {
    const wallet = Wallet.createRandom();
    const signature = await wallet.signTypedData(typedDataDomain(31337, LEDGER), types, enrolment);
    const signer = (chainId: number, ledger: string) =>
      verifyTypedData(typedDataDomain(chainId, ledger), types, enrolment, signature);
    expect(signer(31337, LEDGER)).toBe(wallet.address);
    expect(signer(1, LEDGER)).not.toBe(wallet.address);
    expect(signer(31337, enrolment.custodian)).not.toBe(wallet.address);
  });
});

describe("patientIdHash", () => {
  it("tells issuer and patient id apart, wherever the line between them is", () => {
    const hashes = [
      patientIdHash(SALT, "12", "3"),
      patientIdHash(SALT, "1", "23"),
      patientIdHash(SALT, "123", ""),
      patientIdHash(SALT, "", "123"),
      patientIdHash(`0x${"5b".repeat(32)}`, "12", "3"),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it("pins a known answer", () => {
    expect(enrolment.patientIdHash).toMatchInlineSnapshot(
      `"0x080381516d2169e9aa6818a8d7fa5bd6a2c6a45da00e738e63bc1ccc37568bc0"`,
    );
  });
});
