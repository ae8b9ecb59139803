import { encodeFunctionData, getAddress, type Hex } from "viem";
import { describe, expect, test } from "vitest";
import {
  type Known,
  matchCall,
  matchTypedData,
  quotable,
  type Reading,
  read,
  UnreadableError,
} from "../../app/features/signing/index.ts";
import { plainMoment } from "../../app/words/index.ts";
import { consentLedgerAbi } from "../../protocol/abi/consentLedger.ts";
import {
  calldataDescriptor,
  type Descriptor,
  eip712Descriptor,
  emergencyDescriptor,
} from "../../protocol/clearSigning/descriptor.ts";
import { ALL_EXAMS_RESOURCE, blindedGrantee, examsAtResource, granteeOf } from "../../protocol/ids.ts";
import { packTerms } from "../../protocol/terms.ts";
import {
  ACT_TYPES,
  type Act,
  EMERGENCY_TYPES,
  emergencyDomain,
  typedDataDomain,
} from "../../protocol/typedData.ts";

const chainId = 31337;
const consentLedger = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512";
const emergencyAccess = "0x5FC8d32690cc91D4c39d9d3abcBD16989F875707";
const descriptors: Descriptor[] = [
  calldataDescriptor({ chainId, consentLedger }),
  eip712Descriptor({ chainId, consentLedger }),
  emergencyDescriptor({ chainId, emergencyAccess }),
];

const patient = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";
const child = "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65";
const vale = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc";
const riverside = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const stranger = "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955";

const brain: Hex = `0x${"ab".repeat(32)}`;
const chest: Hex = `0x${"cd".repeat(32)}`;
const unheardOf: Hex = `0x${"12".repeat(32)}`;
const BRAIN = "the exam “MRI scan, brain” of 11 June 1996";
const CHEST = "the exam “CT scan, chest”";

const known: Known = {
  people: [
    { address: vale, name: "Dr. Imani Vale" },
    { address: child, name: "Kai Fairwind" },
  ],
  custodians: [{ address: riverside, name: "Riverside" }],
  resources: new Map([
    [brain, BRAIN],
    [chest, CHEST],
  ]),
  blinded: new Map(),
};

const NOW = 1_800_000_000;
const DAY = 86_400;
const period = { notBefore: NOW - DAY, notAfter: NOW + 7 * DAY };
const [FROM, UNTIL, DEADLINE] = [period.notBefore, period.notAfter, NOW + DAY].map((at) => plainMoment(at));

const audience = { self: getAddress(patient), now: NOW, known };

const message = {
  patient,
  resource: brain,
  resources: [brain, chest],
  grantee: granteeOf(vale),
  ...period,
  purposes: 0b1001,
  actions: 0b011,
  guardian: vale,
  until: NOW + DAY,
  examId: brain,
  to: child,
  nonce: 3,
  nonces: [0, 1],
  epoch: 1,
  deadline: NOW + DAY,
};

/** What a wallet is handed (EIP-712), with any part changed. */
function typedData(act: Act, changed: object = {}) {
  return {
    types: { [act]: ACT_TYPES[act] },
    primaryType: act as string,
    domain: typedDataDomain(chainId, consentLedger) as object,
    message: { ...message, ...changed } as object,
  };
}

function readMessage(act: Act, changed: object = {}, to = audience): Reading {
  return read(matchTypedData(descriptors, JSON.stringify(typedData(act, changed))), to);
}

function readCall(data: Hex, to = audience): Reading {
  return read(matchCall(descriptors, { chainId, to: consentLedger, data }), to);
}

const terms = packTerms({ ...period, purposes: ["TREAT", "HRESCH"], actions: ["VIEW", "DOWNLOAD"] });
const by = { patient, deadline: BigInt(NOW + DAY), signature: "0x1234" } as const;
const abi = consentLedgerAbi;

const MAY = "Dr. Imani Vale may look at and download";
const TERMS = `for treatment and for research, from ${FROM} until ${UNTIL}.`;
const STAYS = "Parts that were shared by themselves stay shared.";
const VALID = `The signature is valid until ${DEADLINE}.`;

