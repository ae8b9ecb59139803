import { Ajv2020 } from "ajv/dist/2020.js";
import { FunctionFragment, Interface, type ParamType, TypedDataEncoder, type TypedDataField } from "ethers";
import fc from "fast-check";
import { isAddress } from "viem";
import { describe, expect, it, test } from "vitest";
import { consentLedgerAbi } from "../../protocol/abi/consentLedger.ts";
import {
  calldataDescriptor,
  type Descriptor,
  eip712Descriptor,
  emergencyDescriptor,
} from "../../protocol/clearSigning/descriptor.ts";
import { ENUMS } from "../../protocol/clearSigning/enums.ts";
import { fieldOfPath, fieldsOfCall, fieldsOfStruct } from "../../protocol/clearSigning/fields.ts";
import { EMERGENCY_REASONS } from "../../protocol/reasons.ts";
import { ACTIONS, LATEST, PURPOSES, packTerms, purposesToMask } from "../../protocol/terms.ts";
import { ACT_TYPES, EMERGENCY_TYPES } from "../../protocol/typedData.ts";
import schema from "./erc7730-v2.schema.json" with { type: "json" };

const CHAIN = 31337;
const LEDGER = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512";
const EMERGENCY = "0x5FC8d32690cc91D4c39d9d3abcBD16989F875707";

const messages = eip712Descriptor({ chainId: CHAIN, consentLedger: LEDGER });
const calls = calldataDescriptor({ chainId: CHAIN, consentLedger: LEDGER });
const emergencies = emergencyDescriptor({ chainId: CHAIN, emergencyAccess: EMERGENCY });
const all: [string, Descriptor][] = [
  ["messages", messages],
  ["calls", calls],
  ["emergencies", emergencies],
];

/** What the custodian's keys send; it is no patient's act, and has no words here. */
const OF_CUSTODIANS = ["amend", "claim", "register", "registerBatch", "retire", "setOperator"];

const formatsOf = ({ display }: Descriptor) => Object.entries(display.formats);
const isShown = ({ visible }: { visible?: string }) => visible !== "never";

/** Paths of a function's parameters, tuples taken apart, as ethers reads the descriptor's own key. */
function leaves(inputs: readonly ParamType[], parent = ""): string[] {
  return inputs.flatMap((input) =>
    input.components ? leaves(input.components, `${input.name}.`) : [parent + input.name],
  );
}

describe("the standard (ERC-7730, version 2)", () => {
  const ajv = new Ajv2020({
    strict: true,
    strictTypes: false,
    strictRequired: false,
    formats: {
      "uri-reference": true,
      "date-time": true,
      uri: (text) => URL.canParse(text),
      eip55: (text) => isAddress(text, { strict: true }) && text !== text.toLowerCase(),
      eip155: { type: "number", validate: (id) => Number.isSafeInteger(id) && id > 0 },
    },
  });
  const validate = ajv.compile(schema);

  it.each(all)("takes the descriptor of %s", (_, descriptor) => {
    validate(JSON.parse(JSON.stringify(descriptor)));
    expect(validate.errors).toBeNull();
  });

  it("takes one with a publisher, and would refuse a wrong one", () => {
    const publisher = { owner: "Riverside Hospital", url: "https://riverside.example/examkey" };
    const named = eip712Descriptor({ chainId: CHAIN, consentLedger: LEDGER }, publisher);
    expect(named.metadata).toMatchObject({ owner: publisher.owner, info: { url: publisher.url } });
    expect(validate(named)).toBe(true);

    const [key = "", format] = formatsOf(messages)[0] ?? [];
    const withFormat = (changed: object) => ({
      ...messages,
      display: { formats: { [key]: { ...format, ...changed } } },
    });
    for (const wrong of [
      { ...messages, context: { ...messages.context, contract: { deployments: [] } } },
      { ...messages, owner: "ExamKey" },
      eip712Descriptor({ chainId: 0, consentLedger: LEDGER }),
      eip712Descriptor({ chainId: CHAIN, consentLedger: "0xe7f1725e7734ce288f8367e1bb143e90bb3f0512" }),
      withFormat({ intent: undefined }),
      withFormat({ fields: [{ path: "grantee", label: "With", format: "bitmask" }] }),
      withFormat({ fields: [{ path: "deadline", label: "Until", format: "date", params: {} }] }),
    ]) {
      expect(validate(JSON.parse(JSON.stringify(wrong)))).toBe(false);
    }
  });

  it.each(all)("has %s said in letters that every screen has", (_, { metadata, display }) => {
    const words = [
      ...Object.values(metadata.enums).flatMap((table) => Object.values(table ?? {})),
      ...Object.values(display.formats).flatMap(({ intent, interpolatedIntent, fields }) => [
        intent,
        interpolatedIntent,
        ...fields.map(({ label }) => label),
      ]),
    ];
    expect(words.filter((text) => !/^[\x20-\x7e]+$/.test(text))).toEqual([]);
  });
});

