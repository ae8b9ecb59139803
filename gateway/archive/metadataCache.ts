/**
 * Metadata kept for as long as the archive's listings are trusted: bulk data and many frames are found by it, each by a
 * request of its own, and so is every instance that viewers ask for one by one.
 */
import { BoundedCache } from "./boundedCache.ts";
import type { ArchiveClient, CallOptions, InstanceReference } from "./client.ts";
import type { DicomDataset } from "./dicomJson.ts";

/** Bytes of DICOM JSON, all instances together; in memory it takes some times that. */
const MOST = 8 * 1024 * 1024;

/** Milliseconds. */
const LIFETIME = 30_000;

export class MetadataCache {
  readonly #kept = new BoundedCache<DicomDataset>(MOST, LIFETIME);

  /** As `ArchiveClient.metadata`, which is asked where nothing is kept. Not to be changed. @throws {Problem} */
  async get(archive: ArchiveClient, instance: InstanceReference, call: CallOptions): Promise<DicomDataset> {
    const { studyInstanceUid, seriesInstanceUid, sopInstanceUid } = instance;
    const key = `${studyInstanceUid} ${seriesInstanceUid} ${sopInstanceUid}`;
    const kept = this.#kept.get(key);
    if (kept) return kept;
    const { generation } = this.#kept;
    const { dataset, size } = await archive.sizedMetadata(instance, call);
    this.#kept.set(key, dataset, size, generation);
    return dataset;
  }

  /** Keep nothing of what was kept: an exam changed. */
  clear(): void {
    this.#kept.clear();
  }
}