describe("a message that a patient signs is said in one sentence", () => {
  test.each<[Act, string]>([
    ["Grant", `${MAY} ${BRAIN}, ${TERMS} ${VALID}`],
    ["GrantBatch", `${MAY} ${BRAIN} and ${CHEST}, ${TERMS} ${VALID}`],
    ["Revoke", `Dr. Imani Vale may no longer see ${BRAIN}. ${STAYS} ${VALID}`],
    ["RevokeBatch", `Dr. Imani Vale may no longer see ${BRAIN} and ${CHEST}. ${STAYS} ${VALID}`],
    ["RevokeAll", `Nobody but you may see what you shared any more; guardians and offers end too. ${VALID}`],
    [
      "NameGuardian",
      `Dr. Imani Vale may share and stop sharing, one exam or all, for you, until ${DEADLINE}. ${VALID}`,
    ],
    [
      "HandOver",
      `The exam “MRI scan, brain” of 11 June 1996 is offered to Kai Fairwind; whoever takes it over decides alone from then on. ${VALID}`,
    ],
    [
      "Accept",
      `The exam “MRI scan, brain” of 11 June 1996 goes to you; what was shared of it before ends. ${VALID}`,
    ],
  ])("%s", (act, sentence) => {
    const reading = readMessage(act);
    expect(reading.sentence).toBe(sentence);
    expect(reading.warnings).toEqual([]);
  });

  test("and so is what a practitioner signs in an emergency", () => {
    const reader = blindedGrantee(vale, `0x${"5a".repeat(32)}`);
    const request = {
      types: EMERGENCY_TYPES,
      primaryType: "Emergency",
      domain: emergencyDomain(chainId, emergencyAccess),
      message: { examId: brain, badge: vale, reader, reason: 1, until: NOW + DAY, count: 0 },
    };
    const blinded = new Map([[reader, "Dr. Imani Vale"]]);
    const reading = read(matchTypedData(descriptors, request), { ...audience, known: { ...known, blinded } });
    expect(reading.sentence).toBe(
      `Dr. Imani Vale may see ${BRAIN} until ${DEADLINE}, without the patient's consent, because the patient's life is in danger.`,
    );
    expect(reading.warnings).toEqual([]);
    const badReason = { ...request, message: { ...request.message, reason: 200 } };
    expect(read(matchTypedData(descriptors, badReason), audience).warnings.join()).toContain(
      "Because: There are no words for this number.",
    );
  });
});

