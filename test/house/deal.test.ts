import { expect, test } from "vitest";
import { deal, SAMPLE_OWNERS } from "../../scripts/demo/deal.ts";

const patient = (patientId: string) => ({ patientId, issuer: "" });
const dealt = (ids: string[], owners: string[], listed = {}) =>
  deal(ids.map(patient), owners, listed).map(({ candidate, owner }) => [candidate.patientId, owner]);

test("deals one's own patients in turn, whatever order the archive lists them in", () => {
  const inTurn = [
    ["a", "first"],
    ["b", "second"],
    ["c", "first"],
  ];
  expect(dealt(["c", "a", "b"], ["first", "second"])).toEqual(inTurn);
  expect(dealt(["b", "c", "a"], ["first", "second"])).toEqual(inTurn);
});

test("gives a folder's only patient to the first", () => {
  expect(dealt(["1CT1"], ["first", "second"])).toEqual([["1CT1", "first"]]);
});

test("deals the samples as listed, so that both patients have several", () => {
  const all = dealt(Object.keys(SAMPLE_OWNERS), ["first", "second"], SAMPLE_OWNERS);
  expect(all).toHaveLength(6);
  expect(Object.fromEntries(all)).toMatchObject({ "123565": "first", "1CT1": "second" });
  expect(all.filter(([, owner]) => owner === "first")).toHaveLength(3);
});
