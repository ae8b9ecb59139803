/** Exams' manifests as they are kept: what their roots are made of, and what of them a reader is given. */
import { asc, eq } from "drizzle-orm";
import type { Manifest } from "../../protocol/api.ts";
import type { Hex } from "../../protocol/hash.ts";
import {
  leafSalt,
  type ManifestFrame,
  manifestLeaf,
  manifestLeaves,
  NO_PIXELS,
} from "../../protocol/manifest.ts";
import { merkleProofs, merkleRoot } from "../../protocol/merkle.ts";
import type { Database } from "../database/database.ts";
import { manifestInstances } from "../database/schema.ts";
import type { AllowedSeries } from "../dicomweb/access.ts";

/** An instance with the digests of its frames; none where it has no pixels. */
export type ManifestInstance = Omit<typeof manifestInstances.$inferSelect, "examId">;

/** Rows in one insert. */
const AT_ONCE = 500;

/** What an exam's manifest is made of; empty where its digests were never kept. */
export function manifestOf(database: Database, examId: Hex): Promise<ManifestInstance[]> {
  const { seriesInstanceUid, sopInstanceUid, digests } = manifestInstances;
  return database
    .select({ seriesInstanceUid, sopInstanceUid, digests })
    .from(manifestInstances)
    .where(eq(manifestInstances.examId, examId))
    .orderBy(asc(seriesInstanceUid), asc(sopInstanceUid));
}

/** Add instances to what an exam's manifest is made of; those that are in it stay as they are. */
export async function addToManifest(
  database: Database,
  examId: Hex,
  instances: readonly ManifestInstance[],
): Promise<void> {
  for (let first = 0; first < instances.length; first += AT_ONCE) {
    const rows = instances.slice(first, first + AT_ONCE).map((instance) => ({ examId, ...instance }));
    await database.insert(manifestInstances).values(rows).onConflictDoNothing();
  }
}

/** Forget what an exam's manifest is made of. */
export async function clearManifest(database: Database, examId: Hex): Promise<void> {
  await database.delete(manifestInstances).where(eq(manifestInstances.examId, examId));
}

/** The root over at least one instance. */
export function rootOf(examSalt: Hex, instances: readonly ManifestInstance[]): Hex {
  return merkleRoot(manifestLeaves(examSalt, instances.flatMap(framesOf)));
}

/** What a reader is given: every leaf of the exam, or, with their proofs, those of the series that are open to them. */
export function describeManifest(
  examSalt: Hex,
  instances: readonly ManifestInstance[],
  allowed: AllowedSeries,
): Pick<Manifest, "covers" | "frames"> {
  const all = instances.flatMap((instance) =>
    framesOf(instance).map((frame) => {
      const salt = leafSalt(examSalt, frame.sopInstanceUid, frame.frame);
      const { seriesInstanceUid } = instance;
      return { leaf: manifestLeaf(salt, frame), listed: { seriesInstanceUid, ...frame, salt } };
    }),
  );
  if (allowed === "all")
    return { covers: "exam", frames: all.map(({ listed }) => ({ ...listed, proof: null })) };
  const open = all.filter(({ listed }) => allowed.has(listed.seriesInstanceUid));
  const proofs = merkleProofs(
    all.map(({ leaf }) => leaf),
    open.map(({ leaf }) => leaf),
  );
  const frames = open.map(({ listed }, i) => ({ ...listed, proof: proofs[i] ?? [] }));
  return { covers: "series", frames };
}

function framesOf({ sopInstanceUid, digests }: ManifestInstance): ManifestFrame[] {
  if (digests.length === 0) return [{ sopInstanceUid, frame: 0, digest: NO_PIXELS }];
  return digests.map((digest, index) => ({ sopInstanceUid, frame: index + 1, digest }));
}
