/** What forge prints, which alone tells how it went: the program that npm starts it with ends with 0 whatever happens. */
import { expect, test } from "vitest";
import { readForge } from "../../scripts/checks/forge.ts";

const ended = (passed: number, failed: number) =>
  `Ran 18 test suites in 82.43s (97.71s CPU time): ${passed} tests passed, ${failed} failed, 0 skipped (${passed + failed} total tests)`;

test("a run without failures passes, and has nothing to show", () => {
  expect(readForge(ended(231, 0))).toEqual({ passed: 231, failed: 0, skipped: [], report: "" });
});

test("a run with failures fails, and shows which", () => {
  const output = `[FAIL: NotEqual(1, 6)] test_Check_PeriodBoundaries() (gas: 68155)\n${ended(230, 1)}`;
  expect(readForge(output)).toEqual({ passed: 230, failed: 1, skipped: [], report: output });
});

test.each([
  ["Error: Compiler run failed:\nError (6933): Expected primary expression."],
  ["No tests found in project!"],
  [ended(0, 0)],
  [""],
])("a run that tested nothing fails: %j", (output) => {
  expect(readForge(output)).toEqual({ passed: 0, failed: 1, skipped: [], report: output });
});
