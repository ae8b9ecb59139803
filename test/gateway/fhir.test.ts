import type { AuditEvent, Bundle, Coding, OperationOutcome } from "fhir/r4.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Exam } from "../../protocol/api.ts";
import { decodeReceipt, RECEIPT_HEADER, receiptDigest } from "../../protocol/receipt.ts";
import { type PersonName, SAMPLE_PATIENTS, World } from "../world.ts";
import { faultsOf } from "./r4.ts";

const BALP = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit";

let world: World;
let brain: Exam;
let pet: Exam;

beforeAll(async () => {
  world = await World.open();
  ({ brain, pet } = await world.enrolTwoExams());
  await world.enrol(SAMPLE_PATIENTS.mr, "otherPatient");
  const { address } = world.people.reader;
  await world.admin("/practitioners", { address, name: "Dr. Imani Vale", role: "Radiologist" });
  await world.grant("patient", brain.examId, "reader");
});
afterAll(() => world.close());

const frameOf = (exam: Exam) => new URL(exam.picture ?? "").pathname.replace(/rendered$/, "frames/1");
const did = (name: PersonName) => `did:pkh:eip155:31337:${world.people[name].address}`;

async function search(as: PersonName, query = ""): Promise<Bundle<AuditEvent>> {
  const answer = await world.get(`/fhir/AuditEvent${query}`, as);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe("application/fhir+json; charset=utf-8");
  return (await answer.json()) as Bundle<AuditEvent>;
}

/** The AuditEvent of the decision that an answer rests on, as the patient is told it. */
async function eventOf(answer: Response): Promise<AuditEvent> {
  const { sequence } = decodeReceipt(answer.headers.get(RECEIPT_HEADER) ?? "");
  const found = await world.get(`/fhir/AuditEvent/${sequence}`, "patient");
  expect(found.status).toBe(200);
  return (await found.json()) as AuditEvent;
}

const codesOf = (codings: readonly (Coding | undefined)[]) => codings.map((one) => one?.code);
const agent = ({ agent: agents }: AuditEvent, code: string) =>
  agents.filter(({ type }) => type?.coding?.some((one) => one.code === code));
const entity = ({ entity: entities }: AuditEvent, code: string) =>
  (entities ?? []).filter(({ type }) => type?.code === code);

/** What BALP's profiles Read and Query ask for alike, and those with a patient besides. */
function expectPattern(event: AuditEvent, { client, server }: { client: string; server: string }): void {
  expect(event.type).toMatchObject({
    system: "http://terminology.hl7.org/CodeSystem/audit-event-type",
    code: "rest",
  });
  for (const role of [client, server]) {
    expect(agent(event, role)).toEqual([
      expect.objectContaining({ who: expect.anything(), network: expect.anything(), requestor: false }),
    ]);
  }
  const [user, ...more] = agent(event, "IRCP");
  expect(more).toEqual([]);
  expect(user).toMatchObject({ requestor: true, who: expect.anything() });
  expect(user).not.toHaveProperty("network");
  expect(entity(event, "1")).toMatchObject([{ role: { code: "1" }, what: { type: "Patient" } }]);
  expect(entity(event, "2")).toHaveLength(1);
}

const IN_A_READ = { client: "110152", server: "110153" };
const IN_A_QUERY = { client: "110153", server: "110152" };

describe("a permit", () => {
  test("to read is a PatientRead after BALP", async () => {
    const answer = await world.get(frameOf(brain), "reader");
    const receipt = decodeReceipt(answer.headers.get(RECEIPT_HEADER) ?? "");
    const event = await eventOf(answer);
    expect(faultsOf(event)).toEqual([]);
    expect(faultsOf({ ...event, action: "Q" })).toHaveLength(1);
    expectPattern(event, IN_A_READ);
    expect(event).toMatchObject({ meta: { profile: [`${BALP}.PatientRead`] }, action: "R", outcome: "0" });
    expect(codesOf(event.subtype ?? [])).toEqual(["read", "RAD-107"]);
    expect(event.recorded).toBe(new Date(receipt.decidedAt).toISOString());
    expect(agent(event, "IRCP")).toMatchObject([
      {
        name: "Dr. Imani Vale",
        who: { type: "Practitioner", identifier: { value: did("reader") } },
        purposeOfUse: [{ coding: [{ code: "TREAT" }] }],
      },
    ]);
    expect(entity(event, "1")).toMatchObject([{ what: { identifier: { value: did("patient") } } }]);
    expect(entity(event, "2")).toMatchObject([
      {
        role: { code: "4" },
        what: { type: "ImagingStudy", identifier: { value: `urn:examkey:exam:${brain.examId}` } },
        detail: [
          { type: "urn:examkey:action", valueString: "VIEW" },
          { type: "urn:examkey:receipt", valueString: receiptDigest(receipt) },
        ],
      },
    ]);
    expect(event.source.observer).toMatchObject({ display: "Test Imaging" });
    expect(JSON.stringify(event)).not.toContain(brain.studyInstanceUid);
  });

  test("to search is a PatientQuery after BALP, with the exams that were shown", async () => {
    const event = await eventOf(await world.get("/dicomweb/studies", "patient"));
    expect(faultsOf(event)).toEqual([]);
    expectPattern(event, IN_A_QUERY);
    expect(event).toMatchObject({ meta: { profile: [`${BALP}.PatientQuery`] }, action: "E", outcome: "0" });
    expect(codesOf(event.subtype ?? [])).toEqual(["search", "RAD-129"]);
    const [query] = entity(event, "2");
    expect(query).toMatchObject({ role: { code: "24" }, description: "QIDO-RS studies" });
    expect(query).not.toHaveProperty("what");
    expect(query?._query?.extension).toMatchObject([{ valueCode: "masked" }]);
    const shown = entity(event, "ImagingStudy").map(({ what }) => what?.identifier?.value);
    expect(shown.toSorted()).toEqual(
      [brain, pet].map(({ examId }) => `urn:examkey:exam:${examId}`).toSorted(),
    );
  });
});

