import { expect, test } from "vitest";
import { APP_REASONS, isSpokenReason, needsSignIn, sentenceFor } from "../../app/words/problems.ts";
import { LEDGER_REASONS, PROBLEM_STATUS } from "../../protocol/reasons.ts";

const REASONS = [...Object.keys(PROBLEM_STATUS), ...APP_REASONS];

test.each(REASONS)("%s has a sentence of its own, and a way out", (reason) => {
  expect(isSpokenReason(reason)).toBe(true);
  const { title, way } = sentenceFor({
    reason,
    title: "the gateway's title",
    detail: "the gateway's detail",
  });
  for (const words of [title, way]) {
    expect(words).toMatch(/^\p{Lu}.*[.]$/u);
    expect(words).not.toContain(reason);
    expect(words).not.toMatch(/the gateway's (title|detail)/);
  }
});

test("every denial of the ledger can be told", () => {
  expect(LEDGER_REASONS.filter((reason) => reason !== "permitted" && !isSpokenReason(reason))).toEqual([]);
});

test("reasons that a person can act on differently are told differently", () => {
  const titles = [
    "expired",
    "revoked",
    "not-granted",
    "not-yet-valid",
    "purpose-not-granted",
    "action-not-granted",
  ].map((reason) => sentenceFor({ reason, title: "", detail: "" }).title);
  expect(new Set(titles).size).toBe(titles.length);
});

test("a reason from a later version is told in the gateway's own words", () => {
  const problem = { reason: "quota-exceeded", title: "Too many exams.", detail: "Come back tomorrow." };
  expect(sentenceFor(problem)).toEqual({ title: "Too many exams.", way: "Come back tomorrow." });
  expect(isSpokenReason("toString")).toBe(false);
});

test("signing in again is offered where the token is at fault, and not where access is", () => {
  expect(REASONS.filter((reason) => /^(token|session)-/.test(reason)).every(needsSignIn)).toBe(true);
  expect(["revoked", "expired", "not-granted", "chain-stale", "wrong-domain"].some(needsSignIn)).toBe(false);
});
