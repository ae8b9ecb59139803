import { encodeFunctionData, type Hex, stringToHex } from "viem";
import { describe, expect, test } from "vitest";
import { messageOf } from "../../app/features/connect/signIn.ts";
import { describeMessage, describeTransaction } from "../../app/features/developer-wallet/describe.ts";
import { consentLedgerAbi } from "../../protocol/abi/consentLedger.ts";
import { granteeOf } from "../../protocol/ids.ts";
import { packTerms } from "../../protocol/terms.ts";

const consentLedger = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512";
const radiologist = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc";
const stranger = "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65";
const personas = [
  {
    address: radiologist,
    name: "Dr. Imani Vale",
    role: "Radiologist",
    kind: "practitioner" as const,
    accountIndex: 5,
  },
];
const resource: Hex = `0x${"ab".repeat(32)}`;
const terms = packTerms({
  notBefore: 1_800_000_000,
  notAfter: 1_800_600_000,
  purposes: ["HRESCH"],
  actions: ["VIEW", "DOWNLOAD"],
});

const grant = encodeFunctionData({
  abi: consentLedgerAbi,
  functionName: "grant",
  args: [resource, granteeOf(radiologist), terms],
});

function describe_(data: Hex, { to = consentLedger as Hex, value = 0n } = {}) {
  return describeTransaction({ to, data, value }, { personas, consentLedger });
}

describe("the developer wallet reads for itself what it is asked to sign", () => {
  test("a grant: who, what they may do, what for, until when", () => {
    const { title, sentences } = describe_(grant);
    expect(title).toBe("Write in the consent ledger");
    expect(sentences.join(" ")).toMatch(
      /^Dr\. Imani Vale may look at and download one of your exams .*for research/,
    );
    expect(sentences.join(" ")).toContain("2027");
  });

  test("a revoke, and a revoke of everything", () => {
    const args = [resource, granteeOf(stranger)] as const;
    const revoke = encodeFunctionData({ abi: consentLedgerAbi, functionName: "revoke", args });
    expect(describe_(revoke).sentences[0]).toMatch(/^0x15d3…6A65 may no longer see/);
    const revokeAll = encodeFunctionData({ abi: consentLedgerAbi, functionName: "revokeAll" });
    expect(describe_(revokeAll).sentences[0]).toMatch(/^Nobody but you/);
  });

  test("what it cannot read it does not dress up", () => {
    for (const request of [
      describe_(grant, { to: stranger }),
      describe_(grant, { value: 1n }),
      describe_("0x12345678"),
      describe_("0x"),
    ]) {
      expect(request.title).toBe("Send a transaction");
      expect(request.sentences.join(" ")).toContain("does not know what it does");
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
    const signIn = describeMessage(stringToHex(message));
    expect(signIn.title).toBe("Sign in");
    expect(signIn.sentences[0]).toBe(
      "app.example asks you to prove who you are to https://riverside.example.",
    );
    expect(signIn.raw).toBe(message);
    expect(describeMessage(stringToHex("I owe you")).sentences[0]).toMatch(/not a sign-in/);
  });
});
