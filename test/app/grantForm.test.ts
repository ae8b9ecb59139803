import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { endOf, FAULT_WORDS, type GrantForm, termsOf } from "../../app/features/exams/grantForm.ts";
import { packTerms, unpackTerms } from "../../protocol/terms.ts";

const form: GrantForm = { purposes: ["TREAT"], download: false, until: "week" };
const now = seconds(2026, 11, 22, 10, 30);
const clock = { now, head: now };

function seconds(year: number, month: number, day: number, hour = 0, minute = 0): number {
  return new Date(year, month - 1, day, hour, minute).getTime() / 1000;
}

describe("the end of a grant", () => {
  test("by preset is the same time of day, by the patient's own calendar", () => {
    expect(endOf("day", now)).toBe(seconds(2026, 11, 23, 10, 30));
    expect(endOf("week", now)).toBe(seconds(2026, 11, 29, 10, 30));
    expect(endOf("month", now)).toBe(seconds(2026, 12, 22, 10, 30));
  });

  test("of a month that has no such day is its last day, not the month after", () => {
    expect(endOf("month", seconds(2027, 1, 31, 9))).toBe(seconds(2027, 2, 28, 9));
    expect(endOf("month", seconds(2026, 12, 31, 9))).toBe(seconds(2027, 1, 31, 9));
  });

  test("by a day of the patient's own covers that day to its end", () => {
    expect(endOf({ date: "2026-12-24" }, now)).toBe(seconds(2026, 12, 25));
    expect(endOf({ date: "" }, now)).toBeNull();
    expect(endOf({ date: "tomorrow" }, now)).toBeNull();
  });
});

describe("the terms of a form", () => {
  test("look only, unless downloading was asked for", () => {
    expect(termsOf(form, clock)).toMatchObject({ terms: { actions: ["VIEW"], purposes: ["TREAT"] } });
    expect(termsOf({ ...form, download: true }, clock)).toMatchObject({
      terms: { actions: ["VIEW", "DOWNLOAD"] },
    });
  });

  test("begin at once, whichever of the two clocks is behind", () => {
    for (const head of [now - 90, now, now + 90]) {
      expect(termsOf(form, { now, head })).toMatchObject({ terms: { notBefore: Math.min(now, head) } });
    }
  });

  test.each([
    ["no purpose", { ...form, purposes: [] }, "no-purpose"],
    ["no day", { ...form, until: { date: "" } }, "no-date"],
    ["yesterday", { ...form, until: { date: "2026-11-21" } }, "date-past"],
    ["a day in 200 years", { ...form, until: { date: "2226-01-01" } }, "date-too-far"],
  ] as const)("are not made of %s", (_, faulty, fault) => {
    expect(termsOf({ ...faulty, purposes: [...faulty.purposes] }, clock)).toEqual({ fault });
    expect(FAULT_WORDS[fault]).toMatch(/\.$/);
  });

  test("today is not over yet", () => {
    expect(termsOf({ ...form, until: { date: "2026-11-22" } }, clock)).toMatchObject({
      terms: { notAfter: seconds(2026, 11, 23) },
    });
  });

  test("are always such that the ledger takes them, and come back from their word unchanged", () => {
    const anyForm = fc.record({
      purposes: fc.subarray(["TREAT", "ETREAT", "HPAYMT", "HRESCH", "PATRQT"] as const, { minLength: 1 }),
      download: fc.boolean(),
      until: fc.constantFrom("day", "week", "month"),
    });
    const anyMoment = fc.integer({ min: 1_500_000_000, max: 4_000_000_000 });
    fc.assert(
      fc.property(anyForm, anyMoment, fc.integer({ min: -600, max: 600 }), (filled, at, drift) => {
        const made = termsOf(filled as GrantForm, { now: at, head: at + drift });
        if (!("terms" in made)) throw new Error(made.fault);
        expect(unpackTerms(packTerms(made.terms))).toEqual(made.terms);
        expect(made.terms.notBefore).toBeLessThanOrEqual(at);
        expect(made.terms.notAfter).toBeGreaterThan(at);
      }),
    );
  });
});
