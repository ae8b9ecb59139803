import { describe, expect, test } from "vitest";
import {
  actionsInSentence,
  bodyPartInWords,
  distance,
  examTitle,
  imageCount,
  lookAlike,
  plainDate,
  purposeInWords,
  purposesInSentence,
  readAddress,
  seriesTitle,
  untilInWords,
} from "../../app/words/index.ts";
import { PURPOSES } from "../../protocol/terms.ts";

describe("dates", () => {
  test("a DICOM date is said in full, in either of the forms that archives hold", () => {
    expect(plainDate("19960611", "en-GB")).toBe("11 June 1996");
    expect(plainDate("1996.06.11", "en-GB")).toBe("11 June 1996");
    expect(plainDate("19960611", "de")).toBe("11. Juni 1996");
  });

  test.each([null, "", "1996", "19960230", "19961301", "June 1996", "199606111"])(
    "%o is no date, and none is made up",
    (da) => {
      expect(plainDate(da, "en-GB")).toBeNull();
    },
  );

  test("a period that ends at midnight covers the day before to its end", () => {
    const midnight = new Date(2027, 1, 1).getTime() / 1000;
    expect(untilInWords(midnight, { locale: "en-GB" })).toBe("until the end of 31 January 2027");
    expect(untilInWords(midnight + 3600, { locale: "en-GB" })).toBe("until 1 February 2027 at 01:00");
  });

  test("distances are said in the unit that fits", () => {
    const now = 1_800_000_000;
    expect(distance(now + 7 * 86_400 - 5, now, "en")).toBe("in 7 days");
    expect(distance(now + 3 * 3600, now, "en")).toBe("in 3 hours");
    expect(distance(now - 600, now, "en")).toBe("10 minutes ago");
    expect(distance(now + 30, now, "en")).toBe("in 30 seconds");
  });
});

describe("exams", () => {
  test("are called by what was done, and where", () => {
    expect(examTitle({ modalities: ["MR"], bodyPart: "BRAIN" })).toBe("MRI scan, brain");
    expect(examTitle({ modalities: ["CT"], bodyPart: null })).toBe("CT scan");
    expect(examTitle({ modalities: ["XA"], bodyPart: "HEADNECK" })).toBe("Angiogram, head and neck");
  });

  test("are not called by what comes along without pictures, unless there is nothing else", () => {
    expect(examTitle({ modalities: ["PT", "CT", "SR", "SEG"], bodyPart: null })).toBe("PET scan and CT scan");
    expect(examTitle({ modalities: ["SR"], bodyPart: null })).toBe("Written report");
  });

  test("of a kind that nobody foresaw keep their code; those without one are still called something", () => {
    expect(examTitle({ modalities: ["XYZ"], bodyPart: "LEFT_KNEE" })).toBe("XYZ, left knee");
    expect(examTitle({ modalities: [], bodyPart: "" })).toBe("Images");
    expect(bodyPartInWords("  ")).toBeNull();
  });

  test("count their images, and name their series", () => {
    expect([0, 1, 1920].map((count) => imageCount(count, "en"))).toEqual([
      "No images",
      "1 image",
      "1,920 images",
    ]);
    expect(seriesTitle({ modality: "MR", description: " " })).toBe("MRI scan");
    expect(seriesTitle({ modality: "MR", description: "T1_MPRAGE^axial" })).toBe("T1 MPRAGE axial");
  });
});

describe("terms", () => {
  test("every purpose has words for both sides, no two the same", () => {
    const words = PURPOSES.map(purposeInWords);
    for (const side of ["label", "inSentence", "signIn"] as const) {
      expect(new Set(words.map((each) => each[side])).size).toBe(PURPOSES.length);
    }
    expect(words.every(({ explanation }) => explanation.length > 0)).toBe(true);
  });

  test("several are joined as in speech", () => {
    expect(purposesInSentence(["TREAT", "HRESCH"])).toBe("for treatment and for research");
    expect(actionsInSentence(["VIEW", "DOWNLOAD"])).toBe("look at and download");
  });
});

describe("a pasted address", () => {
  const checksummed = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

  test("is taken in its checksummed form alone", () => {
    expect(readAddress(` ${checksummed} `)).toEqual({ kind: "address", address: checksummed });
    expect(readAddress(checksummed.toLowerCase())).toEqual({ kind: "no-checksum" });
    expect(readAddress(`0x${checksummed.slice(2).toUpperCase()}`)).toEqual({ kind: "no-checksum" });
    expect(readAddress(checksummed.replace("5aA", "5Aa"))).toEqual({ kind: "wrong-checksum" });
    expect(readAddress(`${checksummed}0`)).toEqual({ kind: "not-an-address" });
    expect(readAddress("vitalik.eth")).toEqual({ kind: "not-an-address" });
    expect(readAddress("  ")).toEqual({ kind: "empty" });
  });

  test("of digits alone has nothing to checksum", () => {
    const digits = "0x1234567890123456789012345678901234567890";
    expect(readAddress(digits)).toEqual({ kind: "address", address: digits });
  });

  test("that agrees with a known one at both ends, where people look, is told apart from it", () => {
    const twin = `${checksummed.slice(0, 6)}${"1".repeat(32)}${checksummed.slice(-4)}`;
    expect(lookAlike(twin, [checksummed])).toBe(checksummed);
    expect(lookAlike(checksummed.toLowerCase(), [checksummed])).toBeNull();
    expect(lookAlike("0x1234567890123456789012345678901234567890", [checksummed])).toBeNull();
  });
});
