/** One suite for every archive: the embedded one and Orthanc must give the same answers on the same files. */
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ArchiveClient, type InstanceReference } from "../../gateway/archive/client.ts";
import {
  type DicomDataset,
  elementOf,
  numberOf,
  numberOfFrames,
  stringOf,
  stringsOf,
} from "../../gateway/archive/dicomJson.ts";
import { readDicomFile } from "../../gateway/archive/embedded/dicomFile.ts";
import { startEmbeddedArchive } from "../../gateway/archive/embedded/server.ts";
import { Renderer } from "../../gateway/archive/rendering/renderer.ts";
import { findOrthanc, startOrthanc } from "../orthanc.ts";
import { dicomFiles, SAMPLE_FOLDERS, sharedFolder } from "../samples.ts";

type Running = { archive: ArchiveClient; close(): Promise<void> };
type Start = (files: readonly string[]) => Promise<Running>;

const embedded: Start = async (files) => {
  const store = await mkdtemp(join(tmpdir(), "examkey-store-"));
  const server = await startEmbeddedArchive({ folders: [], store });
  const archive = new ArchiveClient(server);
  await storeFirstOnes(archive, files);
  const close = async () => {
    await archive.close();
    await server.close();
    await rm(store, { recursive: true });
  };
  return { archive, close };
};

const orthanc: Start = async (files) => {
  const server = await startOrthanc();
  const archive = new ArchiveClient(server);
  await storeFirstOnes(archive, files);
  const close = async () => {
    await archive.close();
    await server.close();
  };
  return { archive, close };
};

/** Orthanc keeps the last of two equal UIDs, we the first: give both the same files. */
async function storeFirstOnes(archive: ArchiveClient, files: readonly string[]) {
  for (const file of files) {
    const { failed } = await archive.store([await readFile(file)]);
    if (failed.length > 0) throw new Error(`${file} was not stored: ${failed[0]?.reason}`);
  }
}

/** `explicit_big.dcm` repeats the UID of another file. */
const FILES = SAMPLE_FOLDERS.flatMap(dicomFiles).filter((file) => basename(file) !== "explicit_big.dcm");
const CT_HEAD = sharedFolder("ct-head");
const OTHERS = sharedFolder("other-objects");
const SYNTAXES = sharedFolder("transfer-syntaxes");
const MALFORMED = sharedFolder("malformed");

const ARCHIVES: Array<[string, Start, boolean]> = [
  ["the embedded archive", embedded, true],
  ["Orthanc (needs Orthanc and its DICOMweb plugin)", orthanc, findOrthanc() !== null],
];

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

async function bytesOf(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await all(bytes));
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Every instance that an archive lists, by walking down its searches. */
async function* everyInstance(archive: ArchiveClient): AsyncGenerator<InstanceReference> {
  for await (const study of archive.allStudies({})) {
    const studyInstanceUid = stringOf(study, "StudyInstanceUID") ?? "";
    for (const series of await archive.searchSeries(studyInstanceUid)) {
      const seriesInstanceUid = stringOf(series, "SeriesInstanceUID") ?? "";
      for (const instance of await archive.searchInstances(studyInstanceUid, seriesInstanceUid)) {
        yield {
          studyInstanceUid,
          seriesInstanceUid,
          sopInstanceUid: stringOf(instance, "SOPInstanceUID") ?? "",
        };
      }
    }
  }
}

/** Attributes that the gateway and its viewers rest on. */
const KEYS = [
  "PatientID",
  "StudyInstanceUID",
  "SeriesInstanceUID",
  "SOPInstanceUID",
  "SOPClassUID",
  "Modality",
  "Rows",
  "Columns",
  "BitsAllocated",
  "BitsStored",
  "PixelRepresentation",
  "PhotometricInterpretation",
  "RescaleSlope",
  "RescaleIntercept",
  "WindowCenter",
  "WindowWidth",
  "ImagePositionPatient",
  "ImageOrientationPatient",
  "PixelSpacing",
];

function summary(dataset: DicomDataset): Record<string, string[]> {
  return Object.fromEntries(KEYS.map((keyword) => [keyword, stringsOf(dataset, keyword).map(asNumber)]));
}