describe("a call is said as the message would be, and in whose name it is", () => {
  const grantee = granteeOf(vale);
  const resources = [brain, chest];
  const [nonce, nonces, epoch] = [3n, [0n, 1n], 1n] as const;
  const decided = "Decided for you.";

  test.each<[string, Hex, string]>([
    [
      "grant",
      encodeFunctionData({ abi, functionName: "grant", args: [brain, grantee, terms] }),
      `${MAY} ${BRAIN}, ${TERMS}`,
    ],
    [
      "grantBySig",
      encodeFunctionData({
        abi,
        functionName: "grantBySig",
        args: [brain, grantee, terms, nonce, epoch, by],
      }),
      `${MAY} ${BRAIN}, ${TERMS} ${decided} ${VALID}`,
    ],
    [
      "grantBatch",
      encodeFunctionData({ abi, functionName: "grantBatch", args: [patient, resources, grantee, terms] }),
      `${MAY} ${BRAIN} and ${CHEST}, ${TERMS} ${decided}`,
    ],
    [
      "grantBatchBySig",
      encodeFunctionData({
        abi,
        functionName: "grantBatchBySig",
        args: [resources, grantee, terms, nonces, epoch, by],
      }),
      `${MAY} ${BRAIN} and ${CHEST}, ${TERMS} ${decided} ${VALID}`,
    ],
    [
      "revoke",
      encodeFunctionData({ abi, functionName: "revoke", args: [brain, grantee] }),
      `Dr. Imani Vale may no longer see ${BRAIN}. ${STAYS}`,
    ],
    [
      "revokeBySig",
      encodeFunctionData({ abi, functionName: "revokeBySig", args: [brain, grantee, nonce, epoch, by] }),
      `Dr. Imani Vale may no longer see ${BRAIN}. ${STAYS} ${decided} ${VALID}`,
    ],
    [
      "revokeBatch",
      encodeFunctionData({ abi, functionName: "revokeBatch", args: [patient, resources, grantee] }),
      `Dr. Imani Vale may no longer see ${BRAIN} and ${CHEST}. ${STAYS} ${decided}`,
    ],
    [
      "revokeBatchBySig",
      encodeFunctionData({
        abi,
        functionName: "revokeBatchBySig",
        args: [resources, grantee, nonces, epoch, by],
      }),
      `Dr. Imani Vale may no longer see ${BRAIN} and ${CHEST}. ${STAYS} ${decided} ${VALID}`,
    ],
    [
      "revokeAll",
      encodeFunctionData({ abi, functionName: "revokeAll", args: [patient] }),
      "Nobody but you may see what you shared any more; guardians and offers end too.",
    ],
    [
      "revokeAllBySig",
      encodeFunctionData({ abi, functionName: "revokeAllBySig", args: [nonce, by] }),
      `Nobody but you may see what you shared any more; guardians and offers end too. ${VALID}`,
    ],
    [
      "nameGuardian",
      encodeFunctionData({ abi, functionName: "nameGuardian", args: [vale, NOW + DAY] }),
      `Dr. Imani Vale may share and stop sharing, one exam or all, for you, until ${DEADLINE}.`,
    ],
    [
      "nameGuardianBySig",
      encodeFunctionData({
        abi,
        functionName: "nameGuardianBySig",
        args: [vale, NOW + DAY, nonce, epoch, by],
      }),
      `Dr. Imani Vale may share and stop sharing, one exam or all, for you, until ${DEADLINE}. ${VALID}`,
    ],
    [
      "handOver",
      encodeFunctionData({ abi, functionName: "handOver", args: [chest, child] }),
      "The exam “CT scan, chest” is offered to Kai Fairwind; whoever takes it over decides alone from then on.",
    ],
    [
      "handOverBySig",
      encodeFunctionData({ abi, functionName: "handOverBySig", args: [chest, child, nonce, epoch, by] }),
      `The exam “CT scan, chest” is offered to Kai Fairwind; whoever takes it over decides alone from then on. ${decided} ${VALID}`,
    ],
    [
      "accept",
      encodeFunctionData({ abi, functionName: "accept", args: [chest] }),
      "The exam “CT scan, chest” goes to you; what was shared of it before ends.",
    ],
    [
      "acceptBySig",
      encodeFunctionData({ abi, functionName: "acceptBySig", args: [chest, nonce, epoch, by] }),
      `The exam “CT scan, chest” goes to you; what was shared of it before ends. ${VALID}`,
    ],
  ])("%s", (_, data, sentence) => {
    const reading = readCall(data);
    expect(reading.sentence).toBe(sentence);
    expect(reading.warnings).toEqual([]);
  });

  test("also where a guardian acts for somebody else", () => {
    const args = [child, [unheardOf], grantee, terms] as const;
    const reading = readCall(encodeFunctionData({ abi, functionName: "grantBatch", args }));
    expect(reading.sentence).toMatch(/one of their exams \(0x1212…1212\).* Decided for Kai Fairwind\.$/);
    expect(reading.fields).toContainEqual({ label: "In the name of", values: [`Kai Fairwind, ${child}`] });
  });
});

test("each field is shown in full, by its label and in one order", () => {
  expect(readMessage("Grant")).toMatchObject({
    intent: "Share",
    fields: [
      { label: "With", values: [`Dr. Imani Vale, ${vale}`] },
      { label: "They may", values: ["look at and download"] },
      { label: "What", values: [`${BRAIN} (${brain})`] },
      { label: "Why", values: ["for treatment and for research"] },
      { label: "From", values: [FROM] },
      { label: "Until", values: [UNTIL] },
      { label: "Signature valid until", values: [DEADLINE] },
    ],
  });
});

