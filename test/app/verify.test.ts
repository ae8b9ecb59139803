import { describe, expect, test } from "vitest";
import { ResourceMismatchError, resourceOf } from "../../app/features/exams/verify.ts";
import type { Exam, ExamSeries } from "../../protocol/api.ts";
import {
  examCommitment,
  examId,
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
  expect(resourceOf(shown, first, parts)).toBe(first.seriesResource);
});

test("how an address is cased makes no difference", () => {
  expect(resourceOf(shown, null, { patient: patient.toLowerCase(), custodian })).toBe(shown.examId);
});

describe("nothing is signed for", () => {
  test.each<[string, Exam, ExamSeries | null]>([
    ["another exam's id", { ...shown, examId: other.examId }, null],
    ["another exam's commitment", { ...shown, commitment: other.commitment }, null],
    ["another patient's exam", { ...shown, patient: { ...shown.patient, address: stranger } }, null],
    ["another custodian's exam", { ...shown, custodian: { ...shown.custodian, address: stranger } }, null],
    ["another exam's series", shown, foreign],
    ["a series that names a whole exam", shown, { ...first, seriesResource: other.examId }],
    ["a series with another's commitment", shown, { ...first, seriesCommitment: foreign.seriesCommitment }],
  ])("%s", (_, claimed, series) => {
    expect(() => resourceOf(claimed, series, parts)).toThrow(ResourceMismatchError);
  });
});
