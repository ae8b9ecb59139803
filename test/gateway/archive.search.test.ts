/** What a search matches (PS3.4 section C.2.2.2), and what of a query string is refused. */
import { describe, expect, it } from "vitest";
import type { DicomDataset } from "../../gateway/archive/dicomJson.ts";
import { matches, readSearch } from "../../gateway/archive/search.ts";

const STUDY: DicomDataset = {
  "00080020": { vr: "DA", Value: ["20240229"] },
  "00080030": { vr: "TM", Value: ["091156.5"] },
  "00080050": { vr: "SH" },
  "00080061": { vr: "CS", Value: ["CT", "SR"] },
  "00100010": { vr: "PN", Value: [{ Alphabetic: "Müller^Anna", Ideographic: "山田^太郎" }] },
  "00100020": { vr: "LO", Value: ["A*1"] },
  "0020000D": { vr: "UI", Value: ["1.2.3"] },
  "00201206": { vr: "IS", Value: [2] },
};

function found(query: string, dataset = STUDY): boolean {
  return matches(dataset, readSearch(new URLSearchParams(query), "study").keys);
}

describe("a search", () => {
  it.each([
    "StudyDate=20240229",
    "StudyDate=20240101-20240301",
    "StudyDate=20240229-20240229",
    "StudyDate=20240101-",
    "StudyDate=-20240229",
    "StudyTime=0900-0912",
    "ModalitiesInStudy=SR",
    "PatientName=müller*",
    "PatientName=MÜLLER^ANNA",
    "PatientName=*太郎",
    "PatientID=A*1",
    "PatientID=A%2A?",
    "StudyInstanceUID=1.2.3",
    "StudyInstanceUID=1.2,1.2.3",
    "StudyInstanceUID=1.2\\1.2.3",
    "NumberOfStudyRelatedSeries=2",
    "AccessionNumber=",
    "0020000d=1.2.3&PatientID=",
  ])("finds by %s", (query) => expect(found(query)).toBe(true));

  it.each([
    "StudyDate=20240228",
    "StudyDate=20240301-",
    "StudyDate=-20240228",
    "StudyTime=0912-",
    "ModalitiesInStudy=MR",
    "ModalitiesInStudy=ct",
    "PatientName=müller",
    "PatientID=a*1",
    "PatientID=A",
    "StudyInstanceUID=1.2",
    "StudyInstanceUID=1.2.3.4",
    "NumberOfStudyRelatedSeries=3",
    "AccessionNumber=*1",
    "IssuerOfPatientID=X",
    "PatientID=A*1&StudyDate=20240228",
  ])("does not find by %s", (query) => expect(found(query)).toBe(false));

  it("understands dates and times as old files write them", () => {
    const old = {
      "00080020": { vr: "DA", Value: ["1996.06.11"] },
      "00080030": { vr: "TM", Value: ["09:11:56"] },
    };
    expect(found("StudyDate=19960611", old)).toBe(true);
    expect(found("StudyTime=0911-0912", old)).toBe(true);
  });

  it("takes no longer for a pattern of many stars", () => {
    const dataset = { "00100020": { vr: "LO", Value: ["a".repeat(1000)] } };
    expect(found(`PatientID=${"*a".repeat(400)}*b`, dataset)).toBe(false);
  });

  it.each([
    "SeriesInstanceUID=1.2",
    "Rows=1",
    "00280010=1",
    "PixelData=1",
    "__proto__=1",
    "constructor=1",
    "PatientID=1&PatientID=1",
    "PatientID=1&00100020=2",
    "limit=1.5",
    "limit=-1",
    "offset=x",
    "limit=99999999999",
    `PatientID=${"x".repeat(2000)}`,
    "includefield=constructor",
  ])("refuses %s", (query) => {
    expect(() => found(query)).toThrow(expect.objectContaining({ reason: "malformed-request" }));
  });

  it.each(["StudyInstanceUID=x", "StudyInstanceUID=1.2,", "StudyInstanceUID=1..2", "0020000D=../1"])(
    "refuses %s, which holds no UID",
    (query) => expect(() => found(query)).toThrow(expect.objectContaining({ reason: "malformed-uid" })),
  );

  it("reads fields, limit and offset", () => {
    const query =
      "includefield=StudyDescription,00080060&includefield=PatientAge&limit=5&offset=10&fuzzymatching=true";
    expect(readSearch(new URLSearchParams(query), "study")).toEqual({
      keys: [],
      includeFields: ["00081030", "00080060", "00101010"],
      limit: 5,
      offset: 10,
    });
    expect(readSearch(new URLSearchParams("includefield=all"), "study").includeFields).toBe("all");
  });
});