describe("what has no name here is never passed over", () => {
  test("a stranger's address, shown in full", () => {
    const { sentence, fields, warnings } = readMessage("Revoke", { grantee: granteeOf(stranger) });
    expect(sentence).toMatch(/^0x14dC…9955 may no longer see/);
    expect(fields[0]).toEqual({ label: "With", values: [stranger] });
    expect(warnings).toEqual(["With: Nobody here is known by this address. Compare all of it."]);
  });

  test("an address made to look like a known one", () => {
    const twin = getAddress(`${vale.slice(0, 6)}${"0".repeat(32)}${vale.slice(-4)}`);
    expect(readMessage("NameGuardian", { guardian: twin }).warnings).toEqual([
      "Guardian: This address looks like that of Dr. Imani Vale, but it is another one.",
    ]);
  });

  test("a grantee that only ends like a known address", () => {
    const { sentence, warnings } = readMessage("Grant", { grantee: `0x01${granteeOf(vale).slice(4)}` });
    expect(sentence).toMatch(/^Somebody under a hidden name \(0x0100…A4dc\) may/i);
    expect(sentence).not.toContain("Vale");
    expect(warnings).toEqual(["With: This name is blinded, and nobody is known by it here."]);
  });

  test("nobody at all", () => {
    const none: Hex = `0x${"0".repeat(64)}`;
    expect(readMessage("Grant", { grantee: none }).warnings).toEqual(["With: It names nobody."]);
    const zero = "0x0000000000000000000000000000000000000000";
    expect(readMessage("NameGuardian", { guardian: zero }).warnings).toHaveLength(1);
  });

  test("an offer to nobody, which takes an offer back", () => {
    const zero = "0x0000000000000000000000000000000000000000";
    const reading = readMessage("HandOver", { to: zero });
    expect(reading.warnings).toEqual(["To: It takes back an offer."]);
    expect(reading.fields[1]?.values).toEqual(["Nobody: this takes back an offer"]);
  });

  test("an exam that no gateway told of", () => {
    const { sentence, warnings, fields } = readMessage("Grant", { resource: unheardOf });
    expect(sentence).toContain("one of your exams (0x1212…1212)");
    expect(warnings).toEqual([expect.stringContaining("What: No exam is known by this number here")]);
    expect(fields[2]?.values).toEqual([unheardOf]);
  });

  test("resources that are everything, whatever the page calls them", () => {
    const everything = readMessage("Grant", { resource: ALL_EXAMS_RESOURCE });
    expect(everything.sentence).toContain("all your exams, wherever they are, later ones too");
    expect(everything.warnings).toEqual(["What: This is everything, not one exam."]);
    const atOne = readMessage("Grant", { resource: examsAtResource(riverside) });
    expect(atOne.sentence).toContain("all your exams at Riverside, later ones too");
    expect(atOne.warnings).toHaveLength(1);
  });

  test.each([
    ["purposes", 0x80000001, "for treatment and something that has no name here"],
    ["purposes", 0x1000, "something that has no name here"],
    ["actions", 0x8001, "look at and something that has no name here"],
    ["actions", 0xfff8, "something that has no name here"],
  ])("bits of %s that nobody named: %i", (field, mask, words) => {
    const { sentence, warnings } = readMessage("Grant", { [field]: mask });
    expect(sentence).toContain(words);
    expect(warnings).toEqual([expect.stringContaining("It also allows something that has no name here.")]);
  });

  test("the same bits in the word of a call", () => {
    const odd = terms | (1n << 111n) | (1n << 127n);
    const args = [brain, granteeOf(vale), odd] as const;
    const { warnings } = readCall(encodeFunctionData({ abi, functionName: "grant", args }));
    expect(warnings.map((warning) => warning.split(":")[0])).toEqual(["They may", "Why"]);
  });

  test("masks that allow nothing", () => {
    expect(readMessage("Grant", { purposes: 0, actions: 0 }).warnings).toEqual([
      "They may: It names nothing.",
      "Why: It names nothing.",
    ]);
  });

  test("every set of purposes has its words, also those that no descriptor lists", () => {
    const { sentence, warnings } = readMessage("Grant", { purposes: 0xfff });
    expect(sentence).toContain("for treatment, for emergency treatment, for payment");
    expect(sentence).toContain("and for teaching");
    expect(warnings).toEqual([]);
  });
});

