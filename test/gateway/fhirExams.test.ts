import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { Bundle, CapabilityStatement, Endpoint, ImagingStudy, OperationOutcome } from "fhir/r4.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Exam } from "../../protocol/api.ts";
import { MADE_PATIENT_ID, madeSample } from "../madeSample.ts";
import { type PersonName, SAMPLE_FOLDERS, World } from "../world.ts";
import { faultsOf } from "./r4.ts";

let world: World;
let brain: Exam;
let pet: Exam;
/** Of the other patient's: two series, with two instances and one. */
let wide: Exam;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "examkey-fhir-"));
  for (const [series, instance] of [
    [1, 1],
    [1, 2],
    [2, 1],
  ] as const)
    await writeFile(join(folder, `${series}-${instance}.dcm`), await madeSample({ series, instance }));
  world = await World.open({ environment: { DICOM_DIRS: [...SAMPLE_FOLDERS, folder].join(delimiter) } });
  ({ brain, pet } = await world.enrolTwoExams());
  await world.enrol(MADE_PATIENT_ID, "otherPatient");
  [wide] = (await world.examsOf("otherPatient")) as [Exam];
  await world.grant("patient", brain.examId, "reader");
});
afterAll(async () => {
  await world.close();
  await rm(folder, { recursive: true });
});

const pathOf = ({ examId }: Exam) => `/fhir/ImagingStudy/${examId.slice(2)}`;

async function read<T>(path: string, as?: PersonName): Promise<T> {
  const answer = await world.get(path, as);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe("application/fhir+json; charset=utf-8");
  return (await answer.json()) as T;
}

async function search(as: PersonName, query = ""): Promise<ImagingStudy[]> {
  const bundle = await read<Bundle<ImagingStudy>>(`/fhir/ImagingStudy${query}`, as);
  expect(faultsOf(bundle)).toEqual([]);
  expect(bundle).toMatchObject({ type: "searchset", link: [{ relation: "self" }] });
  return bundle.entry?.flatMap(({ resource }) => resource ?? []) ?? [];
}

async function refused(path: string, as?: PersonName) {
  const answer = await world.get(path, as);
  const outcome = (await answer.json()) as OperationOutcome;
  expect(faultsOf(outcome)).toEqual([]);
  return `${answer.status} ${outcome.issue[0]?.details?.coding?.[0]?.code}`;
}

