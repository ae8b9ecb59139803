/** What an exam consists of in the archive, and the digests of it. */
import { createHash } from "node:crypto";
import type { Hex } from "../../protocol/hash.ts";
import type { ArchiveClient, InstanceReference } from "../archive/client.ts";
import { numberOfFrames, stringOf } from "../archive/dicomJson.ts";
import { Problem } from "../problem.ts";

/** One instance; `frames` is 0 where it has no pixels. */
export type ListedInstance = InstanceReference & { frames: number };

/** One series; `images` are its frames, over all its instances. */
export type ListedSeries = { seriesInstanceUid: string; images: number };

/** What the archive lists for a study. */
export type Contents = {
  instances: ListedInstance[];
  series: ListedSeries[];
  /** A digest of the list: the same while nothing was added or taken away. */
  fingerprint: string;
};

/** Frames asked for in one request: the list is part of the URL. */
const FRAMES_AT_ONCE = 20;

/** An instance that the archive lists and cannot deliver. */
export type BadInstance = { sopInstanceUid: string; why: string };

/** @throws {Problem} `archive-unavailable` */
export async function listContents(archive: ArchiveClient, studyInstanceUid: string): Promise<Contents> {
  const instances: ListedInstance[] = [];
  const series: ListedSeries[] = [];
  for (const dataset of await archive.searchSeries(studyInstanceUid)) {
    const seriesInstanceUid = stringOf(dataset, "SeriesInstanceUID");
    if (!seriesInstanceUid) continue;
    const held = await listInstances(archive, studyInstanceUid, seriesInstanceUid);
    instances.push(...held);
    series.push({ seriesInstanceUid, images: countImages(held) });
  }
  return { instances, series, fingerprint: fingerprintOf(instances) };
}

/** The instances of one series, with their frames. @throws {Problem} `archive-unavailable` */
export async function listInstances(
  archive: ArchiveClient,
  studyInstanceUid: string,
  seriesInstanceUid: string,
): Promise<ListedInstance[]> {
  const instances: ListedInstance[] = [];
  const found = await archive.searchInstances(studyInstanceUid, seriesInstanceUid, {
    includeFields: ["Rows", "Columns", "NumberOfFrames"],
  });
  for (const instance of found) {
    const sopInstanceUid = stringOf(instance, "SOPInstanceUID");
    if (!sopInstanceUid) continue;
    const reference = { studyInstanceUid, seriesInstanceUid, sopInstanceUid };
    const frames = numberOfFrames(instance) || (await framesInMetadata(archive, reference));
    instances.push({ ...reference, frames });
  }
  return instances;
}

/** What people call images: frames, over all instances. */
export function countImages(instances: readonly ListedInstance[]): number {
  return instances.reduce((sum, { frames }) => sum + frames, 0);
}

/** An instance with the digests of its frames' stored bytes; none where it has no pixels. */
export type DigestedInstance = Omit<InstanceReference, "studyInstanceUid"> & { digests: Hex[] };

/**
 * The digests of every frame's stored bytes. An instance that cannot be read is left out and reported; that the
 * archive does not answer at all is a problem.
 * @throws {Problem} `archive-unavailable`
 */
export async function digestInstances(
  archive: ArchiveClient,
  instances: readonly ListedInstance[],
): Promise<{ read: DigestedInstance[]; bad: BadInstance[] }> {
  const read = new Map<string, DigestedInstance>();
  const bad: BadInstance[] = [];
  for (const instance of instances) {
    const { seriesInstanceUid, sopInstanceUid } = instance;
    try {
      if (read.has(sopInstanceUid)) throw new Problem("not-found", "Its UID is another instance's too.");
      const digests = await digestFrames(archive, instance);
      read.set(sopInstanceUid, { seriesInstanceUid, sopInstanceUid, digests });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      await archive.health();
      bad.push({ sopInstanceUid, why: error.detail });
    }
  }
  return { read: [...read.values()], bad };
}

/** The digests of an instance's frames, in order. @throws {Problem} */
export async function digestFrames(archive: ArchiveClient, instance: ListedInstance): Promise<Hex[]> {
  const { frames: count } = instance;
  const digests: Hex[] = [];
  while (digests.length < count) {
    const before = digests.length;
    const next = Math.min(FRAMES_AT_ONCE, count - before);
    const numbers = Array.from({ length: next }, (_, index) => before + index + 1);
    for await (const { bytes } of archive.frames(instance, numbers)) {
      const digest = createHash("sha256");
      for await (const chunk of bytes) digest.update(chunk);
      digests.push(`0x${digest.digest("hex")}`);
    }
    if (digests.length !== before + next) {
      throw new Problem("archive-unavailable", `${digests.length} of ${count} frames were delivered.`);
    }
  }
  return digests;
}

/** What lists no rows has no pixels, or is listed by an archive that says too little. */
async function framesInMetadata(archive: ArchiveClient, instance: InstanceReference): Promise<number> {
  try {
    return numberOfFrames(await archive.metadata(instance));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    await archive.health();
    // An instance that cannot be read is found out when its first frame is asked for.
    return 1;
  }
}

function fingerprintOf(instances: readonly ListedInstance[]): string {
  const lines = instances.map(
    ({ seriesInstanceUid, sopInstanceUid, frames }) => `${seriesInstanceUid} ${sopInstanceUid} ${frames}`,
  );
  return createHash("sha256").update(lines.sort().join("\n")).digest("hex");
}
