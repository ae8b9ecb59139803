import { TypedDataEncoder, verifyTypedData, Wallet } from "ethers";
import { hashTypedData } from "viem";
import { describe, expect, it } from "vitest";
import {
  ACT_TYPES,
  EMERGENCY_TYPES,
  ENROLMENT_TYPES,
  type Enrolment,
  emergencyDomain,
  patientIdHash,
  typedDataDomain,
} from "../../protocol/typedData.ts";

const SALT = `0x${"5a".repeat(32)}` as const;
const LEDGER = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512";
const enrolment: Enrolment = {
  patient: "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
  patientIdHash: patientIdHash(SALT, "123565", "HOSPITAL"),
  custodian: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
  issuedAt: 1_800_000_000n,
};
const types = { Enrolment: [...ENROLMENT_TYPES.Enrolment] };

/** A value for every field of what patients and practitioners sign. */
const message = {
  patient: enrolment.patient,
  resource: `0x${"01".repeat(32)}`,
  resources: [`0x${"01".repeat(32)}`, `0x${"02".repeat(32)}`],
  grantee: `0x${"03".repeat(32)}`,
  notBefore: 1_800_000_000,
  notAfter: 2 ** 40 - 1,
  purposes: 0b1001,
  actions: 0b11,
  nonce: 4n,
  nonces: [4n, 5n],
  epoch: 6n,
  deadline: 1_800_003_600n,
  guardian: enrolment.custodian,
  until: 1_831_536_000,
  examId: `0x${"07".repeat(32)}`,
  to: enrolment.custodian,
  badge: "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
  reader: `0x${"08".repeat(32)}`,
  reason: 1,
  count: 9n,
} as const;

const SIGNED = [
  ...Object.entries(ACT_TYPES).map(([name, fields]) => ({ name, fields, domainOf: typedDataDomain })),
  ...Object.entries(EMERGENCY_TYPES).map(([name, fields]) => ({ name, fields, domainOf: emergencyDomain })),
];

describe("what patients and practitioners sign", () => {
  it("pins every type, and the hash of one value of it", () => {
    const pinned = SIGNED.map(({ name, fields, domainOf }) => {
      const types = { [name]: [...fields] };
      const hash = TypedDataEncoder.hash(domainOf(31337, LEDGER), types, message);
      return [TypedDataEncoder.from(types).encodeType(name), hash];
    });
    expect(Object.fromEntries(pinned)).toMatchInlineSnapshot(`
      {
        "Accept(address patient,bytes32 examId,uint256 nonce,uint256 epoch,uint256 deadline)": "0x3382009ac94aa5ea0916b48d08299b26b1fe00a257dc57142461461fe672e039",
        "Emergency(bytes32 examId,address badge,bytes32 reader,uint8 reason,uint40 until,uint64 count)": "0xb04bd148cac33ca8f4bf311cb7a4bb4e03c5900b9c71022a1f60c19fbdb90856",
        "Grant(address patient,bytes32 resource,bytes32 grantee,uint40 notBefore,uint40 notAfter,uint32 purposes,uint16 actions,uint256 nonce,uint256 epoch,uint256 deadline)": "0x110c34dc1d1b3c0c04ed42d95b5863fa412c6a47be5f1fac045f2fc03acdf14e",
        "GrantBatch(address patient,bytes32[] resources,bytes32 grantee,uint40 notBefore,uint40 notAfter,uint32 purposes,uint16 actions,uint256[] nonces,uint256 epoch,uint256 deadline)": "0xf5f864eadd6931b71c4e82a97320d555072c30dfefd56658c28c4fce4e1518e5",
        "HandOver(address patient,bytes32 examId,address to,uint256 nonce,uint256 epoch,uint256 deadline)": "0xa2bc823d86127d8bdaa51fc81ffb001b493f10e6e14ee4ebbdcf3ce99be8b4ae",
        "NameGuardian(address patient,address guardian,uint40 until,uint256 nonce,uint256 epoch,uint256 deadline)": "0xcab05145b07a6cd3d2ceb4eb9928665808eb2189c4d760821826af5c86263216",
        "Revoke(address patient,bytes32 resource,bytes32 grantee,uint256 nonce,uint256 epoch,uint256 deadline)": "0x3fe21342bc3673d576dd31187f0267b64f6defc73908d7456d5e3d17fa059fc4",
        "RevokeAll(address patient,uint256 nonce,uint256 deadline)": "0x36a7994938acf6698c6c2d5cb27e774669ec5c058d565b958c268a131e2367e6",
        "RevokeBatch(address patient,bytes32[] resources,bytes32 grantee,uint256[] nonces,uint256 epoch,uint256 deadline)": "0xf845a8c99f171e6369d895c407166b2954ebb09d1bb372499f4d86a6f585357a",
      }
    `);
  });

  it.each(SIGNED)("$name hashes alike in ethers and viem", ({ name, fields, domainOf }) => {
    const types = { [name]: [...fields] };
    const domain = domainOf(31337, LEDGER);
    expect(hashTypedData({ domain, types, primaryType: name, message })).toBe(
      TypedDataEncoder.hash(domain, types, message),
    );
  });
});

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