describe("moments", () => {
  test("that have passed are pointed out, but for the beginning", () => {
    const past = { notBefore: 0, notAfter: NOW, deadline: NOW - 1 };
    expect(readMessage("Grant", past).warnings).toEqual([
      "Until: This moment has passed.",
      "Signature valid until: This moment has passed.",
    ]);
  });

  test("that nobody lives to see are pointed out", () => {
    const { warnings, fields } = readMessage("Grant", { notAfter: 2 ** 40 - 1 });
    expect(warnings).toEqual(["Until: This is more than a hundred years away."]);
    expect(fields[5]?.values[0]).toContain("36812");
  });

  test("that are no dates are given as they are", () => {
    const deadline = (2n ** 256n - 1n).toString();
    const { warnings, fields } = readMessage("RevokeAll", { deadline });
    expect(warnings).toEqual(["Signature valid until: This is no date."]);
    expect(fields[0]?.values).toEqual([`second ${deadline}`]);
  });
});

describe("many resources at once", () => {
  const many = Array.from(
    { length: 499 },
    (_, index): Hex => `0x${(index + 1).toString(16).padStart(64, "0")}`,
  );
  const reading = readMessage("GrantBatch", { resources: [brain, ...many], nonces: many.map(() => 0) });

  test("are counted in the sentence, and all are listed", () => {
    expect(reading.sentence).toContain(`${MAY} 500 exams or parts of exams,`);
    expect(reading.fields[2]?.values).toHaveLength(500);
    expect(reading.fields[2]?.values.at(-1)).toBe(many.at(-1));
  });

  test("cannot hide one that is everything", () => {
    const resources = [...many.slice(0, 9), ALL_EXAMS_RESOURCE];
    const { sentence, warnings } = readMessage("GrantBatch", { resources, nonces: [] });
    expect(sentence).toContain(
      "all your exams, wherever they are, later ones too and 9 exams or parts of exams",
    );
    expect(warnings).toContain("What, 1 of 10: This is everything, not one exam.");
  });

  test("are one warning, with how many have no name", () => {
    expect(reading.warnings).toEqual([expect.stringMatching(/^What, 499 of 500: No exam is known/)]);
  });

  test("that are none are not passed over", () => {
    const none = readMessage("RevokeBatch", { resources: [], nonces: [] });
    expect(none.warnings).toEqual(["What: There is nothing in it."]);
    expect(none.sentence).toContain("may no longer see nothing.");
  });
});

test.each([
  ["Dr. Vale” may\nsee", "Dr. Vale may see"],
  ["Vale\u202Eelav\u202C", "Vale elav"],
  ["  Dr.\t Vale\u0000 ", "Dr. Vale"],
  ["A".repeat(500), `${"A".repeat(79)}…`],
  ["Hôpital Saint-Éloi", "Hôpital Saint-Éloi"],
])("a name cannot end its quotes, or hide what follows: %j", (name, said) => {
  expect(quotable(name)).toBe(said);
});

