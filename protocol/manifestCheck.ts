/**
 * Checks what a gateway delivered against the root that the ledger has of an exam: first the manifest itself, then each
 * frame. Whoever does both believes neither the gateway nor the archive, only the ledger.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import type { Manifest } from "./api.ts";
import { ProtocolError } from "./errors.ts";
import { type Hex, toHex } from "./hash.ts";
import { manifestLeaf } from "./manifest.ts";
import { merkleRoot, verifyMerkleProof } from "./merkle.ts";

/** Frames that are known to be in an exam's manifest, with their digests. */
export type ManifestedFrames = ReadonlyMap<string, Hex>;

/** A frame as it was delivered: its bytes as stored, in whatever transfer syntax that is. */
export type DeliveredFrame = { sopInstanceUid: string; frame: number; bytes: Uint8Array };

/**
 * The frames of a manifest, once every one of them is proved. Of a manifest that covers the exam, they are all that it
 * has: a frame that is not among them is not the exam's.
 * @param root the ledger's (`ConsentLedger.pointerOf`), read by the caller from a node that it trusts
 * @throws {ProtocolError} `wrong-root` where something was added, left out or changed
 */
export function checkManifest({ covers, frames }: Manifest, root: Hex): ManifestedFrames {
  const leaves = frames.map((listed) => manifestLeaf(listed.salt as Hex, asFrame(listed)));
  const isUnder =
    covers === "exam"
      ? merkleRoot(leaves) === root
      : frames.every(({ proof }, i) => verifyMerkleProof(root, leaves[i] as Hex, (proof ?? []) as Hex[]));
  if (!isUnder) throw new ProtocolError("wrong-root", "The manifest is not the one on the ledger.");
  return new Map(frames.map((listed) => [keyOf(listed), listed.digest as Hex]));
}

/** Whether delivered bytes are those of the manifest; `unknown` for a frame that it does not list. */
export function checkFrame(
  manifested: ManifestedFrames,
  delivered: DeliveredFrame,
): "intact" | "changed" | "unknown" {
  const digest = manifested.get(keyOf(delivered));
  if (digest === undefined) return "unknown";
  return digest === toHex(sha256(delivered.bytes)) ? "intact" : "changed";
}

function asFrame({ sopInstanceUid, frame, digest }: Manifest["frames"][number]) {
  return { sopInstanceUid, frame, digest: digest as Hex };
}

function keyOf({ sopInstanceUid, frame }: { sopInstanceUid: string; frame: number }): string {
  return `${sopInstanceUid}/${frame}`;
}
