import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Hex } from "../../protocol/hash.ts";
import {
  leafSalt,
  type ManifestFrame,
  manifestLeaf,
  manifestLeaves,
  NO_PIXELS,
} from "../../protocol/manifest.ts";
import { merkleProof, merkleRoot, verifyMerkleProof } from "../../protocol/merkle.ts";

const SALT = `0x${"5a".repeat(32)}` as const;
const OTHER_SALT = `0x${"5b".repeat(32)}` as const;

const sha256 = (text: string): Hex => `0x${createHash("sha256").update(text).digest("hex")}`;
const frames = (count: number): ManifestFrame[] =>
  Array.from({ length: count }, (_, i) => ({ sopInstanceUid: `1.2.${i}`, frame: 1, digest: sha256(`${i}`) }));
const leaves = () => fc.integer({ min: 1, max: 40 }).map((count) => manifestLeaves(SALT, frames(count)));

describe("known answers", () => {
  it("digests no bytes to NO_PIXELS", () => {
    expect(NO_PIXELS).toBe(sha256(""));
  });

  it("pins a leaf, its salt and roots", () => {
    const [leaf] = manifestLeaves(SALT, frames(1));
    expect({
      leafSalt: leafSalt(SALT, "1.2.0", 1),
      leaf,
      one: merkleRoot(manifestLeaves(SALT, frames(1))),
      two: merkleRoot(manifestLeaves(SALT, frames(2))),
      three: merkleRoot(manifestLeaves(SALT, frames(3))),
    }).toMatchInlineSnapshot(`
      {
        "leaf": "0x75f06d233a5a13d3b304496029e18f7b5f09205ec6488b50b6672934a991602d",
        "leafSalt": "0x628a1cdf302dfa48d0f3ec30841d66f1879ef6b83ecec591b882627a8bece2c9",
        "one": "0x75f06d233a5a13d3b304496029e18f7b5f09205ec6488b50b6672934a991602d",
        "three": "0x5f14d539895842dd20f6a050e53baac808945086028bbd8047852e4edb95baf0",
        "two": "0x3973db2efc8ab7ad019aeacb218bf7c843cb3878a487111540aeb1cfd58963f0",
      }
    `);
  });
});

describe("the manifest", () => {
  it("has one root, in whatever order an archive lists its instances", () => {
    fc.assert(
      fc.property(
        leaves().chain((all) =>
          fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
        ),
        ([all, shuffled]) => {
          expect(merkleRoot(shuffled)).toBe(merkleRoot(all));
        },
      ),
    );
  });

  it("proves each of its leaves, and no other", () => {
    fc.assert(
      fc.property(leaves(), fc.nat(), fc.nat(), (all, i, j) => {
        const root = merkleRoot(all);
        const leaf = all[i % all.length] as Hex;
        const other = all[j % all.length] as Hex;
        const proof = merkleProof(all, leaf);
        expect(verifyMerkleProof(root, leaf, proof)).toBe(true);
        expect(verifyMerkleProof(root, other, proof)).toBe(leaf === other);
        expect(verifyMerkleProof(root, manifestLeaves(OTHER_SALT, frames(1))[0] as Hex, proof)).toBe(false);
        if (proof.length > 0) expect(verifyMerkleProof(root, leaf, proof.slice(1))).toBe(false);
      }),
    );
  });

  it("passes no inner node for a leaf of another tree", () => {
    const all = manifestLeaves(SALT, frames(2));
    expect(verifyMerkleProof(merkleRoot(all), merkleRoot(all), [])).toBe(true);
    expect(merkleRoot([merkleRoot(all)])).not.toBe(merkleRoot(manifestLeaves(SALT, frames(3))));
    expect(all).not.toContain(merkleRoot(all));
  });

  it("changes with salt, instance, frame and bytes", () => {
    const [frame] = frames(1) as [ManifestFrame];
    const variants = [
      manifestLeaf(leafSalt(SALT, frame.sopInstanceUid, 1), frame),
      manifestLeaf(leafSalt(OTHER_SALT, frame.sopInstanceUid, 1), frame),
      manifestLeaf(leafSalt(SALT, frame.sopInstanceUid, 1), { ...frame, sopInstanceUid: "1.2.9" }),
      manifestLeaf(leafSalt(SALT, frame.sopInstanceUid, 1), { ...frame, frame: 2 }),
      manifestLeaf(leafSalt(SALT, frame.sopInstanceUid, 1), { ...frame, digest: NO_PIXELS }),
    ];
    expect(new Set(variants).size).toBe(variants.length);
  });

  it("gives siblings salts that do not tell of one another", () => {
    const salts = [leafSalt(SALT, "1.2.3", 1), leafSalt(SALT, "1.2.3", 2), leafSalt(SALT, "1.2.4", 1), SALT];
    expect(new Set(salts).size).toBe(salts.length);
  });
});

describe("refused", () => {
  const all = manifestLeaves(SALT, frames(3));
  it.each([
    ["empty-tree", () => merkleRoot([])],
    ["empty-tree", () => merkleProof([], SALT)],
    ["duplicate-leaf", () => merkleRoot([...all, all[0] as Hex])],
    ["unknown-leaf", () => merkleProof(all, SALT)],
    ["invalid-frame", () => leafSalt(SALT, "1.2.3", -1)],
    ["invalid-frame", () => leafSalt(SALT, "1.2.3", 1.5)],
    ["invalid-uid", () => leafSalt(SALT, "x", 1)],
    ["invalid-hex", () => manifestLeaf(SALT, { sopInstanceUid: "1.2.3", frame: 1, digest: "0x00" })],
  ])("%s: %s", (code, act) => {
    expect(act).toThrow(expect.objectContaining({ code }));
  });
});