describe("an ImagingStudy", () => {
  test("tells of an exam what R4 defines, with what the archive counts", async () => {
    const study = await read<ImagingStudy>(pathOf(brain), "reader");
    expect(faultsOf(study)).toEqual([]);
    expect(faultsOf({ ...study, status: "open" })).toHaveLength(1);
    const { address } = world.people.patient;
    expect(study).toMatchObject({
      resourceType: "ImagingStudy",
      id: brain.examId.slice(2),
      identifier: [
        { system: "urn:dicom:uid", value: `urn:oid:${brain.studyInstanceUid}` },
        { value: `urn:examkey:exam:${brain.examId}` },
      ],
      status: "available",
      modality: [{ system: "http://dicom.nema.org/resources/ontology/DCM", code: "MR" }],
      subject: { type: "Patient", identifier: { value: `did:pkh:eip155:31337:${address}` } },
      endpoint: [{ reference: "Endpoint/dicomweb" }],
      numberOfSeries: 1,
      numberOfInstances: 20,
      series: [{ uid: brain.series[0]?.seriesInstanceUid, modality: { code: "MR" }, numberOfInstances: 20 }],
    });
  });

  test("leaves out the series that are closed to its reader", async () => {
    const open = wide.series.find(({ numberOfImages }) => numberOfImages === 2);
    const closed = wide.series.find(({ numberOfImages }) => numberOfImages === 1);
    if (!open || !closed) throw new Error("The sample is not what it was made to be.");
    await world.grant("otherPatient", open.seriesResource, "reader");
    const study = await read<ImagingStudy>(pathOf(wide), "reader");
    expect(faultsOf(study)).toEqual([]);
    const { seriesInstanceUid: uid } = open;
    expect(study).toMatchObject({ numberOfSeries: 1, numberOfInstances: 2, series: [{ uid }] });
    expect(JSON.stringify(study)).not.toContain(closed.seriesInstanceUid);
    const whole = await read<ImagingStudy>(pathOf(wide), "otherPatient");
    expect(whole).toMatchObject({ numberOfSeries: 2, numberOfInstances: 3 });
    await world.revoke("otherPatient", open.seriesResource, "reader");
    expect(await refused(pathOf(wide), "reader")).toBe("403 revoked");
  });

  test("names the Endpoint where its images are", async () => {
    const { endpoint: [reference] = [] } = await read<ImagingStudy>(pathOf(brain), "reader");
    const endpoint = await read<Endpoint>(`/fhir/${reference?.reference}`, "reader");
    expect(faultsOf(endpoint)).toEqual([]);
    expect(faultsOf({ ...endpoint, status: "open" })).toHaveLength(1);
    expect(endpoint).toMatchObject({ status: "active", connectionType: { code: "dicom-wado-rs" } });
    const metadata = `${endpoint.address}/studies/${brain.studyInstanceUid}/metadata`;
    const answer = await world.get(metadata.slice(world.gateway.url.length), "reader");
    expect(answer.status).toBe(200);
    expect(await answer.json()).toHaveLength(20);
    expect(await refused("/fhir/Endpoint/other", "reader")).toBe("404 not-found");
  });
});

describe("a search for ImagingStudies", () => {
  test("gives everybody what they may see, and nobody anything else", async () => {
    const idsOf = async (name: PersonName) => (await search(name)).map(({ id }) => `0x${id}`).toSorted();
    expect(await idsOf("patient")).toEqual([brain.examId, pet.examId].toSorted());
    expect(await idsOf("reader")).toEqual([brain.examId]);
    expect(await idsOf("stranger")).toEqual([]);
  });

  test("for one exam gives that", async () => {
    const identifier = encodeURIComponent(`urn:ietf:rfc:3986|urn:examkey:exam:${pet.examId}`);
    expect(await search("patient", `?identifier=${identifier}`)).toMatchObject([{ id: pet.examId.slice(2) }]);
    expect(await search("reader", `?identifier=${identifier}`)).toEqual([]);
    expect(await refused("/fhir/ImagingStudy?identifier=1", "reader")).toBe("400 malformed-request");
  });
});

test("whoever may not see an exam is refused alike, whether there is one or not", async () => {
  expect(await refused(pathOf(brain), "stranger")).toBe("403 not-granted");
  expect(await refused(`/fhir/ImagingStudy/${"0".repeat(64)}`, "stranger")).toBe("403 not-granted");
  expect(await refused("/fhir/ImagingStudy/nothing", "stranger")).toBe("404 not-found");
  expect(await refused(pathOf(brain))).toBe("401 token-missing");
  expect(await refused("/fhir/Endpoint/dicomweb")).toBe("401 token-missing");
});

test("the CapabilityStatement names what there is, to anybody", async () => {
  const statement = await read<CapabilityStatement>("/fhir/metadata");
  expect(faultsOf(statement)).toEqual([]);
  expect(faultsOf({ ...statement, fhirVersion: undefined })).toHaveLength(1);
  expect(statement).toMatchObject({ kind: "instance", fhirVersion: "4.0.1" });
  const [{ resource: resources = [] } = {}] = statement.rest ?? [];
  for (const { type, interaction } of resources) {
    const isSearched = interaction?.some(({ code }) => code === "search-type");
    const { status } = await world.get(`/fhir/${type}`, "patient");
    expect([type, status]).toEqual([type, isSearched ? 200 : 404]);
  }
});
