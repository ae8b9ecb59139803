import { expect, test } from "vitest";
import { denial, MOST_VERDICTS, VerdictCache } from "../../gateway/access/verdict.ts";

test("verdicts on one exam are kept in a bounded number, whoever asks, and for whichever series", () => {
  const cache = new VerdictCache();
  const exam = { examId: "0x01", patient: "0x02" } as const;
  for (let reader = 0; reader <= MOST_VERDICTS; reader += 1) {
    cache.set(exam, String(reader), denial("not-granted"));
  }
  expect(cache.get("0x01", "0", [])).toBeUndefined();
  expect(cache.get("0x01", String(MOST_VERDICTS), [])).toMatchObject({ reason: "not-granted" });
});
