import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ACTIONS,
  type Action,
  actionsToMask,
  LATEST,
  maskToActions,
  maskToPurposes,
  PURPOSES,
  type Purpose,
  packTerms,
  purposesToMask,
  type Terms,
  unpackTerms,
} from "../../protocol/terms.ts";

const terms = (): fc.Arbitrary<Terms> =>
  fc
    .record({
      period: fc.uniqueArray(fc.integer({ min: 0, max: LATEST }), { minLength: 2, maxLength: 2 }),
      purposes: fc.subarray([...PURPOSES], { minLength: 1 }),
      actions: fc.subarray([...ACTIONS], { minLength: 1 }),
    })
    .map(({ period, purposes, actions }) => {
      const [notBefore = 0, notAfter = 0] = period.sort((a, b) => a - b);
      return { notBefore, notAfter, purposes, actions };
    });

const GIVEN: Terms = { notBefore: 1, notAfter: 2, purposes: ["TREAT"], actions: ["VIEW"] };

describe("purposes and actions", () => {
  it("keep their bits: positions are final", () => {
    expect(PURPOSES.map((purpose) => [purpose, purposesToMask([purpose])])).toEqual([
      ["TREAT", 1],
      ["ETREAT", 2],
      ["HPAYMT", 4],
      ["HRESCH", 8],
      ["PATRQT", 16],
      ["FAMRQT", 32],
      ["PWATRNY", 64],
      ["SUPNWK", 128],
      ["HOPERAT", 256],
      ["PUBHLTH", 512],
      ["HLEGAL", 1024],
      ["TRAIN", 2048],
    ]);
    expect(ACTIONS.map((action) => [action, actionsToMask([action])])).toEqual([
      ["VIEW", 1],
      ["DOWNLOAD", 2],
      ["SHARE", 4],
    ]);
  });

  it("name one thing once, however often it is given", () => {
    expect(purposesToMask(["TREAT", "TREAT"])).toBe(1);
  });

  it("leave out bits that have no name", () => {
    expect(maskToPurposes(0xffffffff)).toEqual([...PURPOSES]);
    expect(maskToPurposes(0x80000000)).toEqual([]);
    expect(maskToActions(0xffff)).toEqual([...ACTIONS]);
    expect(maskToActions(0)).toEqual([]);
  });
});

describe("the terms word", () => {
  it("pins a known answer", () => {
    const word = packTerms({
      notBefore: 0x0102030405,
      notAfter: 0x060708090a,
      purposes: ["TREAT", "HRESCH"],
      actions: ["VIEW", "SHARE"],
    });
    expect(word.toString(16)).toBe("500000009060708090a0102030405");
  });

  it("gives back what was packed, for any terms", () => {
    fc.assert(
      fc.property(terms(), (given) => {
        expect(unpackTerms(packTerms(given))).toEqual(given);
      }),
    );
  });

  it("packs unlike terms unlike", () => {
    fc.assert(
      fc.property(terms(), terms(), (a, b) => {
        expect(packTerms(a) === packTerms(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });

  it("reads any word that the ledger can hold", () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 128n - 1n), (word) => {
        const { notBefore, notAfter } = unpackTerms(word);
        expect(BigInt(notBefore) | (BigInt(notAfter) << 40n)).toBe(word & (2n ** 80n - 1n));
      }),
    );
  });

  it.each<[string, Partial<Terms>]>([
    ["invalid-period", { notAfter: 1 }],
    ["invalid-period", { notAfter: 0 }],
    ["invalid-period", { notBefore: -1 }],
    ["invalid-period", { notBefore: 0.5 }],
    ["invalid-period", { notBefore: Number.NaN }],
    ["invalid-period", { notAfter: LATEST + 1 }],
    ["invalid-period", { notAfter: Number.POSITIVE_INFINITY }],
    ["no-purpose", { purposes: [] }],
    ["no-action", { actions: [] }],
    ["unknown-purpose", { purposes: ["TREAT", "FUN" as Purpose] }],
    ["unknown-action", { actions: ["view" as Action] }],
  ])("refuses to pack: %s %o", (code, part) => {
    expect(() => packTerms({ ...GIVEN, ...part })).toThrow(expect.objectContaining({ code }));
  });

  it.each([-1n, 1n << 128n, 1n << 255n])("refuses to unpack %s", (word) => {
    expect(() => unpackTerms(word)).toThrow(expect.objectContaining({ code: "invalid-terms-word" }));
  });

  it("takes the shortest and the longest period", () => {
    expect(unpackTerms(packTerms({ ...GIVEN, notBefore: 0, notAfter: 1 }))).toMatchObject({ notAfter: 1 });
    expect(unpackTerms(packTerms({ ...GIVEN, notBefore: LATEST - 1, notAfter: LATEST }))).toMatchObject({
      notAfter: LATEST,
    });
  });
});