/** `1.0` and `1` are one number. */
function asNumber(text: string): string {
  return text !== "" && Number.isFinite(Number(text)) ? String(Number(text)) : text;
}

describe.each(ARCHIVES)("%s", (_name, start, installed) => {
  describe.skipIf(!installed)("over the packages' samples", () => {
    let running: Running;
    let archive: ArchiveClient;

    beforeAll(async () => {
      running = await start(FILES);
      archive = running.archive;
    });
    afterAll(() => running.close());

    const MR_STUDY = { patientId: "123565" };

    it("answers when asked whether it is there", async () => {
      await expect(archive.health()).resolves.toBeUndefined();
    });

    it("lists every instance that was stored, once", async () => {
      const listed = await all(everyInstance(archive));
      expect(listed.length).toBe(FILES.length);
      expect(new Set(listed.map(({ sopInstanceUid }) => sopInstanceUid)).size).toBe(FILES.length);
    });

    it("finds a patient's studies by the patient id, to the letter", async () => {
      const found = await all(archive.allStudies(MR_STUDY));
      expect(found.map((study) => stringOf(study, "PatientID"))).toEqual(["123565"]);
      expect(numberOf(found[0] ?? {}, "NumberOfStudyRelatedInstances")).toBe(20);
      expect(await all(archive.allStudies({ patientId: "1235*" }))).toEqual([]);
      expect(await all(archive.allStudies({ patientId: "556342b" }))).toEqual([]);
    });

    it("finds two studies of one patient, page by page", async () => {
      const both = await all(archive.allStudies({ patientId: "1CT1" }));
      expect(both.length).toBe(2);
      const [first] = await archive.searchStudies({ patientId: "1CT1", limit: 1 });
      const [second] = await archive.searchStudies({ patientId: "1CT1", limit: 1, offset: 1 });
      const uids = [first, second].map((study) => study && stringOf(study, "StudyInstanceUID"));
      expect(new Set(uids)).toEqual(new Set(both.map((study) => stringOf(study, "StudyInstanceUID"))));
    });

    it("refuses an empty key, which would match everything", async () => {
      await expect(archive.searchStudies({ patientId: " " })).rejects.toMatchObject({
        reason: "malformed-request",
      });
    });

    it("finds nothing for an issuer that no study has", async () => {
      expect(await archive.searchStudies({ patientId: "123565", issuerOfPatientId: "ELSEWHERE" })).toEqual(
        [],
      );
    });

    it("has nothing under an unknown study, series or instance", async () => {
      const [known] = await all(everyInstance(archive));
      if (!known) throw new Error("nothing is stored");
      expect(await archive.searchSeries("1.2.3")).toEqual([]);
      expect(await archive.searchInstances(known.studyInstanceUid, "1.2.3")).toEqual([]);
      const unknown = { ...known, sopInstanceUid: "1.2.3" };
      await expect(archive.metadata(unknown)).rejects.toMatchObject({ reason: "not-found" });
      await expect(archive.retrieve(unknown)).rejects.toMatchObject({ reason: "not-found" });
      await expect(all(archive.frames(unknown, [1]))).rejects.toMatchObject({ reason: "not-found" });
    });

    it("does not give an instance under another study or series", async () => {
      const listed = await all(everyInstance(archive));
      const [one] = listed;
      const other = listed.find(({ studyInstanceUid }) => studyInstanceUid !== one?.studyInstanceUid);
      if (!one || !other) throw new Error("two studies are needed");
      for (const wrong of [
        { ...one, sopInstanceUid: other.sopInstanceUid },
        { ...other, studyInstanceUid: one.studyInstanceUid },
        { ...other, seriesInstanceUid: one.seriesInstanceUid },
      ]) {
        await expect(archive.metadata(wrong)).rejects.toMatchObject({ reason: "not-found" });
        await expect(archive.retrieve(wrong)).rejects.toMatchObject({ reason: "not-found" });
      }
    });

    it("refuses a UID that is none before anything is asked", async () => {
      await expect(archive.searchSeries("../1.2")).rejects.toMatchObject({ reason: "malformed-uid" });
      await expect(archive.searchSeries(`1.${"2".repeat(63)}`)).rejects.toMatchObject({
        reason: "malformed-uid",
      });
    });

    it("gives back each file's bytes as they were stored", async () => {
      const stored = await Promise.all(FILES.map(async (file) => sha256(await readFile(file))));
      const given: string[] = [];
      for await (const instance of everyInstance(archive)) {
        const { mediaType, bytes } = await archive.retrieve(instance);
        expect(mediaType).toBe("application/dicom");
        given.push(sha256(await bytesOf(bytes)));
      }
      expect(given.sort()).toEqual(stored.sort());
    });

    it("gives several frames in the order asked for", async () => {
      const [study] = await all(archive.allStudies({ patientId: "556342B" }));
      const studyInstanceUid = stringOf(study ?? {}, "StudyInstanceUID") ?? "";
      const [series] = await archive.searchSeries(studyInstanceUid);
      const seriesInstanceUid = stringOf(series ?? {}, "SeriesInstanceUID") ?? "";
      const [listed] = await archive.searchInstances(studyInstanceUid, seriesInstanceUid);
      const sopInstanceUid = stringOf(listed ?? {}, "SOPInstanceUID") ?? "";
      const instance = { studyInstanceUid, seriesInstanceUid, sopInstanceUid };
      expect(numberOfFrames(await archive.metadata(instance))).toBe(96);
      const digests = async (frames: number[]) => {
        const list: string[] = [];
        for await (const { bytes } of archive.frames(instance, frames))
          list.push(sha256(await bytesOf(bytes)));
        return list;
      };
      const [first, second] = await digests([1, 2]);
      expect(first).not.toBe(second);
      expect(await digests([2, 1])).toEqual([second, first]);
      expect(await digests([96])).toHaveLength(1);
      await expect(digests([97])).rejects.toThrow();
    });

    it("gives a long value where the metadata says that it is", async () => {
      for await (const instance of everyInstance(archive)) {
        const metadata = await archive.metadata(instance);
        for (const element of Object.values(metadata)) {
          if (element.BulkDataURI === undefined) continue;
          const { bytes } = await archive.bulkData(instance, element.BulkDataURI);
          expect((await bytesOf(bytes)).length).toBeGreaterThan(0);
        }
      }
    });

    it("follows no bulk data address that leads elsewhere", async () => {
      const [instance] = await all(everyInstance(archive));
      if (!instance) throw new Error("nothing is stored");
      for (const uri of [
        "http://127.0.0.1:1/studies/1/bulkdata/00091002",
        "../../../../../../system",
        "bulkdata/..%2f..%2fsystem",
        "/instances",
      ]) {
        await expect(archive.bulkData(instance, uri)).rejects.toMatchObject({
          reason: "archive-unavailable",
        });
      }
    });

    it("stops in the middle of a body when told to", async () => {
      const [instance] = await all(everyInstance(archive));
      if (!instance) throw new Error("nothing is stored");
      const abort = new AbortController();
      const { bytes } = await archive.retrieve(instance, { signal: abort.signal });
      const reason = new Error("enough");
      abort.abort(reason);
      await expect(bytesOf(bytes)).rejects.toBe(reason);
    });

    it("takes the good files of a store and refuses the others by themselves", async () => {
      const [good = ""] = FILES;
      const result = await archive.store([Buffer.from("no DICOM"), await readFile(good), Buffer.alloc(200)]);
      expect(result.stored).toHaveLength(1);
      expect(result.failed).toHaveLength(2);
      expect(result.failed[0]?.reason).toBe("the file cannot be understood as DICOM");
    });
  });

  describe.skipIf(!installed || !MALFORMED)("over malformed files (needs ../shared/dicom)", () => {
    it("refuses or serves each by itself, and keeps the rest", async () => {
      const { archive, close } = await start([]);
      try {
        const files = await Promise.all(dicomFiles(MALFORMED ?? "").map((file) => readFile(file)));
        const good = await readFile(FILES[0] ?? "");
        const result = await archive.store([...files, good]);
        expect(result.stored.length + result.failed.length).toBe(files.length + 1);
        expect(result.failed.length).toBeGreaterThan(0);
        const listed = await all(everyInstance(archive));
        expect(listed.map(({ sopInstanceUid }) => sopInstanceUid).sort()).toEqual(
          result.stored.map(({ sopInstanceUid }) => sopInstanceUid).sort(),
        );
        for (const instance of listed) expect(await archive.metadata(instance)).toBeTruthy();
      } finally {
        await close();
      }
    });
  });
});

