import { expect, it } from "vitest";
import { type PersonName, personNameOf } from "../../gateway/archive/dicomJson.ts";

const named = (name: PersonName | null) =>
  personNameOf({ "00100010": { vr: "PN", ...(name && { Value: [name] }) } }, "PatientName");

it.each([
  [{ Alphabetic: "Vale^Imani^M^Dr.^MD" }, "Dr. Imani M Vale, MD"],
  [{ Alphabetic: "Yamada^Tarou", Ideographic: "山田^太郎" }, "Tarou Yamada"],
  [{ Ideographic: "山田^太郎" }, "太郎 山田"],
  [{ Alphabetic: " Keller ^^" }, "Keller"],
  [{ Alphabetic: "^^^^" }, null],
  [null, null],
])("a name is said in the order that people say it: %o", (name, said) => {
  expect(named(name)).toBe(said);
});
