import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../protocol/errors.ts";
import { type Hex, type Kind, TAGS } from "../../protocol/hash.ts";
import {
  ALL_EXAMS_RESOURCE,
  addressOfGrantee,
  blindedGrantee,
  examCommitment,
  examId,
  examsAtResource,
  granteeOf,
  newSalt,
  pointerLeaf,
  seriesCommitment,
  seriesResource,
  seriesSalt,
} from "../../protocol/ids.ts";
import { isUid } from "../../protocol/uid.ts";

const SALT = `0x${"5a".repeat(32)}` as const;
const STUDY = "1.2.840.113619.2.1";
const CUSTODIAN = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const PATIENT = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";

const salts = () =>
  fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((bytes): Hex => `0x${Buffer.from(bytes).toString("hex")}`);
const uids = () =>
  fc
    .array(fc.integer({ min: 0, max: 99_999 }), { minLength: 1, maxLength: 10 })
    .map((parts) => parts.join("."));

describe("known answers", () => {
  it("pins every tag", () => {
    expect(TAGS).toMatchInlineSnapshot(`
      {
        "ALL_EXAMS": "0x5b9f5aaf7cbf2dfed3d7f9ede3502461eb8929e44f691fe1ee8a1cd0b316188a",
        "ENVELOPE": "0x4dc0704534c1a9fea02501f2e88542da2cfefb90bca8e1ac6c5548abe08ccf2f",
        "ENVELOPE_KEY": "0xb849b7d511bd5372c6b54d6b5670107908c9e2fd407389f13c3f0ffdb99d4847",
        "ENVELOPE_LOCK": "0xaa51245012a64b85ee9ed6901bc651fbe91b53b9442867c40b5c737adf4404a0",
        "EXAM": "0xb59a3cc97e08c4463b2a91d965f766a71effdf0cc87422069683c3418c5a6fd7",
        "EXAMS_AT": "0x22fe5d4ada13bc1433889b516c18f1d6388eb2a373a13b864aec6e083335f643",
        "GRANTEE": "0x0bffb3937b371141ca11f8b2bb87739f5d60a8f36e293e239668d457efcb61bf",
        "LEAF": "0x925090392c3baa56c6086e04466192ca62e6873e0ff885fd642f4b4bcc04eea1",
        "LEAF_SALT": "0x3cec37966f5f203d26d913a6dbc543226ead41512f6db154a7d33ba331010333",
        "NODE": "0x11076e62ae33b55b50e639e656df95907e48ced70585fb40f70a817899aeeb0b",
        "PATIENT_ID": "0x3ae89840a8e2f2a84ea65e2fa5612c3394f103e6f3210dd586ef82324d834b40",
        "POINTER": "0x71231956ebbb61b269a4d1d61f271710fbc714f5adf7e6bc8f6f0bfc52bb2aa0",
        "RECEIPT": "0x034f02a8b09b4d594aac8b7ad5c9f368f3c6aca67c607adb8dc6925275180837",
        "RECEIPT_BODY": "0x55c917dcd35369535c75c602d0d8fe2a75b46b8f88b84b061426561ec30b4d16",
        "RECEIPT_NODE": "0x6b72f568bb127a8a57cdc26e63d6557bb938458b010f89c0d00e7010de315dfb",
        "SERIES": "0x8921ffb6f4f3bc82f578c76a705e85a1303e6a6ed954f210f9d31436d1fc36c2",
        "SERIES_COMMITMENT": "0x928ff6e28dfc75b13f9071662d012fbcbdc65e4c651119bf74fb5141e7f306d0",
        "SERIES_SALT": "0xd3a7d9b016730bd41579cda6972e7ac9f6318700580ad1eda7be9cef7b8cd0eb",
        "STUDY": "0xba2b0fdc0ba776e01fd2314678ec2abb507cac439a07ff406811b8c7c5ede4f6",
      }
    `);
  });

  it("pins the ids of one exam", () => {
    const commitment = examCommitment(SALT, STUDY);
    const exam = examId({ custodian: CUSTODIAN, patient: PATIENT, commitment });
    const salt = seriesSalt(SALT, `${STUDY}.7`);
    const ofSeries = seriesCommitment(salt, `${STUDY}.7`);
    expect({
      commitment,
      exam,
      salt,
      ofSeries,
      series: seriesResource(exam, ofSeries),
    }).toMatchInlineSnapshot(`
      {
        "commitment": "0xb4dc9f4ce82200fa62cc7b30284ee777490518b0fa0ef6463930e73437b402a9",
        "exam": "0x20814aa9500f573c834fe286ae13ebd3b8e951856715e7cc2b51530e9464cf3e",
        "ofSeries": "0xe624bc35b1d308a4dab5071d94c44646f9ce02339c2d0b0f3166db00364d85d9",
        "salt": "0x60bbf47c4b96b96ad39b9037e076e98eee23ec50223527725e6a51c85265e262",
        "series": "0x6f66d0ccbc37205bc67213da37df5386c04064c4f15606041cc264e28b251bcf",
      }
    `);
  });

  it("pins what is wider than an exam, a blinded grantee and a leaf of a batch", () => {
    expect({
      atCustodian: examsAtResource(CUSTODIAN),
      all: ALL_EXAMS_RESOURCE,
      grantee: blindedGrantee(PATIENT, SALT),
      pointer: pointerLeaf(SALT, `0x${"a5".repeat(32)}`),
    }).toMatchInlineSnapshot(`
      {
        "all": "0xb25b738da6350c7df23560a8da4b47ae953a9540207cc87dd03a67e6cc9a3c2e",
        "atCustodian": "0x672bccbb8bab23c32715bce3d423bc42d6ca85eb6d56dc3a563ceb8962e90338",
        "grantee": "0x77d428e861910a63180d0ca7fffb716c40b7928f5a8a2b740f81970cfa90a085",
        "pointer": "0xa86434a55e9c03bd9239032f592238dc32764c78e690862f12be0421d90fdd96",
      }
    `);
  });

  it("pads an address to a grantee", () => {
    expect(granteeOf(PATIENT)).toBe(`0x000000000000000000000000${PATIENT.slice(2).toLowerCase()}`);
  });
});

