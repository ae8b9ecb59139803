import { beforeAll, describe, expect, test } from "vitest";
import type { Mutant } from "../../scripts/mutation/mutants.ts";
import { inWords, scoreOf, survivorsOf, table } from "../../scripts/mutation/report.ts";
import { sample } from "../../scripts/mutation/sample.ts";
import { type Schema, schemaOf } from "../../scripts/mutation/schema.ts";
import { SolidityTests } from "../../scripts/mutation/solidityTests.ts";

const HEAD = "// SPDX-License-Identifier: Apache-2.0\npragma solidity 0.8.37;\n";

/** The body of a contract, and all mutants of it, as `line: original → mutant`. */
function mutantsIn(body: string): string[] {
  return schemaFor(body).mutants.map(({ line, from, to }) => `${line}: ${from} → ${to}`);
}

function schemaFor(body: string): Schema {
  return schemaOf(new Map([["contracts/C.sol", `${HEAD}contract C {\n${body}\n}`]]), ["contracts/C.sol"]);
}

describe("mutants", () => {
  test("of a comparison of numbers are the three that stand for all", () => {
    expect(
      mutantsIn("function f(uint256 a, uint256 b) external pure returns (bool) { return a < b; }"),
    ).toEqual(["4: a < b → false", "4: a < b → (a <= b)", "4: a < b → (a != b)"]);
  });

  test("never put a number below zero, nor addresses in an order", () => {
    expect(mutantsIn("function f(uint256 a) external pure returns (bool) { return a == 0; }")).toEqual([
      "4: a == 0 → true",
      "4: a == 0 → false",
      "4: a == 0 → a == 1",
    ]);
    expect(
      mutantsIn("function f(address a, address b) external pure returns (bool) { return a == b; }"),
    ).toEqual(["4: a == b → true", "4: a == b → false"]);
  });

  test("change the operators of words, drop their operands, and move their numbers by one", () => {
    expect(
      mutantsIn("function f(uint256 a, uint256 b) external pure returns (uint256 c) { c = a | b >> 2; }"),
    ).toEqual([
      "4: c = a | b >> 2; → ",
      "4: a | b >> 2 → (a & (b >> 2))",
      "4: a | b >> 2 → a",
      "4: a | b >> 2 → (b >> 2)",
      "4: b >> 2 → (b << 2)",
      "4: b >> 2 → b >> 3",
      "4: b >> 2 → b >> 1",
    ]);
  });

  test("leave out statements, unless forcing their condition does the same", () => {
    const body = `event Done(uint256 a, uint256 b);
      function f(bool go, uint256 a, uint256 b) external { if (go) emit Done(a, b); }`;
    expect(mutantsIn(body)).toEqual([
      "5: go → true",
      "5: go → false",
      "5: emit Done(a, b); → emit Done(b, a);",
    ]);
  });

  test("leave out each field that is written", () => {
    const body = `uint256 a; uint256 b;
      function f(uint256 x) external { (a, b) = (x, 7); }`;
    expect(mutantsIn(body)).toEqual([
      "5: (a, b) = (x, 7); → ",
      "5: (a, b) = (x, 7); → (, b) = (x, 7);",
      "5: (a, b) = (x, 7); → (a, ) = (x, 7);",
      "5: (a, b) = (x, 7); → (a, b) = (x, 8);",
      "5: (a, b) = (x, 7); → (a, b) = (x, 6);",
    ]);
  });

  test("reach constants, enums, loops and assembly", () => {
    const body = `enum Mood { Good, Bad }
      uint256 private constant LONG = 4 hours;
      function f(Mood mood) external pure returns (uint256 c) {
        if (mood == Mood.Bad) return LONG;
        for (uint256 i = 0; i < 3; ++i) c += i;
        assembly { c := add(c, 0x20) }
      }`;
    expect(mutantsIn(body)).toEqual([
      "5: 4 hours → 5 hours",
      "5: 4 hours → 3 hours",
      "7: mood == Mood.Bad → true",
      "7: mood == Mood.Bad → false",
      "7: Mood.Bad → Mood.Good",
      "8: 0 → 1",
      "8: i < 3 → false",
      "8: i < 3 → (i <= 3)",
      "8: i < 3 → i < 4",
      "8: i < 3 → i < 2",
      "8: ++i → --i",
      "8: c += i; → c -= i;",
      "9: assembly { c := add(c, 0x20) } → assembly { c := add(c, 0x40) }",
      "9: assembly { c := add(c, 0x20) } → assembly { c := add(c, 0x0) }",
    ]);
  });

  test("are counted apart where the compiler refuses them", () => {
    const { mutants, refused } = schemaFor(
      "function f(bytes32 a) external pure returns (bool) { return a == 0; }",
    );
    expect(mutants).toHaveLength(2);
    expect(refused.map(({ mutant }) => mutant.to)).toEqual(["a == 1"]);
  });
});

