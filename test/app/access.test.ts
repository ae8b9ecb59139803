/** Who can see an exam, as the app gathers it from what gateways tell. */
import { describe, expect, test } from "vitest";
import {
  accessOf,
  coveredInWords,
  granteeName,
  grantsOf,
  isChangeable,
  wideGrantsOf,
} from "../../app/features/exams/access.ts";
import type { ExamAt, GrantAt } from "../../app/features/exams/data.ts";
import type { Hex } from "../../protocol/hash.ts";
import {
  ALL_EXAMS_RESOURCE,
  blindedGrantee,
  examsAtResource,
  granteeOf,
  newSalt,
} from "../../protocol/ids.ts";

const custodian = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const elsewhere = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";
const reader = "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65";
const examId: Hex = `0x${"e1".repeat(32)}`;
const seriesResource: Hex = `0x${"5e".repeat(32)}`;

const gatewayOf = (account: string) =>
  ({ custodian: account, name: "Riverside", base: account }) as GrantAt["gateway"];
const at = {
  exam: {
    examId,
    custodian: { address: custodian, name: "Riverside" },
    series: [{ seriesInstanceUid: "1.2.3", seriesResource, modality: "MR", description: "T2" }],
  },
  gateway: gatewayOf(custodian),
} as ExamAt;

const plain = { word: granteeOf(reader), address: reader, name: "Dr. Imani Vale", role: "Radiologist" };

function grant(bent: Partial<GrantAt>): GrantAt {
  return {
    resource: examsAtResource(custodian),
    covers: "custodian",
    examId: null,
    seriesInstanceUid: null,
    exceptions: [],
    grantee: plain,
    period: { notBefore: 1, notAfter: 2 },
    purposes: ["TREAT"],
    actions: ["VIEW"],
    grantedAt: 1,
    state: "active",
    gateway: at.gateway,
    ...bent,
  };
}

const everything = { resource: ALL_EXAMS_RESOURCE, covers: "all" } as const;

describe("a wide grant", () => {
  test("is listed under each exam that it takes in", () => {
    expect(grantsOf(at, [grant({}), grant(everything)])).toHaveLength(2);
  });

  test.each([
    ["the exam", examId],
    ["the custodian", examsAtResource(custodian)],
  ])("is not listed under an exam where %s is kept out of it", (_, exception) => {
    expect(grantsOf(at, [grant({ ...everything, exceptions: [exception] })])).toEqual([]);
  });

  test("is listed under an exam of which a series is kept out, and says so", () => {
    const [shown] = grantsOf(at, [grant({ exceptions: [seriesResource] })]);
    expect(shown && coveredInWords(shown, at.exam)).toBe(
      "all your exams at Riverside, later ones too, but not “T2”",
    );
  });

  test("counts under an exam by the word of the gateway that holds it alone", () => {
    expect(grantsOf(at, [grant({ ...everything, gateway: gatewayOf(elsewhere) })])).toEqual([]);
  });

  test("on everything is listed once, whoever tells of it; one that has ended is not", () => {
    const told = [grant(everything), grant({ ...everything, gateway: gatewayOf(elsewhere) })];
    expect(wideGrantsOf([...told, grant({ state: "revoked" })])).toHaveLength(1);
  });

  test("cannot be changed in place, and neither can one to a blinded grantee", () => {
    const narrow = { covers: "exam", resource: examId, examId } as const;
    const hidden = { ...plain, word: blindedGrantee(reader, newSalt()) };
    expect(isChangeable(grant({}))).toBe(false);
    expect(isChangeable(grant({ ...narrow, grantee: hidden }))).toBe(false);
    expect(isChangeable(grant(narrow))).toBe(true);
  });
});

describe("a blinded grantee", () => {
  const word = blindedGrantee(reader, newSalt());

  test("is one person with their address, where that is known", () => {
    const people = accessOf([grant({}), grant({ ...everything, grantee: { ...plain, word } })]);
    expect(people.map(({ name, current }) => [name, current.length])).toEqual([["Dr. Imani Vale", 2]]);
  });

  test("is somebody under a hidden name, where it is not", () => {
    const hidden = { word, address: null, name: null, role: null };
    expect(granteeName(hidden)).toBe("Somebody under a hidden name");
    const [one] = accessOf([grant({ grantee: hidden })]);
    expect(one).toMatchObject({ id: word, address: null, enrolled: false });
  });
});