describe.skipIf(findOrthanc() === null)("both archives (needs Orthanc and its DICOMweb plugin)", () => {
  /** What one archive says of everything it has, by SOP Instance UID. */
  async function account(archive: ArchiveClient) {
    const renderer = new Renderer(archive);
    const accounts = new Map<string, object>();
    const options = { type: "image/png", quality: 90, window: null, viewport: null } as const;
    for await (const instance of everyInstance(archive)) {
      const metadata = await archive.metadata(instance);
      const frames: Array<[string | null, string]> = [];
      for (let frame = 1; frame <= Math.min(3, numberOfFrames(metadata)); frame += 1) {
        for await (const { transferSyntaxUid, bytes } of archive.frames(instance, [frame])) {
          frames.push([transferSyntaxUid, sha256(await bytesOf(bytes))]);
        }
      }
      const picture = await renderer.picture({ instance, frame: 1, options });
      const bulk: Record<string, string> = {};
      for (const keyword of ["RedPaletteColorLookupTableData", "GreenPaletteColorLookupTableData"]) {
        const element = elementOf(metadata, keyword);
        if (element?.InlineBinary) bulk[keyword] = sha256(Buffer.from(element.InlineBinary, "base64"));
        if (element?.BulkDataURI === undefined) continue;
        bulk[keyword] = sha256(await bytesOf((await archive.bulkData(instance, element.BulkDataURI)).bytes));
      }
      accounts.set(instance.sopInstanceUid, {
        ...summary(metadata),
        frames,
        bulk,
        picture: [picture.missing, sha256(picture.bytes)],
      });
    }
    await renderer.close();
    return Object.fromEntries([...accounts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  async function agreeOn(files: readonly string[]) {
    const [ours, theirs] = await Promise.all([embedded(files), orthanc(files)]);
    try {
      const [account1, account2] = [await account(ours.archive), await account(theirs.archive)];
      expect(Object.keys(account1).length).toBe(files.length);
      expect(account1).toEqual(account2);
    } finally {
      await Promise.all([ours.close(), theirs.close()]);
    }
  }

  it("agree on the packages' samples: attributes, frame bytes, pictures", () => agreeOn(FILES));

  it.skipIf(!CT_HEAD)("agree on the head CT (needs ../shared/dicom)", () =>
    agreeOn(dicomFiles(CT_HEAD ?? "")),
  );

  it.skipIf(!OTHERS)("agree on objects that are not plain images (needs ../shared/dicom)", () =>
    agreeOn(dicomFiles(OTHERS ?? "").filter((file) => !NO_INSTANCES.has(basename(file)))),
  );

  it.skipIf(!SYNTAXES)("agree on every transfer syntax (needs ../shared/dicom)", async () => {
    const files = dicomFiles(SYNTAXES ?? "").filter((file) => !NOT_IN_ORTHANC.test(file));
    for (const batch of await withoutRepeats(files)) await agreeOn(batch);
  });
});

/** Files in batches, so that no SOP Instance UID comes twice in one. */
async function withoutRepeats(files: readonly string[]): Promise<string[][]> {
  const batches: string[][] = [];
  const seen = new Map<string, number>();
  for (const file of files) {
    const uid = (await readDicomFile(file)).dataSet.string("x00080018") ?? "";
    const at = seen.get(uid) ?? 0;
    seen.set(uid, at + 1);
    batches[at] ??= [];
    batches[at].push(file);
  }
  return batches;
}

/**
 * What Orthanc 1.10 does not give as it is stored: frames of retired JPEG processes, which it has no media type for,
 * and uncompressed frames with halved chroma, which it refuses.
 */
const NOT_IN_ORTHANC = /JPEGProcess(6_8|10_12)|YBR_FULL_422-EVRLE/;

/** No UIDs, no prefix: not instances in the sense of PS3.10. */
const NO_INSTANCES = new Set(["nested_priv_SQ.dcm", "rtstruct.dcm"]);
