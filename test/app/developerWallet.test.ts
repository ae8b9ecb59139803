import { encodeFunctionData, getAddress, type Hex, stringToHex } from "viem";
import { describe, expect, test } from "vitest";
import { messageOf } from "../../app/features/connect/signIn.ts";
import {
  type Asked,
  describe as question,
  readTypedData,
} from "../../app/features/developer-wallet/describe.ts";
import { consentLedgerAbi } from "../../protocol/abi/consentLedger.ts";
import { calldataDescriptor, eip712Descriptor } from "../../protocol/clearSigning/descriptor.ts";
import { granteeOf } from "../../protocol/ids.ts";
import { packTerms } from "../../protocol/terms.ts";
import { ACT_TYPES, typedDataDomain } from "../../protocol/typedData.ts";

const chainId = 31337;
const consentLedger = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512";
const patient = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";
const radiologist = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc";
const stranger = "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65";
const known = {
  people: [{ address: radiologist, name: "Dr. Imani Vale" }],
  custodians: [],
  resources: new Map<string, string>(),
  blinded: new Map<string, string>(),
};
const descriptors = [
  eip712Descriptor({ chainId, consentLedger }),
  calldataDescriptor({ chainId, consentLedger }),
];
const resource: Hex = `0x${"ab".repeat(32)}`;
const period = { notBefore: 1_800_000_000, notAfter: 1_800_600_000 };
const terms = packTerms({ ...period, purposes: ["HRESCH"], actions: ["VIEW", "DOWNLOAD"] });

const grant = encodeFunctionData({
  abi: consentLedgerAbi,
  functionName: "grant",
  args: [resource, granteeOf(radiologist), terms],
});

function asked(something: Asked) {
  return question(something, { self: patient, descriptors, known });
}

function describe_(data: Hex, { to = consentLedger as Hex | null, value = 0n } = {}) {
  return asked({ kind: "transaction", chainId, to: to && getAddress(to), data, value });
}

describe("the developer wallet reads for itself what it is asked to sign", () => {
  test("a grant: who, what they may do, what for, until when", () => {
    const { title, reading, signable } = describe_(grant);
    expect(title).toBe("Write in the consent ledger");
    expect(reading?.sentence).toMatch(
      /^Dr\. Imani Vale may look at and download one of your exams .*for research/,
    );
    expect(reading?.sentence).toContain("2027");
    expect(signable).toBe(true);
  });

  test("a revoke, and a revoke of everything", () => {
    const args = [resource, granteeOf(stranger)] as const;
    const revoke = encodeFunctionData({ abi: consentLedgerAbi, functionName: "revoke", args });
    expect(describe_(revoke).reading?.sentence).toMatch(/^0x15d3…6A65 may no longer see/);
    const everything = { abi: consentLedgerAbi, functionName: "revokeAll", args: [patient] } as const;
    expect(describe_(encodeFunctionData(everything)).reading?.sentence).toMatch(/^Nobody but you/);
  });

  test("what it cannot read it does not dress up", () => {
    for (const request of [
      describe_(grant, { to: stranger }),
      describe_(grant, { to: null }),
      describe_(grant, { value: 1n }),
      describe_(`${grant}00`),
      describe_("0x12345678"),
      describe_("0x"),
    ]) {
      expect(request.title).toBe("Send a transaction");
      expect(request.reading).toBeNull();
      expect(request.warning).toContain("does not know what it does");
    }
  });

  test("a sign-in, told apart from any other message", () => {
    const message = messageOf(
      {
        gateway: { base: "", publicOrigin: "https://riverside.example", name: "Riverside" },
        address: stranger,
        chainId: 31337,
        purpose: "PATRQT",
      },
      { nonce: "0123456789abcdef", domain: "app.example", at: new Date() },
    );
    const signIn = asked({ kind: "message", data: stringToHex(message) });
    expect(signIn.title).toBe("Sign in");
    expect(signIn.sentences[0]).toBe(
      "app.example asks you to prove who you are to https://riverside.example.",
    );
    expect(signIn.raw).toBe(message);
    expect(signIn.warning).toBeNull();
    const other = asked({ kind: "message", data: stringToHex("I owe you") });
    expect(other.warning).toMatch(/not a sign-in/);
    expect(other.raw).toBe("I owe you");
  });
});

describe("typed data", () => {
  const request = {
    types: { Grant: ACT_TYPES.Grant },
    primaryType: "Grant",
    domain: typedDataDomain(chainId, consentLedger),
    message: {
      patient,
      resource,
      grantee: granteeOf(radiologist),
      ...period,
      purposes: 8,
      actions: 3,
      nonce: 0,
      epoch: 0,
      deadline: 1_800_000_000,
    },
  };
  const describeTypedData = (typedData: unknown) =>
    asked(readTypedData(descriptors, typedData, getAddress(patient)));

  test("of the ledger is said as the transaction would be", () => {
    const { title, reading, signable, raw } = describeTypedData(JSON.stringify(request));
    expect(title).toBe("Sign for the consent ledger");
    expect(reading?.sentence).toMatch(/^Dr\. Imani Vale may look at and download .*for research/);
    expect(signable).toBe(true);
    expect(raw).toBe(JSON.stringify(request));
  });

  test("of any other kind is not to be signed, and the wallet says so", () => {
    for (const foreign of [
      { ...request, domain: { ...request.domain, name: "Permit2" } },
      { ...request, primaryType: "Permit", types: { Permit: ACT_TYPES.Grant } },
      { ...request, message: { ...request.message, purposes: "all" } },
      { ...request, message: { ...request.message, patient: stranger } },
      "not even JSON",
      undefined,
    ]) {
      const refused = describeTypedData(foreign);
      expect(refused).toMatchObject({ title: "Not to be signed", reading: null, signable: false });
      expect(refused.warning).toContain("cannot put in words");
    }
  });

  test("is read once: what a page changes afterwards is neither shown nor signed", () => {
    const page = structuredClone(request);
    const before = readTypedData(descriptors, page, getAddress(patient));
    page.message.purposes = 0xfff;
    expect(asked(before).reading?.sentence).toContain(", for research,");
    expect(before.found).toMatchObject({ data: { purposes: 8n } });
  });
});