describe("a schema", () => {
  const contract = `${HEAD}contract Toll {
    uint256 private constant PRICE = 3;
    function due(uint256 axles) external pure returns (uint256) {
        if (axles > 2) return axles * PRICE;
        return PRICE;
    }
}`;
  const tests = `${HEAD}import {Toll} from "../../contracts/Toll.sol";
contract TollTest {
    Toll private _toll = new Toll();
    function test_Due_Lorry() external view { require(_toll.due(4) == 12, "lorry"); }
    function testFuzz_Due_Car(uint256 axles) external view { require(_toll.due(axles % 2) == 3, "car"); }
}`;
  let schema: Schema;
  let judges: SolidityTests;

  beforeAll(async () => {
    schema = schemaOf(
      new Map([
        ["contracts/Toll.sol", contract],
        ["test/contracts/Toll.t.sol", tests],
      ]),
      ["contracts/Toll.sol"],
    );
    judges = await SolidityTests.open(schema.sources, { fuzzRuns: 16, invariantRuns: 1, invariantDepth: 1 });
  });

  const verdicts = async () => {
    const list: { mutant: Mutant; killedBy: string | null }[] = [];
    for (const mutant of schema.mutants)
      list.push({ mutant, killedBy: (await judges.judge(mutant.id))?.test ?? null });
    return list;
  };

  test("holds each mutant by itself: what the tests pin is killed, what they leave open survives", async () => {
    const judged = (await verdicts()).map(({ mutant, killedBy }) => [
      `${mutant.from} → ${mutant.to}`,
      killedBy,
    ]);
    expect(judged).toEqual([
      ["3 → 4", "test_Due_Lorry()"],
      ["3 → 2", "test_Due_Lorry()"],
      ["axles > 2 → false", "test_Due_Lorry()"],
      ["axles > 2 → (axles >= 2)", null],
      ["axles > 2 → (axles != 2)", "testFuzz_Due_Car(uint256)"],
      ["axles > 2 → axles > 3", null],
      ["axles > 2 → axles > 1", null],
      ["axles * PRICE → (axles / PRICE)", "test_Due_Lorry()"],
      ["return PRICE; → ", "testFuzz_Due_Car(uint256)"],
    ]);
  });

  test("is reported by file, with the share of what is killed and where the survivors are", async () => {
    const judged = await verdicts();
    expect(scoreOf(judged)).toBe(6 / 9);
    expect(table(judged)).toContain("contracts/Toll.sol        9       6         3          0  66.7 %");
    expect(survivorsOf(judged).map(inWords)[0]).toBe("contracts/Toll.sol:6  axles > 2  →  (axles >= 2)");
  });

  test("is not built where the tests fail without a mutant", async () => {
    const broken = new Map(schema.sources).set("test/contracts/Toll.t.sol", tests.replace("== 12", "== 13"));
    await expect(
      SolidityTests.open(broken, { fuzzRuns: 1, invariantRuns: 1, invariantDepth: 1 }),
    ).rejects.toThrow("Without a mutant, test_Due_Lorry() fails: lorry");
  });
});

test("a sample is the same for the same seed, and another for another", () => {
  const all = Array.from({ length: 100 }, (_, index) => ({ id: index + 1 }));
  const [first, again, other] = ["1", "1", "2"].map((seed) => sample(all, 10, seed));
  expect(first).toHaveLength(10);
  expect(again).toEqual(first);
  expect(other).not.toEqual(first);
});
