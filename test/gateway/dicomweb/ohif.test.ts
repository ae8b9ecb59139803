/**
 * What OHIF 3 asks of a DICOMweb server from its worklist to the first picture, from an origin of its own, in front of
 * Orthanc: by dicomweb-client and by Cornerstone's image loader as OHIF uses them, and as its own code fetches.
 */
import { getPixelData, internal } from "@cornerstonejs/dicom-image-loader";
import dcmjs from "dcmjs";
import { api } from "dicomweb-client";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type DicomDataset, stringOf } from "../../../gateway/archive/dicomJson.ts";
import { findOrthanc, startOrthanc } from "../../orthanc.ts";
import { dicomFiles, SAMPLE_FOLDERS } from "../../samples.ts";
import { SAMPLE_PATIENTS, World } from "../../world.ts";
import { FetchXmlHttpRequest } from "./xhr.ts";

/** Where OHIF is served from. */
const ORIGIN = "https://ohif.hospital.example";

/** Asks as a page of OHIF's: an answer that its browser would not hand on is an error. */
class PageXmlHttpRequest extends FetchXmlHttpRequest {
  override open(method: string, url: string): void {
    super.open(method, url);
    super.setRequestHeader("origin", ORIGIN);
  }
}

type Client = Record<
  "searchForStudies" | "searchForSeries" | "searchForInstances" | "retrieveSeriesMetadata",
  (options: object) => Promise<DicomDataset[]>
> &
  Record<"retrieveBulkData", (options: object) => Promise<ArrayBuffer[]>>;

/** As OHIF's default configuration has it; `singlepart` says what it takes without multipart. */
function clientOf(world: World, token: string, singlepart: string | false = "bulkdata,video"): Client {
  const url = `${world.gateway.url}/dicomweb`;
  const headers = { Authorization: `Bearer ${token}` };
  return new api.DICOMwebClient({ url, singlepart, headers } as never) as unknown as Client;
}

