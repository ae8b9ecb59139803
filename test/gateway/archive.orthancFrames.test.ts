/** Frames by Orthanc's own interface: the same as by DICOMweb, and by DICOMweb wherever they cannot be had so. */
import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ArchiveClient, type InstanceReference } from "../../gateway/archive/client.ts";
import { type DicomDataset, numberOfFrames, stringOf } from "../../gateway/archive/dicomJson.ts";
import { findOrthanc, type Orthanc, startOrthanc } from "../orthanc.ts";
import { dicomFiles, SAMPLE_FOLDERS, sharedFolder } from "../samples.ts";
import { startWiretap, type Wiretap } from "./dicomweb/wiretap.ts";

type Listed = InstanceReference & { patientId: string; frames: number };

const SYNTAXES = sharedFolder("transfer-syntaxes");

describe.skipIf(!findOrthanc())("Orthanc's own frames (needs Orthanc and its DICOMweb plugin)", () => {
  let orthanc: Orthanc;
  let relay: Wiretap;
  let archive: ArchiveClient;
  let instances: Listed[];
  beforeAll(async () => {
    orthanc = await startOrthanc();
    const direct = new ArchiveClient(orthanc);
    const folders = SYNTAXES ? [...SAMPLE_FOLDERS, SYNTAXES] : SAMPLE_FOLDERS;
    // Some of them Orthanc does not take.
    for (const file of folders.flatMap(dicomFiles)) await direct.store([await readFile(file)]);
    instances = await listAll(direct);
    await direct.close();
    relay = await startWiretap(orthanc.url);
  });
  afterAll(async () => {
    await relay.close();
    await orthanc.close();
  });
  beforeEach(async () => {
    await archive?.close();
    relay.lets = () => true;
    relay.asked.length = 0;
    archive = new ArchiveClient({ url: relay.url, authorization: orthanc.authorization });
  });
  afterAll(() => archive.close());

  const paths = () => relay.asked.map(({ url }) => url);
  const framesAsked = (part: string) =>
    paths().filter((path) => path.includes(part) && path.includes("/frames/"));

  it("are what DICOMweb gives of every sample, byte for byte, and called the same", async () => {
    const compared = new Set<string | null>();
    for (const { frames, ...instance } of instances) {
      const { patientId: _, ...reference } = instance;
      const usual = await received(archive, reference, frames).catch(() => null);
      const sooner = await received(archive, instance, frames).catch(() => null);
      expect(sooner).toEqual(usual);
      compared.add(usual?.transferSyntaxUid ?? null);
    }
    expect(framesAsked("/raw").length).toBeGreaterThan(instances.length / 2);
    // Native, JPEG, lossless JPEG, JPEG-LS, JPEG 2000, RLE.
    for (const syntax of ["1.2.1", "1.2", "1.2.4.50", "1.2.4.70", "1.2.4.81", "1.2.4.91", "1.2.5"])
      expect(compared).toContain(`1.2.840.10008.${syntax}`);
  });

  it("are asked for by DICOMweb where only that is let through, and not tried each time", async () => {
    relay.lets = (path) => path.startsWith("/dicom-web/");
    const instance = someInstance();
    for (let times = 0; times < 3; times += 1)
      expect((await received(archive, instance, 1)).length).toBeGreaterThan(0);
    expect(framesAsked("/dicom-web/")).toHaveLength(3);
    expect(paths().filter((path) => path === "/system")).toHaveLength(1);
  });

  it("are asked for by DICOMweb when Orthanc lets us in no more, and not tried each time", async () => {
    const instance = someInstance();
    await received(archive, instance, 1);
    expect(framesAsked("/dicom-web/")).toHaveLength(0);
    relay.lets = (path) => !path.startsWith("/instances/");
    relay.asked.length = 0;
    for (let times = 0; times < 3; times += 1) await received(archive, instance, 1);
    expect(framesAsked("/dicom-web/")).toHaveLength(3);
    expect(paths().filter((path) => !path.startsWith("/dicom-web/"))).toHaveLength(1);
  });

  it("are called what they are once an instance was stored in another syntax", async () => {
    const instance = someInstance();
    await received(archive, instance, 1);
    archive.forget();
    relay.asked.length = 0;
    await received(archive, instance, 1);
    expect(paths().some((path) => path.endsWith("/metadata/TransferSyntax"))).toBe(true);
  });

  it("are asked for by DICOMweb where the patient's id is another than the archive's", async () => {
    const instance = { ...someInstance(), patientId: "nobody's" };
    await received(archive, instance, 1);
    expect(framesAsked("/dicom-web/")).toHaveLength(1);
    expect(framesAsked("/raw")).toHaveLength(0);
  });

  it("are not asked for where the caller has gone", async () => {
    await received(archive, someInstance(), 1);
    relay.asked.length = 0;
    const gone = AbortSignal.abort(new Error("gone"));
    await expect(archive.frame(someInstance(), 1, { signal: gone })).rejects.toThrow("gone");
    expect(framesAsked("/")).toEqual([]);
  });

  function someInstance(): Listed {
    const found = instances.find(({ patientId }) => patientId === "556342B");
    if (!found) throw new Error("The sample is missing.");
    return found;
  }
});

async function received(archive: ArchiveClient, instance: InstanceReference, frame: number) {
  const content = await archive.frame(instance, frame);
  const chunks = await Array.fromAsync(content.bytes);
  const { mediaType, transferSyntaxUid } = content;
  const bytes = Buffer.concat(chunks);
  return { mediaType, transferSyntaxUid, length: bytes.length, sha256: hash("sha256", bytes) };
}

/** Every instance with pixels. */
async function listAll(archive: ArchiveClient): Promise<Listed[]> {
  const all: Listed[] = [];
  const fields = { includeFields: ["NumberOfFrames", "Rows", "Columns", "PatientID"] };
  const uid = (dataset: DicomDataset, keyword: string) => stringOf(dataset, keyword) ?? "";
  for await (const study of archive.allStudies({})) {
    const studyInstanceUid = uid(study, "StudyInstanceUID");
    for (const series of await archive.searchSeries(studyInstanceUid)) {
      const seriesInstanceUid = uid(series, "SeriesInstanceUID");
      for (const dataset of await archive.searchInstances(studyInstanceUid, seriesInstanceUid, fields)) {
        const frames = numberOfFrames(dataset);
        const sopInstanceUid = uid(dataset, "SOPInstanceUID");
        const patientId = uid(dataset, "PatientID");
        if (frames > 0) all.push({ studyInstanceUid, seriesInstanceUid, sopInstanceUid, patientId, frames });
      }
    }
  }
  return all;
}
