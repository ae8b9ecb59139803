import { describe, expect, test } from "vitest";
import { grantsOf } from "../../app/features/exams/access.ts";
import type { GrantAt } from "../../app/features/exams/data.ts";
import {
  isHeldBy,
  ResourceMismatchError,
  resourceOf,
  revokedGranteeOf,
  revokedResourceOf,
} from "../../app/features/exams/verify.ts";
import type { Exam, ExamSeries } from "../../protocol/api.ts";
import {
  ALL_EXAMS_RESOURCE,
  blindedGrantee,
  examCommitment,
  examId,
  examsAtResource,
  granteeOf,
  newSalt,
  seriesCommitment,
  seriesResource,
  seriesSalt,
} from "../../protocol/ids.ts";

const patient = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";
const custodian = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const stranger = "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65";

function exam(studyInstanceUid: string): Exam {
  const salt = newSalt();
  const commitment = examCommitment(salt, studyInstanceUid);
  const id = examId({ custodian, patient, commitment });
  const series = [`${studyInstanceUid}.1`, `${studyInstanceUid}.2`].map((seriesInstanceUid): ExamSeries => {
    const ofSeries = seriesCommitment(seriesSalt(salt, seriesInstanceUid), seriesInstanceUid);
    return {
      seriesInstanceUid,
      seriesResource: seriesResource(id, ofSeries),
      seriesCommitment: ofSeries,
      modality: "MR",
      description: "",
      numberOfImages: 1,
    };
  });
  return {
    examId: id,
    relation: "owner",
    custodian: { address: custodian, name: "Riverside" },
    patient: { address: patient, name: "Fairwind^Nora", birthDate: null },
    commitment,
    studyInstanceUid,
    modalities: ["MR"],
    bodyPart: null,
    studyDate: null,
    description: null,
    numberOfImages: 2,
    series,
    picture: null,
    access: null,
  };
}

const parts = { patient, custodian };
const shown = exam("1.2.3");
const other = exam("1.2.4");
const [first] = shown.series as [ExamSeries, ...ExamSeries[]];
const [foreign] = other.series as [ExamSeries, ...ExamSeries[]];

test("the resource of an exam, and of a series, is what its parts make", () => {
  expect(resourceOf(shown, null, parts)).toBe(shown.examId);
  expect(resourceOf(shown, first.seriesInstanceUid, parts)).toBe(first.seriesResource);
});

test("how an address is cased makes no difference", () => {
  expect(resourceOf(shown, null, { patient: patient.toLowerCase(), custodian })).toBe(shown.examId);
});

describe("nothing is signed for", () => {
  const withFirst = (bent: Partial<ExamSeries>): Exam => ({ ...shown, series: [{ ...first, ...bent }] });
  test.each<[string, Exam, string | null]>([
    ["another exam's id", { ...shown, examId: other.examId }, null],
    ["another exam's commitment", { ...shown, commitment: other.commitment }, null],
    ["another patient's exam", { ...shown, patient: { ...shown.patient, address: stranger } }, null],
    ["another custodian's exam", { ...shown, custodian: { ...shown.custodian, address: stranger } }, null],
    ["a series that the exam does not list", shown, foreign.seriesInstanceUid],
    ["another exam's series", { ...shown, series: [foreign] }, foreign.seriesInstanceUid],
    [
      "a series that names a whole exam",
      withFirst({ seriesResource: other.examId }),
      first.seriesInstanceUid,
    ],
    [
      "a series with another's commitment",
      withFirst({ seriesCommitment: foreign.seriesCommitment }),
      first.seriesInstanceUid,
    ],
  ])("%s", (_, claimed, seriesInstanceUid) => {
    expect(() => resourceOf(claimed, seriesInstanceUid, parts)).toThrow(ResourceMismatchError);
  });
});

test("revoking a series revokes that series, also once the archive has it no more", () => {
  const { seriesInstanceUid, seriesResource: resource } = first;
  const grant = { covers: "series", resource, seriesInstanceUid } as const;
  expect(revokedResourceOf(shown, grant, parts)).toBe(resource);
  expect(revokedResourceOf({ ...shown, series: [] }, grant, parts)).toBe(resource);
  const whole = { covers: "exam", resource: shown.examId, seriesInstanceUid: null } as const;
  expect(revokedResourceOf(shown, whole, parts)).toBe(shown.examId);
});

test("revoking what is wider names a resource that the app computes, whatever the gateway names", () => {
  const wide = { resource: other.examId, seriesInstanceUid: null };
  expect(revokedResourceOf(null, { ...wide, covers: "all" }, parts)).toBe(ALL_EXAMS_RESOURCE);
  expect(revokedResourceOf(null, { ...wide, covers: "custodian" }, parts)).toBe(examsAtResource(custodian));
  expect(() => revokedResourceOf(null, { ...wide, covers: "exam" }, parts)).toThrow(ResourceMismatchError);
});

test("a revoke names the address that is shown, or a blinded grantee as the gateway names it", () => {
  const word = granteeOf(stranger);
  expect(revokedGranteeOf({ word, address: stranger })).toBe(word);
  expect(() => revokedGranteeOf({ word, address: patient })).toThrow(ResourceMismatchError);
  expect(() => revokedGranteeOf({ word, address: null })).toThrow(ResourceMismatchError);
  const blinded = blindedGrantee(stranger, newSalt());
  expect(revokedGranteeOf({ word: blinded, address: null })).toBe(blinded);
});

describe("a gateway's word", () => {
  test("counts for an exam of its own custodian's, by the exam's id", () => {
    expect(isHeldBy(shown, custodian)).toBe(true);
    expect(isHeldBy(shown, stranger)).toBe(false);
    expect(isHeldBy({ ...shown, commitment: other.commitment }, custodian)).toBe(false);
  });

  test("counts for no grant on another's exam", () => {
    const at = (account: string) => ({
      custodian: account,
      name: "",
      base: "",
      publicOrigin: "",
      dicomwebRoot: "",
      relay: false,
      emergencyAccess: null,
    });
    const told = (account: string): GrantAt => ({
      resource: shown.examId,
      covers: "exam",
      examId: shown.examId,
      seriesInstanceUid: null,
      grantee: { word: granteeOf(stranger), address: stranger, name: "Okafor^Amara", role: "Radiologist" },
      exceptions: [],
      period: { notBefore: 1, notAfter: 2 },
      purposes: ["TREAT"],
      actions: ["VIEW"],
      grantedAt: 1,
      state: "active",
      gateway: at(account) as GrantAt["gateway"],
    });
    const own = told(custodian);
    const holder = { exam: shown, gateway: own.gateway };
    expect(grantsOf(holder, [told(stranger), own])).toEqual([own]);
  });
});
