import { expect, test } from "vitest";
import { Seal } from "../../gateway/database/seal.ts";

const seal = new Seal("ab".repeat(32));
const other = new Seal("cd".repeat(32));

test("what was sealed opens under its key, for what it belongs to, and never shows twice alike", () => {
  const sealed = seal.seal("grüße", "row 1");
  expect(seal.open(sealed, "row 1")).toBe("grüße");
  expect(new Seal("ab".repeat(32)).open(sealed, "row 1")).toBe("grüße");
  expect(seal.seal("grüße", "row 1")).not.toBe(sealed);
  expect(sealed.startsWith(`${seal.keyId}.`)).toBe(true);
});

test("it opens under no other key, for no other row, and not once a bit has changed", () => {
  const sealed = seal.seal("secret", "row 1");
  expect(() => other.open(sealed, "row 1")).toThrow();
  expect(() => seal.open(sealed, "row 2")).toThrow();
  const [keyId, bytes = ""] = sealed.split(".");
  for (let at = 0; at < bytes.length - 1; at += 1) {
    const flipped = `${bytes.slice(0, at)}${bytes[at] === "A" ? "B" : "A"}${bytes.slice(at + 1)}`;
    expect(() => seal.open(`${keyId}.${flipped}`, "row 1")).toThrow();
  }
});

test("a tag finds its text under its own key alone", () => {
  expect(seal.tag("0xreader")).toBe(seal.tag("0xreader"));
  expect(seal.tag("0xreader")).not.toBe(seal.tag("0xreader2"));
  expect(other.tag("0xreader")).not.toBe(seal.tag("0xreader"));
});
