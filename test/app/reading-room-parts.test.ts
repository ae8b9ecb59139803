/** The reading room's reckoning, where no picture is needed to judge it. */
import { describe, expect, test } from "vitest";
import { type Instance, personName } from "../../app/features/reading-room/dicomJson.ts";
import { failureOf } from "../../app/features/reading-room/failures.ts";
import { edgeLetters } from "../../app/features/reading-room/orientation.ts";
import { withPalette } from "../../app/features/reading-room/palette.ts";
import { stackOf } from "../../app/features/reading-room/slices.ts";
import { dragged, firstWindow, rangeOf, windowOf } from "../../app/features/reading-room/windowing.ts";

const plain = { rotation: 0, flipHorizontal: false, flipVertical: false };

describe("the window", () => {
  test("covers the values that the linear function says (PS3.3 C.11.2.1.2.1)", () => {
    // The standard's own example: centre 2048, width 4096 runs from 0 to 4095; centre 0, width 1 is a threshold.
    expect(rangeOf({ center: 2048, width: 4096 })).toEqual({ lower: 0, upper: 4095 });
    expect(rangeOf({ center: 0, width: 100 })).toEqual({ lower: -50, upper: 49 });
    expect(rangeOf({ center: 0, width: 1 })).toEqual({ lower: -0.5, upper: -0.5 });
    expect(rangeOf({ center: 0, width: 100 }, "LINEAR_EXACT")).toEqual({ lower: -50, upper: 50 });
  });

  test("of a range runs over exactly that range", () => {
    expect(rangeOf(windowOf({ lower: -1024, upper: 3071 }))).toEqual({ lower: -1024, upper: 3071 });
  });

  test.for([0, 0.5, -3, Number.NaN, undefined])("with a width of %s is not one", (width) => {
    const values = { lower: 0, upper: 255 };
    expect(firstWindow({ center: 10, width }, values)).toEqual(windowOf(values));
    expect(firstWindow({ center: 10, width: 1 }, values)).toEqual({ center: 10, width: 1 });
  });

  test("never gets narrower than 1", () => {
    expect(dragged({ center: 40, width: 10 }, -500, 10, 2)).toEqual({ center: 60, width: 1 });
  });
});

describe("the letters at the edges", () => {
  const axial: Instance = { "00200037": { Value: [1, 0, 0, 0, 1, 0] } };

  test("of an axial picture seen from the feet", () => {
    expect(edgeLetters(axial, plain)).toEqual({ top: "A", right: "L", bottom: "P", left: "R" });
  });

  test("name two directions for an oblique one", () => {
    const tilted: Instance = { "00200037": { Value: [1, 0, 0, 0, 0.87, -0.5] } };
    expect(edgeLetters(tilted, plain)?.top).toBe("AH");
  });

  test("follow flips and turns", () => {
    const turned = { ...plain, flipHorizontal: true, rotation: 90 };
    expect(edgeLetters(axial, turned)).toEqual({ top: "L", right: "A", bottom: "R", left: "P" });
  });

  test("are left out where the image does not say", () => {
    expect(edgeLetters({}, plain)).toBeNull();
  });
});

describe("a series", () => {
  const instance = (uid: string, number: number, more: Instance = {}): Instance => ({
    "00080018": { Value: [uid] },
    "00200013": { Value: [number] },
    "00280010": { Value: [2] },
    "00280011": { Value: [2] },
    ...more,
  });

  test("is in the order of instance numbers, then of place along the normal, then of UIDs", () => {
    const placed = (uid: string, z: number) =>
      instance(uid, 7, { "00200032": { Value: [0, 0, z] }, "00200037": { Value: [1, 0, 0, 0, 1, 0] } });
    const given = [
      placed("1.9", 5),
      instance("1.3", 10),
      placed("1.8", -5),
      instance("1.2", 2),
      instance("1.1", 10),
    ];
    const { slices } = stackOf(given, "http://archive/studies/1/series/2");
    expect(slices.map(({ sopInstanceUid }) => sopInstanceUid)).toEqual(["1.2", "1.8", "1.9", "1.1", "1.3"]);
  });

  test("lays out frames one after another", () => {
    const { slices } = stackOf(
      [instance("1.2", 1, { "00280008": { Value: ["3"] } })],
      "http://a/studies/1/series/2",
    );
    expect(slices.map(({ imageId }) => imageId.split("/frames/")[1])).toEqual(["1", "2", "3"]);
    expect(slices[0]?.imageId).toBe("wadors:http://a/studies/1/series/2/instances/1.2/frames/1");
  });

  test("keeps apart what has no picture", () => {
    const report: Instance = {
      "00080016": { Value: ["1.2.840.10008.5.1.4.1.1.88.33"] },
      "00080018": { Value: ["1.7"] },
    };
    expect(stackOf([report], "")).toEqual({
      slices: [],
      pictureless: [{ sopInstanceUid: "1.7", name: "Structured report" }],
    });
  });
});

describe("a colour table", () => {
  const palette = (bits: number): Instance => ({
    "00280004": { Value: ["PALETTE COLOR"] },
    "00281101": { Value: [3, 0, bits] },
    "00281102": { Value: [3, 0, bits] },
    "00281103": { Value: [3, 0, bits] },
    "00281201": { BulkDataURI: "red" },
    "00281202": { BulkDataURI: "green" },
    "00281203": { InlineBinary: btoa("\x00\x01\x00\x02\x00\x03") },
  });
  const red = new Uint8Array([0x34, 0x12, 0xff, 0x80, 0x01, 0xff]).buffer;

  test("that comes as bulk data is fetched, and a 16-bit entry keeps its high byte", async () => {
    const asked: string[] = [];
    const ready = await withPalette(palette(16), async (uri) => {
      asked.push(uri);
      return red;
    });
    expect(asked).toEqual(["red", "green"]);
    expect(ready["00281201"]?.Value).toEqual([0x12, 0x80, 0xff]);
    expect(ready["00281203"]?.Value).toEqual([1, 2, 3]);
  });

  test("that is too short or missing is an error, not a guess", async () => {
    await expect(withPalette(palette(16), async () => new ArrayBuffer(2))).rejects.toThrow("too short");
    await expect(withPalette({ "00280004": { Value: ["PALETTE COLOR"] } }, async () => red)).rejects.toThrow(
      "missing",
    );
  });
});

test("a name is read in its alphabetic group", () => {
  const name = (Alphabetic: string): Instance => ({ "00100010": { Value: [{ Alphabetic }] } });
  expect(personName(name("Keller^Anna^Maria"), "PatientName")).toBe("Keller, Anna Maria");
  expect(personName(name("^^^^"), "PatientName")).toBe("");
  expect(personName({}, "PatientName")).toBe("");
});

test.for([
  [401, "refused"],
  [403, "refused"],
  [404, "missing"],
  [503, "unavailable"],
  [0, "unavailable"],
] as const)("the status %i is %s", ([status, kind]) => {
  expect(failureOf(status, null).kind).toBe(kind);
  const problem = JSON.stringify({ detail: "In plain words." });
  if (status > 0) expect(failureOf(status, problem).message).toBe("In plain words.");
});