test("a denial says why, and claims no profile of success", async () => {
  const event = await eventOf(await world.get(frameOf(pet), "stranger"));
  expect(faultsOf(event)).toEqual([]);
  expectPattern(event, IN_A_READ);
  expect(event).toMatchObject({ outcome: "4", outcomeDesc: "not-granted" });
  expect(event.meta).toBeUndefined();
  expect(entity(event, "OperationOutcome")).toMatchObject([{ what: { reference: "#why" } }]);
  const [why] = (event.contained ?? []) as OperationOutcome[];
  expect(why).toMatchObject({
    id: "why",
    issue: [{ code: "forbidden", details: { coding: [{ code: "not-granted" }] } }],
  });
  expect(agent(event, "IRCP")[0]).not.toHaveProperty("name");
});

describe("a search", () => {
  test("gives a patient all about their exams, newest first, page by page", async () => {
    for (let i = 0; i < 3; i++) await world.get(frameOf(brain), "reader");
    const bundle = await search("patient");
    expect(faultsOf(bundle)).toEqual([]);
    expect(bundle).toMatchObject({ resourceType: "Bundle", type: "searchset" });
    const all = bundle.entry?.map(({ resource }) => Number(resource?.id)) ?? [];
    expect(all.length).toBeGreaterThan(5);
    expect(all).toEqual(all.toSorted((a, b) => b - a));
    const [entry] = bundle.entry ?? [];
    const { pathname } = new URL(entry?.fullUrl ?? "");
    expect(await (await world.get(pathname, "patient")).json()).toEqual(entry?.resource);

    const paged: number[] = [];
    for (let query: string | undefined = "?_count=2"; query !== undefined; ) {
      const page: Bundle<AuditEvent> = await search("patient", query);
      expect(page.entry?.length).toBeLessThanOrEqual(2);
      paged.push(...(page.entry?.map(({ resource }) => Number(resource?.id)) ?? []));
      const next = page.link?.find(({ relation }) => relation === "next")?.url;
      query = next && new URL(next).search;
    }
    expect(paged).toEqual(all);
  });

  test("for one exam gives what is about that", async () => {
    await world.get(frameOf(pet), "patient");
    const value = `urn:ietf:rfc:3986|urn:examkey:exam:${pet.examId}`;
    const bundle = await search("patient", `?entity:identifier=${encodeURIComponent(value)}`);
    expect(bundle.entry?.length).toBeGreaterThan(0);
    for (const { resource } of bundle.entry ?? []) expect(JSON.stringify(resource)).toContain(pet.examId);
  });

  test("gives nobody else anything of it", async () => {
    const answer = await world.get(frameOf(brain), "reader");
    const { sequence } = decodeReceipt(answer.headers.get(RECEIPT_HEADER) ?? "");
    for (const name of ["reader", "stranger", "otherPatient", "custodian"] as const) {
      expect(JSON.stringify(await search(name))).not.toContain(brain.examId);
      const found = await world.get(`/fhir/AuditEvent/${sequence}`, name);
      expect(found.status).toBe(404);
      expect(await found.json()).toMatchObject({
        resourceType: "OperationOutcome",
        issue: [{ code: "not-found" }],
      });
    }
    const foreign = await search("otherPatient", `?entity:identifier=urn:examkey:exam:${brain.examId}`);
    expect(foreign.entry).toEqual([]);
  });

  test("that is refused is answered with an OperationOutcome", async () => {
    const unsigned = await world.get("/fhir/AuditEvent");
    expect(unsigned.status).toBe(401);
    expect(unsigned.headers.get("www-authenticate")).toBe("Bearer");
    const outcome = (await unsigned.json()) as OperationOutcome;
    expect(outcome.issue).toMatchObject([
      { code: "login", details: { coding: [{ code: "token-missing" }] } },
    ]);
    expect(faultsOf(outcome)).toEqual([]);
    expect((await world.get("/fhir/AuditEvent?_count=none", "patient")).status).toBe(400);
    expect((await world.get("/fhir/AuditEvent/nothing", "patient")).status).toBe(404);
  });
});