describe("a descriptor is for one deployment", () => {
  test("of the ledger", () => {
    const deployments = [{ chainId: CHAIN, address: LEDGER }];
    expect(messages.context).toMatchObject({
      eip712: { domain: { name: "ExamKey", version: "1" }, deployments },
    });
    expect(calls.context).toMatchObject({ contract: { deployments } });
  });

  test("of the emergencies, which have a domain of their own", () => {
    expect(emergencies.context).toMatchObject({
      eip712: {
        domain: { name: "ExamKey EmergencyAccess", version: "1" },
        deployments: [{ chainId: CHAIN, address: EMERGENCY }],
      },
    });
  });
});

describe("every act has words", () => {
  const types: Record<string, readonly TypedDataField[]> = { ...ACT_TYPES, ...EMERGENCY_TYPES };

  test("as a message, under the type that is hashed", () => {
    const encoded = (name: string) =>
      TypedDataEncoder.from({ [name]: [...(types[name] ?? [])] }).encodeType(name);
    expect(formatsOf(messages).map(([key]) => key)).toEqual(Object.keys(ACT_TYPES).map(encoded));
    expect(formatsOf(emergencies).map(([key]) => key)).toEqual(Object.keys(EMERGENCY_TYPES).map(encoded));
  });

  test("as a call, under the selector that is called; all else is the custodian's", () => {
    const selectors = formatsOf(calls).map(([key]) => FunctionFragment.from(`function ${key}`).selector);
    const wordless: string[] = [];
    new Interface(consentLedgerAbi).forEachFunction(({ name, selector, stateMutability }) => {
      if (stateMutability !== "view" && !selectors.includes(selector)) wordless.push(name);
    });
    expect(wordless.toSorted()).toEqual(OF_CUSTODIANS);
    expect(selectors).toHaveLength(2 * Object.keys(ACT_TYPES).length);
  });

  test("that no two acts share, but for the two ways of each to be sent", () => {
    expect(new Set(formatsOf(messages).map(([, { intent }]) => intent)).size).toBe(
      Object.keys(ACT_TYPES).length,
    );
    for (const [key, { intent }] of formatsOf(calls)) {
      const act = key.replace(/(BySig)?\(.*$/, "").toLowerCase();
      const signed = formatsOf(messages).find(([type]) => type.toLowerCase().startsWith(`${act}(`));
      expect(signed?.[1].intent).toBe(intent);
    }
  });
});

describe("every field is shown, or left out for a reason", () => {
  test.each([...formatsOf(messages), ...formatsOf(emergencies)])("of %s", (key, { fields }) => {
    const [, members = ""] = /^\w+\((.*)\)$/.exec(key) ?? [];
    const wanted = members.split(",").map((member) => {
      const [type = "", name = ""] = member.split(" ");
      return type.endsWith("[]") ? `${name}.[]` : name;
    });
    expect(fields.map(({ path }) => path).toSorted()).toEqual(wanted.toSorted());
    const hidden = fields.filter((field) => !isShown(field));
    expect(hidden.every(({ $id }) => $id !== undefined && $id.length > 20)).toBe(true);
    const names = hidden.map(({ path }) => fieldOfPath(path));
    expect(["patient", "badge", "nonce", "nonces", "epoch", "count"]).toEqual(expect.arrayContaining(names));
  });

  test.each(formatsOf(calls))("of %s", (key, { fields }) => {
    const wanted = leaves(FunctionFragment.from(`function ${key}`).inputs).toSorted();
    const named = fields.map(({ path }) => path.replace(/\.\[.*$/, ""));
    expect([...new Set(named)].toSorted()).toEqual(wanted);
    const hidden = fields.filter((field) => !isShown(field)).map(({ path }) => path);
    expect(["nonce", "nonces.[]", "epoch", "by.signature", "terms.[0:16]"]).toEqual(
      expect.arrayContaining(hidden),
    );
  });

  test.each([...formatsOf(messages), ...formatsOf(calls), ...formatsOf(emergencies)])(
    "and the sentence of %s says all that is shown, and nothing else",
    (_, { interpolatedIntent, fields }) => {
      const said = [...interpolatedIntent.matchAll(/\{([^}]+)\}/g)].map(([, path]) => path);
      const shown = fields.filter(isShown).map(({ path }) => path);
      expect([...new Set(said)].toSorted()).toEqual(shown.toSorted());
    },
  );

  test("and a field that nobody thought of is an error, not a gap", () => {
    expect(() => fieldsOfStruct([{ name: "surprise", type: "bytes32" }])).toThrow(/surprise/);
    expect(() => fieldsOfStruct([{ name: "terms", type: "uint256" }])).toThrow(/terms/);
    expect(() => fieldsOfCall([{ name: "surprise", type: "bytes32" }])).toThrow(/surprise/);
    expect(() => fieldsOfCall([{ name: "toString", type: "bytes32" }])).toThrow(/toString/);
  });
});

describe("the terms in their word", () => {
  const slices = fieldsOfCall([{ name: "terms", type: "uint256" }]).map(({ name, format }) => {
    const [, start, end] = /^terms\.\[(\d+):(\d+)\]$/.exec(format.path) ?? [];
    return { name, start: Number(start), end: Number(end) };
  });

  it("are taken apart without a gap or an overlap", () => {
    const inOrder = slices.toSorted((one, other) => one.start - other.start);
    expect(inOrder.map(({ start, end }) => [start, end])).toEqual([
      [0, 16],
      [16, 18],
      [18, 22],
      [22, 27],
      [27, 32],
    ]);
  });

  it("are each where they were packed", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: LATEST }), { minLength: 2, maxLength: 2 }),
        fc.subarray([...PURPOSES], { minLength: 1 }),
        fc.subarray([...ACTIONS], { minLength: 1 }),
        (period, purposes, actions) => {
          const [notBefore = 0, notAfter = 0] = period.toSorted((one, other) => one - other);
          const word = packTerms({ notBefore, notAfter, purposes, actions }).toString(16).padStart(64, "0");
          const read = slices.map(({ name, start, end }) => [
            name,
            BigInt(`0x${word.slice(2 * start, 2 * end)}`),
          ]);
          expect(Object.fromEntries(read)).toEqual({
            terms: 0n,
            notBefore: BigInt(notBefore),
            notAfter: BigInt(notAfter),
            purposes: BigInt(purposesToMask(purposes)),
            actions: BigInt(actions.reduce((mask, action) => mask | (1 << ACTIONS.indexOf(action)), 0)),
          });
        },
      ),
    );
  });
});

describe("the tables", () => {
  it("name every set of actions", () => {
    expect(ENUMS.actions).toEqual({
      1: "look at",
      2: "download",
      3: "look at and download",
      4: "pass on",
      5: "look at and pass on",
      6: "download and pass on",
      7: "look at, download, and pass on",
    });
  });

  it("name every set of up to three purposes, and all four that are offered at once", () => {
    const size = (mask: number) => mask.toString(2).replaceAll("0", "").length;
    const masks = Object.keys(ENUMS.purposes).map(Number);
    expect(masks.filter((mask) => size(mask) > 3)).toEqual([15]);
    // 12 single ones, 66 pairs, 220 of three.
    expect(masks.filter((mask) => size(mask) <= 3)).toHaveLength(12 + 66 + 220);
    expect(ENUMS.purposes[1]).toBe("for treatment");
    expect(ENUMS.purposes[0b1001]).toBe("for treatment and for research");
    expect(ENUMS.purposes[15]).toBe("for treatment, for emergency treatment, for payment, and for research");
  });

  it("name every reason for an emergency by its position", () => {
    expect(Object.keys(ENUMS.emergencyReasons)).toEqual(EMERGENCY_REASONS.map((_, index) => String(index)));
  });
});
