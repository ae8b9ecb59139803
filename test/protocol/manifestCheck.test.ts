import { createHash } from "node:crypto";
import { describe, expect, it, test } from "vitest";
import type { Manifest } from "../../protocol/api.ts";
import type { Hex } from "../../protocol/hash.ts";
import { leafSalt, type ManifestFrame, manifestLeaves } from "../../protocol/manifest.ts";
import { checkFrame, checkManifest } from "../../protocol/manifestCheck.ts";
import { merkleProofs, merkleRoot } from "../../protocol/merkle.ts";

const SALT = `0x${"5a".repeat(32)}` as const;
const bytesOf = (frame: number) => new TextEncoder().encode(`frame ${frame}`);
const FRAMES: ManifestFrame[] = [1, 2, 3, 4, 5].map((frame) => ({
  sopInstanceUid: "1.2.3",
  frame,
  digest: `0x${createHash("sha256").update(bytesOf(frame)).digest("hex")}` as Hex,
}));
const LEAVES = manifestLeaves(SALT, FRAMES);
const ROOT = merkleRoot(LEAVES);

/** What a gateway would answer with: every frame, or with proofs those of these positions. */
function manifest(positions?: number[]): Manifest {
  const chosen = positions ?? FRAMES.map((_, i) => i);
  const proofs = merkleProofs(
    LEAVES,
    chosen.map((i) => LEAVES[i] as Hex),
  );
  const frames = chosen.map((i, position) => {
    const frame = FRAMES[i] as ManifestFrame;
    const salt = leafSalt(SALT, frame.sopInstanceUid, frame.frame);
    return { seriesInstanceUid: "1.2", ...frame, salt, proof: positions ? (proofs[position] ?? []) : null };
  });
  return {
    examId: ROOT,
    manifestRoot: ROOT,
    isPending: false,
    covers: positions ? "series" : "exam",
    frames,
  };
}

const wrongRoot = expect.objectContaining({ code: "wrong-root" });

describe.each([
  ["a manifest of the exam", () => manifest()],
  ["a manifest of some series", () => manifest([1, 4])],
])("%s", (_name, make) => {
  test("knows what was delivered as it is", () => {
    const manifested = checkManifest(make(), ROOT);
    expect(checkFrame(manifested, { sopInstanceUid: "1.2.3", frame: 2, bytes: bytesOf(2) })).toBe("intact");
    expect(checkFrame(manifested, { sopInstanceUid: "1.2.3", frame: 2, bytes: bytesOf(3) })).toBe("changed");
    expect(checkFrame(manifested, { sopInstanceUid: "1.2.3", frame: 9, bytes: bytesOf(9) })).toBe("unknown");
    expect(checkFrame(manifested, { sopInstanceUid: "1.2.4", frame: 2, bytes: bytesOf(2) })).toBe("unknown");
  });

  test.each<[string, Partial<Manifest["frames"][number]>]>([
    ["another digest", { digest: ROOT }],
    ["another frame's number", { frame: 7 }],
    ["another instance", { sopInstanceUid: "1.2.4" }],
    ["another salt", { salt: ROOT }],
  ])("is refused with %s", (_what, bent) => {
    const good = make();
    const frames = good.frames.map((listed, i) => (i === 0 ? { ...listed, ...bent } : listed));
    expect(() => checkManifest({ ...good, frames }, ROOT)).toThrow(wrongRoot);
  });

  test("is refused under another root", () => {
    expect(() => checkManifest(make(), SALT)).toThrow(wrongRoot);
  });
});

it("shows that a frame was left out of a manifest of the exam", () => {
  const whole = manifest();
  expect(() => checkManifest({ ...whole, frames: whole.frames.slice(1) }, ROOT)).toThrow(wrongRoot);
});

it("does not take an exam's leaves for proved where proofs are due", () => {
  expect(() => checkManifest({ ...manifest(), covers: "series" }, ROOT)).toThrow(wrongRoot);
});