describe("what is not ours is not read", () => {
  const refusal = (request: unknown) => () => matchTypedData(descriptors, request);
  const grant = typedData("Grant");
  const domain = typedDataDomain(chainId, consentLedger);

  test.each<[string, object]>([
    ["another chain", { ...domain, chainId: 1 }],
    ["another contract", { ...domain, verifyingContract: stranger }],
    ["another name", { ...domain, name: "ExamKeys" }],
    ["another version", { ...domain, version: "2" }],
    ["the domain of emergencies at the ledger", { ...domain, name: "ExamKey EmergencyAccess" }],
    ["a salt", { ...domain, salt: brain }],
    ["no contract", { name: "ExamKey", version: "1", chainId }],
    ["nothing", {}],
  ])("typed data whose domain has %s", (_, changed) => {
    expect(refusal({ ...grant, domain: changed })).toThrow(UnreadableError);
  });

  const [first, second, ...rest] = ACT_TYPES.Grant;
  test.each<[string, object]>([
    ["another name", { Permit: ACT_TYPES.Grant }],
    ["members in another order", { Grant: [second, first, ...rest] }],
    ["a member less", { Grant: [first, second] }],
    ["a member more", { Grant: [...ACT_TYPES.Grant, { name: "fee", type: "uint256" }] }],
    ["a wider member", { Grant: [first, second, { name: "grantee", type: "bytes" }, ...rest.slice(1)] }],
    ["no members", {}],
  ])("a type of %s", (_, types) => {
    const primaryType = Object.keys(types)[0] ?? "Grant";
    expect(refusal({ ...grant, types, primaryType })).toThrow(/does not know/);
  });

  test.each<[string, unknown]>([
    ["purposes", 2 ** 32],
    ["purposes", -1],
    ["purposes", 1.5],
    ["notAfter", (2n ** 40n).toString()],
    ["notAfter", "tomorrow"],
    ["actions", null],
    ["actions", "0x10000"],
    ["deadline", `0x1${"0".repeat(64)}`],
    ["grantee", "0x1234"],
    ["resource", `${brain}00`],
    ["patient", "Nora"],
    ["patient", vale.replace("9965507D1a", "9965507d1A")],
    ["resource", undefined],
  ])("a value that is none of its type: %s %j", (name, value) => {
    expect(refusal(typedData("Grant", { [name]: value }))).toThrow(UnreadableError);
  });

  test("a list that is none", () => {
    expect(refusal(typedData("GrantBatch", { resources: brain }))).toThrow(UnreadableError);
    expect(refusal(typedData("GrantBatch", { nonces: [1, "x"] }))).toThrow(UnreadableError);
  });

  test.each(["", "{", "null", "[]", '"Grant"', undefined, 7])(
    "what is no typed data at all: %j",
    (request) => {
      expect(refusal(request)).toThrow(UnreadableError);
    },
  );

  const data = encodeFunctionData({ abi, functionName: "grant", args: [brain, granteeOf(vale), terms] });
  const call = { chainId, to: consentLedger, data } as const;

  test.each<[string, object]>([
    ["of another contract", { to: stranger }],
    ["on another chain", { chainId: 1 }],
    ["of a function that nobody knows", { data: `0x12345678${data.slice(10)}` }],
    ["with nothing in it", { data: "0x" }],
    ["cut short", { data: data.slice(0, -2) }],
    ["with something behind it", { data: `${data}00` }],
    [
      "of the custodian's",
      { data: encodeFunctionData({ abi, functionName: "setOperator", args: [vale, true] }) },
    ],
  ])("a call %s", (_, changed) => {
    expect(() => matchCall(descriptors, { ...call, ...changed })).toThrow(UnreadableError);
  });

  test("a call whose lists are laid out so that they could be read in two ways", () => {
    const args = [patient, [brain], granteeOf(vale), terms] as const;
    const plain = encodeFunctionData({ abi, functionName: "grantBatch", args });
    // The list moved on by one word, and that word filled with something else.
    const [selector, body] = [plain.slice(0, 10), plain.slice(10)];
    const words = body.match(/.{64}/g) ?? [];
    words[1] = (5n * 32n).toString(16).padStart(64, "0");
    const shifted: Hex = `0x${[selector.slice(2), ...words.slice(0, 4), chest.slice(2), ...words.slice(4)].join("")}`;
    expect(() => matchCall(descriptors, { ...call, data: shifted })).toThrow(/more than the act/);
    expect(matchCall(descriptors, { ...call, data: plain }).format.intent).toBe("Share several");
  });
});