describe.skipIf(findOrthanc() === null)("OHIF 3 over Orthanc (needs Orthanc and its DICOMweb plugin)", () => {
  let world: World;
  let client: Client;
  let token: string;
  let root: string;
  let closeArchive: () => Promise<void>;
  /** The angiogram: one instance of 96 frames, with bulk data. */
  let study = "";
  let series = "";
  let metadata: DicomDataset[];

  beforeAll(async () => {
    const orthanc = await startOrthanc();
    closeArchive = orthanc.close;
    const names = /jpeg_baseline_8bit|jpeg_ls|rle|volume\/brain_00[12]/;
    await orthanc.add(SAMPLE_FOLDERS.flatMap(dicomFiles).filter((file) => names.test(file)));
    const { url, username, password } = orthanc;
    const archive = { DICOMWEB_URL: url, DICOMWEB_USERNAME: username, DICOMWEB_PASSWORD: password };
    world = await World.open({ environment: { ...archive, ALLOWED_ORIGINS: ORIGIN } });
    for (const patient of [SAMPLE_PATIENTS.brain, SAMPLE_PATIENTS.angiogram])
      await world.enrol(patient, "patient");
    await world.enrol(SAMPLE_PATIENTS.mr, "otherPatient");
    for (const { examId } of await world.examsOf("patient")) await world.grant("patient", examId, "reader");
    token = await world.signIn("reader");
    root = `${world.gateway.url}/dicomweb`;
    vi.stubGlobal("XMLHttpRequest", PageXmlHttpRequest);
    client = clientOf(world, token);
    const [found] = await client.searchForStudies({ queryParams: { "00100020": SAMPLE_PATIENTS.angiogram } });
    study = stringOf(found ?? {}, "StudyInstanceUID") ?? "";
    const [first] = await client.searchForSeries({ studyInstanceUID: study });
    series = stringOf(first ?? {}, "SeriesInstanceUID") ?? "";
    metadata = await client.retrieveSeriesMetadata({ studyInstanceUID: study, seriesInstanceUID: series });
  });
  afterAll(async () => {
    vi.unstubAllGlobals();
    await world?.close();
    await closeArchive?.();
  });

  const fetched = (path: string, headers: Record<string, string> = {}, method = "GET") =>
    fetch(`${root}${path}`, {
      method,
      headers: { origin: ORIGIN, authorization: `Bearer ${token}`, ...headers },
    });

  test("a browser lets its page ask, and read what it needs", async () => {
    for (const wanted of ["authorization", "accept,authorization", "accept,authorization,range"]) {
      const preflight = await fetch(`${root}/studies`, {
        method: "OPTIONS",
        headers: {
          origin: ORIGIN,
          "access-control-request-method": "GET",
          "access-control-request-headers": wanted,
        },
      });
      expect(preflight.status).toBe(204);
      expect(preflight.headers.get("access-control-allow-origin")).toBe(ORIGIN);
      expect(preflight.headers.get("access-control-allow-methods")).toContain("GET");
      const allowed = preflight.headers.get("access-control-allow-headers")?.split(", ") ?? [];
      expect(allowed).toEqual(expect.arrayContaining(wanted.split(",")));
    }
    for (const path of ["/studies", `/studies/${study}/metadata`, "/studies/1.2.3/metadata", "/nowhere"]) {
      const answer = await fetched(path);
      expect([path, answer.headers.get("access-control-allow-origin")]).toEqual([path, ORIGIN]);
      expect(answer.headers.get("access-control-expose-headers")).toContain("content-type");
      expect(answer.headers.get("vary")?.toLowerCase()).toContain("origin");
    }
    const elsewhere = await fetched("/studies", { origin: "https://elsewhere.example" });
    expect(elsewhere.headers.get("access-control-allow-origin")).toBeNull();
  });

  test("the worklist has what OHIF shows of a study, and of no other", async () => {
    const worklist = {
      limit: 101,
      offset: 0,
      fuzzymatching: false,
      includefield: "00081030,00080060,00080090,00100030",
    };
    const all = await client.searchForStudies({ queryParams: worklist });
    expect(all.map((each) => stringOf(each, "PatientID")).sort()).toEqual(
      [SAMPLE_PATIENTS.brain, SAMPLE_PATIENTS.angiogram].sort(),
    );
    const brain = all.find((each) => stringOf(each, "PatientID") === SAMPLE_PATIENTS.brain) ?? {};
    // The tags that OHIF's `processResults` reads.
    expect(brain["0020000D"]?.Value).toHaveLength(1);
    expect(brain["00080020"]?.Value?.[0]).toMatch(/^\d{8}$/);
    expect(brain["00081030"]?.Value).toEqual(["BRAIN"]);
    expect(brain["00080061"]?.Value).toEqual(["MR"]);
    expect(Number(brain["00201208"]?.Value?.[0])).toBe(2);
    const found = async (queryParams: object) =>
      (await client.searchForStudies({ queryParams: { ...worklist, ...queryParams } })).map((each) =>
        stringOf(each, "PatientID"),
      );
    expect(await found({ PatientName: "*Rubo*" })).toEqual([SAMPLE_PATIENTS.angiogram]);
    expect(await found({ "00100020": "*3565*" })).toEqual([SAMPLE_PATIENTS.brain]);
    expect(await found({ StudyDescription: "*RAI*" })).toEqual([SAMPLE_PATIENTS.brain]);
    expect((await found({ ModalitiesInStudy: ["MR", "XA"] })).sort()).toHaveLength(2);
    expect(await found({ ModalitiesInStudy: "CT" })).toEqual([]);
    expect(await found({ StudyDate: "20010101-20011231" })).toEqual([SAMPLE_PATIENTS.brain]);
    expect(await found({ StudyInstanceUID: `${study}\\1.2.3` })).toEqual([SAMPLE_PATIENTS.angiogram]);
    expect(await found({ offset: 101 })).toEqual([]);
  });

  test("a study's series have what OHIF shows of them", async () => {
    const queryParams = { includefield: "0008103E,00080021" };
    const [found, ...more] = await client.searchForSeries({ studyInstanceUID: study, queryParams });
    expect(more).toEqual([]);
    expect(found?.["0020000D"]?.Value).toEqual([study]);
    expect(found?.["0020000E"]?.Value).toEqual([series]);
    expect(found?.["00080060"]?.Value).toEqual(["XA"]);
    expect(Number(found?.["00201209"]?.Value?.[0])).toBe(1);
    expect(found).toHaveProperty("00200011");
    const filtered = { SeriesInstanceUID: series };
    expect(await client.searchForSeries({ studyInstanceUID: study, queryParams: filtered })).toHaveLength(1);
  });

  test("a series' metadata is what OHIF builds its displays from, and its bulk data is here", async () => {
    expect(metadata).toHaveLength(1);
    const instance = dcmjs.data.DicomMetaDictionary.naturalizeDataset(metadata[0] ?? {});
    expect(instance).toMatchObject({
      ...{ StudyInstanceUID: study, SeriesInstanceUID: series, Modality: "XA" },
      ...{ Rows: 512, Columns: 512, NumberOfFrames: 96, BitsAllocated: 8 },
    });
    const uris = Object.values(metadata[0] ?? {}).flatMap(({ BulkDataURI }) => BulkDataURI ?? []);
    expect(uris.length).toBeGreaterThan(0);
    for (const BulkDataURI of uris) {
      expect(BulkDataURI.startsWith(`${root}/studies/${study}/`)).toBe(true);
      const options = { multipart: false, BulkDataURI, StudyInstanceUID: study };
      const [single] = await client.retrieveBulkData(options);
      const [multi] = await clientOf(world, token, false).retrieveBulkData(options);
      expect(single?.byteLength).toBeGreaterThan(0);
      expect(multi?.byteLength).toBe(single?.byteLength);
    }
  });

  test("Cornerstone's loader takes the frames, whole and where it asks for a range", async () => {
    internal.setOptions({ beforeSend: async () => ({ Authorization: `Bearer ${token}` }) } as never);
    const instance = stringOf(metadata[0] ?? {}, "SOPInstanceUID");
    const uri = `${root}/studies/${study}/series/${series}/instances/${instance}/frames/96`;
    // With quotes, and as `omitQuotationForMultipartRequest` has it.
    for (const accept of [
      'multipart/related; type="application/octet-stream"; transfer-syntax="*"',
      "multipart/related; type=application/octet-stream; transfer-syntax=*",
      'multipart/related; type="image/jpeg"; transfer-syntax="1.2.840.10008.1.2.4.50"; transfer-syntax="*"',
    ]) {
      const frame = await getPixelData(uri, `wadors:${uri}`, accept, {});
      expect(frame.contentType).toBe("image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.50");
      const { format } = await sharp(Buffer.from(frame.pixelData)).metadata();
      expect(format).toBe("jpeg");
    }
    const answer = await fetched(`${uri.slice(root.length)}`, { range: "bytes=0-65535" });
    expect([answer.status, answer.headers.get("content-range")]).toEqual([200, null]);
  });

  test("thumbnails come by each way that OHIF is configured for", async () => {
    const jpeg = async (bytes: ArrayBuffer | undefined) => {
      const { format, width } = await sharp(Buffer.from(bytes ?? new ArrayBuffer())).metadata();
      return [format, width];
    };
    const paths = [`/studies/${study}`, `/studies/${study}/series/${series}`];
    for (const path of paths) {
      for (const resource of ["thumbnail", "rendered"]) {
        const answer = await fetched(`${path}/${resource}?viewport=256%2C256`, { accept: "image/jpeg" });
        expect(answer.headers.get("content-type")).toBe("image/jpeg");
        expect(await jpeg(await answer.arrayBuffer())).toEqual(["jpeg", 256]);
        const BulkDataURI = `${root}${path}/${resource}?accept=image%2Fjpeg`;
        for (const each of [client, clientOf(world, token, false)]) {
          const [bytes] = await each.retrieveBulkData({ multipart: false, BulkDataURI });
          expect((await jpeg(bytes))[0]).toBe("jpeg");
        }
      }
    }
    const queryParams = { limit: 1, includefield: "00080018" };
    const instances = { studyInstanceUID: study, seriesInstanceUID: series, queryParams };
    expect((await client.searchForInstances(instances))[0]?.["00080018"]?.Value).toHaveLength(1);
  });

  test("a session that ended is a 401 that the page may read", async () => {
    for (const path of ["/studies", `/studies/${study}/series/${series}/metadata`]) {
      const answer = await fetched(path, { authorization: "Bearer ended" });
      expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([401, ORIGIN]);
      expect(answer.headers.get("www-authenticate")).toContain("Bearer");
    }
  });
});
