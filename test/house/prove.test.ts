/** The proofs can fail: each of these breaks what is proved, and the prover sees it. */
import { describe, expect, it } from "vitest";
import { type Finding, prove, unreachable } from "../../scripts/prove/proof.ts";
import { z3Version } from "../../scripts/prove/z3.ts";

/** Proves with one change of one file, and returns what was not proved. */
function broken(name: string, engine: "bmc" | "chc", path: string, from: string, to: string): Finding[] {
  const edit = (read: string, source: string) => {
    if (!read.endsWith(path)) return source;
    expect(source, `${path} still says what is changed here`).toContain(from);
    return source.replace(from, to);
  };
  return prove({ name, engine, what: "" }, 5, edit).filter(({ verdict }) => verdict !== "proved");
}

describe.skipIf(z3Version() === null)("npm run prove", () => {
  it("finds a field that is cut short", () => {
    const found = broken("SlotsProof", "bmc", "types/GrantSlot.sol", "uint40(GrantSlot", "uint32(GrantSlot");
    expect(found.map(({ text, verdict }) => [text, verdict])).toEqual([
      ["assert(slot.grantedAt() == time)", "refuted"],
    ]);
  });

  it("finds a period that is closed where it should be open", () => {
    const found = broken(
      "JudgementProof",
      "bmc",
      "Judgement.sol",
      "query.time >= terms",
      "query.time > terms",
    );
    expect(found.map(({ text }) => text)).toContain("assert((reason == Reason.Permitted) == satisfied)");
  });

  it("finds a walk that goes on past a revoked slot", () => {
    const found = broken("WalkProof", "chc", "WalkModel.sol", "slot.revoked)", "false)");
    expect(found.map(({ verdict }) => verdict)).toEqual(["refuted"]);
  });

  it("finds a reader whom a second emergency lets stay longer", () => {
    const found = broken("EmergencyProof", "chc", "EmergencyModel.sol", "time + 4 hours", "time + 5 hours");
    expect(found).toHaveLength(2);
  });

  it("finds a signature that serves two badges", () => {
    const named = "second.named == second.badge";
    const found = broken("EmergencyProof", "chc", "EmergencyModel.sol", named, "true");
    expect(found.map(({ text }) => text)).toContain("assert(!_used || !watched)");
  });

  it("finds what is proved of nothing", () => {
    const none = prove({ name: "WalkProof", engine: "chc", what: "" }, 5, (path, source) =>
      unreachable(path, source).replace("permitted = slot", "require(false); permitted = slot"),
    );
    expect(none.map(({ verdict }) => verdict)).toEqual(["proved"]);
  });
});