describe("the address of a grantee", () => {
  it("is what was padded", () => {
    expect(addressOfGrantee(granteeOf(PATIENT))).toBe(PATIENT.toLowerCase());
  });

  it.each([
    ["a blinded grantee", blindedGrantee(PATIENT, SALT)],
    [
      "a word with one digit before the address",
      granteeOf(PATIENT).replace("0x000000000000000000000000", "0x000000000000000000000001"),
    ],
    ["an address alone", PATIENT],
  ])("is not made out of %s", (_, word) => {
    expect(addressOfGrantee(word)).toBeNull();
  });
});

describe("ids", () => {
  it("differ wherever salt or UID differ", () => {
    fc.assert(
      fc.property(salts(), salts(), uids(), uids(), (saltA, saltB, uidA, uidB) => {
        const same = saltA === saltB && uidA === uidB;
        expect(examCommitment(saltA, uidA) === examCommitment(saltB, uidB)).toBe(same);
        expect(seriesSalt(saltA, uidA) === seriesSalt(saltB, uidB)).toBe(same);
      }),
    );
  });

  it("of one kind never pass for another's: of the same parts they are different words", () => {
    fc.assert(
      fc.property(salts(), uids(), (salt, uid) => {
        const words = [
          examCommitment(salt, uid),
          seriesSalt(salt, uid),
          seriesCommitment(salt, uid),
          seriesResource(salt, examCommitment(salt, uid)),
          pointerLeaf(salt, examCommitment(salt, uid)),
          examsAtResource(PATIENT),
          granteeOf(PATIENT),
          blindedGrantee(PATIENT, salt),
          ALL_EXAMS_RESOURCE,
        ];
        expect(new Set(words).size).toBe(words.length);
      }),
    );
  });

  it("are unlike for every kind", () => {
    const kinds = Object.keys(TAGS) as Kind[];
    expect(new Set(kinds.map((kind) => TAGS[kind])).size).toBe(kinds.length);
  });

  it("do not depend on how an address is written", () => {
    const commitment = examCommitment(SALT, STUDY);
    expect(examId({ custodian: CUSTODIAN.toLowerCase(), patient: PATIENT.toLowerCase(), commitment })).toBe(
      examId({ custodian: CUSTODIAN, patient: PATIENT, commitment }),
    );
    expect(examsAtResource(CUSTODIAN.toLowerCase())).toBe(examsAtResource(CUSTODIAN));
    expect(blindedGrantee(PATIENT.toLowerCase(), SALT)).toBe(blindedGrantee(PATIENT, SALT));
  });

  it("blind a grantee anew with each salt", () => {
    fc.assert(
      fc.property(salts(), salts(), (saltA, saltB) => {
        expect(blindedGrantee(PATIENT, saltA) === blindedGrantee(PATIENT, saltB)).toBe(saltA === saltB);
        expect(blindedGrantee(PATIENT, saltA)).not.toBe(blindedGrantee(CUSTODIAN, saltA));
      }),
    );
  });

  it("salts are 32 fresh bytes", () => {
    const salts = new Set(Array.from({ length: 100 }, newSalt));
    expect(salts.size).toBe(100);
    for (const salt of salts) expect(salt).toMatch(/^0x[0-9a-f]{64}$/);
  });
});

describe("refused", () => {
  it.each([
    ["invalid-uid", () => examCommitment(SALT, "")],
    ["invalid-uid", () => examCommitment(SALT, "1..2")],
    ["invalid-uid", () => examCommitment(SALT, `1.${"2".repeat(63)}`)],
    ["invalid-uid", () => seriesSalt(SALT, "1.2/../3")],
    ["invalid-uid", () => seriesCommitment(SALT, "1.2\n")],
    ["invalid-hex", () => examCommitment("0x12", STUDY)],
    ["invalid-hex", () => seriesResource(SALT, `0x${"zz".repeat(32)}`)],
    ["invalid-address", () => granteeOf("0x1234")],
    ["invalid-address", () => granteeOf(SALT)],
    ["invalid-address", () => blindedGrantee("0x1234", SALT)],
    ["invalid-hex", () => blindedGrantee(PATIENT, "0x12")],
    ["invalid-address", () => examsAtResource(SALT)],
    ["invalid-hex", () => pointerLeaf(SALT, "0x12")],
    ["invalid-address", () => examId({ custodian: CUSTODIAN, patient: "", commitment: SALT })],
  ])("%s: %s", (code, act) => {
    expect(act).toThrow(ProtocolError);
    expect(act).toThrow(expect.objectContaining({ code }));
  });
});

describe("isUid", () => {
  it.each(["1", "1.2.840.10008.1.2", "0.0", "1.02.3", `1.${"2".repeat(62)}`])("takes %s", (uid) => {
    expect(isUid(uid)).toBe(true);
  });

  it.each([
    "",
    ".",
    "1.",
    ".1",
    "1..2",
    "1.a",
    " 1",
    "1 ",
    "1\n",
    "1\\2",
    "٣.١",
    "%2e",
    `1.${"2".repeat(63)}`,
  ])("refuses %j", (uid) => {
    expect(isUid(uid)).toBe(false);
  });
});
