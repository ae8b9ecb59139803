import { setTimeout as delay } from "node:timers/promises";
import type { Bundle, Consent, OperationOutcome } from "fhir/r4.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Exam } from "../../protocol/api.ts";
import { ALL_EXAMS_RESOURCE, blindedGrantee, newSalt } from "../../protocol/ids.ts";
import { LATEST, packTerms } from "../../protocol/terms.ts";
import { type PersonName, until, World } from "../world.ts";
import { faultsOf } from "./r4.ts";

let world: World;
let brain: Exam;
let pet: Exam;

beforeAll(async () => {
  world = await World.open();
  ({ brain, pet } = await world.enrolTwoExams());
  const { address } = world.people.reader;
  await world.admin("/practitioners", { address, name: "Dr. Imani Vale", role: "Radiologist" });
});
afterAll(() => world.close());

const did = (name: PersonName) => `did:pkh:eip155:31337:${world.people[name].address}`;
const now = () => Math.floor(Date.now() / 1000);

async function search(as: PersonName, query = ""): Promise<Consent[]> {
  const answer = await world.get(`/fhir/Consent${query}`, as);
  expect([answer.status, answer.headers.get("content-type")]).toEqual([
    200,
    "application/fhir+json; charset=utf-8",
  ]);
  const bundle = (await answer.json()) as Bundle<Consent>;
  expect(faultsOf(bundle)).toEqual([]);
  expect(bundle).toMatchObject({ type: "searchset", link: [{ relation: "self" }] });
  return bundle.entry?.flatMap(({ resource }) => resource ?? []) ?? [];
}

/** The Consent to one person, as the patient is told it. */
async function consentTo(name: PersonName): Promise<Consent> {
  const found = (await search("patient")).find(
    ({ provision }) => provision?.actor?.[0]?.reference.identifier?.value === did(name),
  );
  if (!found) throw new Error(`There is no Consent to ${name}.`);
  expect(faultsOf(found)).toEqual([]);
  return found;
}

describe("a Consent", () => {
  test("says of a grant who, what, until when, why and what for", async () => {
    const terms = await world.grant("patient", brain.examId, "reader", { purposes: ["TREAT", "ETREAT"] });
    const consent = await consentTo("reader");
    expect(faultsOf({ ...consent, status: "granted" })).toHaveLength(1);
    expect(faultsOf({ ...consent, provision: { type: "maybe" } })).toHaveLength(1);
    expect(consent).toMatchObject({
      status: "active",
      scope: { coding: [{ code: "patient-privacy" }] },
      patient: { type: "Patient", identifier: { value: did("patient") } },
      organization: [{ display: "Test Imaging" }],
      policyRule: { coding: [{ code: "OPTIN" }] },
      provision: {
        period: {
          start: new Date(terms.notBefore * 1000).toISOString(),
          end: new Date((terms.notAfter - 1) * 1000).toISOString(),
        },
        actor: [{ reference: { type: "Practitioner", display: "Dr. Imani Vale" } }],
        action: [
          { coding: [{ code: "VIEW" }, { code: "access" }] },
          { coding: [{ code: "DOWNLOAD" }, { code: "collect" }] },
        ],
        purpose: [{ code: "TREAT" }, { code: "ETREAT" }],
        data: [{ meaning: "instance", reference: { reference: `ImagingStudy/${brain.examId.slice(2)}` } }],
      },
    });
    expect(consent.provision).not.toHaveProperty("type");
    const one = await world.get(`/fhir/Consent/${consent.id}`, "patient");
    expect(await one.json()).toEqual(consent);
  });

  test("is inactive once the grant is revoked, under the id that it had", async () => {
    const { id } = await consentTo("reader");
    await world.revoke("patient", brain.examId, "reader");
    expect(await consentTo("reader")).toMatchObject({ id, status: "inactive" });
    await world.grant("patient", brain.examId, "reader");
    expect(await consentTo("reader")).toMatchObject({ id, status: "active" });
  });

  test("is inactive once its period is over, which it still names", async () => {
    const { notAfter } = await world.grant("patient", brain.examId, "otherReader", { notAfter: now() + 3 });
    expect(await consentTo("otherReader")).toMatchObject({ status: "active" });
    await until("the grant has ended", async () => {
      await delay(200);
      return (await consentTo("otherReader")).status === "inactive";
    });
    const { provision } = await consentTo("otherReader");
    expect(provision?.period?.end).toBe(new Date((notAfter - 1) * 1000).toISOString());
  });

  test("that has yet to begin is active, from when it says", async () => {
    const { notBefore } = await world.grant("patient", pet.examId, "stranger", { notBefore: now() + 3_600 });
    const { status, provision } = await consentTo("stranger");
    expect(status).toBe("active");
    expect(provision?.period?.start).toBe(new Date(notBefore * 1000).toISOString());
  });

  test("of a series names that, and no exam", async () => {
    const [series] = brain.series;
    await world.grant("patient", series?.seriesResource ?? "", "operator");
    const { provision } = await consentTo("operator");
    expect(provision?.data).toEqual([
      {
        meaning: "instance",
        reference: {
          identifier: {
            system: "urn:ietf:rfc:3986",
            value: `urn:examkey:resource:${series?.seriesResource}`,
          },
        },
      },
    ]);
  });

  test("of all exams names none, but what was kept out of it, and no end where it has none", async () => {
    await world.grant("patient", ALL_EXAMS_RESOURCE, "governor", { notAfter: LATEST });
    await world.act("patient", "revoke", [
      pet.examId,
      `0x${"0".repeat(24)}${world.people.governor.address.slice(2)}`,
    ]);
    const { provision } = await until("the exception is told", async () => {
      const consent = await consentTo("governor");
      return consent.provision?.provision && consent;
    });
    expect(provision).not.toHaveProperty("data");
    expect(provision?.period).not.toHaveProperty("end");
    expect(provision?.provision).toMatchObject([
      {
        type: "deny",
        data: [{ reference: { identifier: { value: `urn:examkey:resource:${pet.examId}` } } }],
      },
    ]);
  });

  test("to a blinded grantee whom nobody has told of names no person", async () => {
    const grantee = blindedGrantee(world.people.reader.address, newSalt());
    await world.act("patient", "grant", [pet.examId, grantee, packTerms(world.terms())]);
    const value = `urn:examkey:grantee:${grantee}`;
    const found = await until("the grant is told", async () =>
      (await search("patient")).find((one) => JSON.stringify(one).includes(value)),
    );
    expect(faultsOf(found)).toEqual([]);
    expect(found.provision?.actor?.[0]?.reference).toEqual({
      identifier: { system: "urn:ietf:rfc:3986", value },
    });
  });
});

test("a search by status gives what has it", async () => {
  const statusesOf = async (query: string) =>
    new Set((await search("patient", query)).map((one) => one.status));
  expect(await statusesOf("?status=active")).toEqual(new Set(["active"]));
  expect(await statusesOf("?status=inactive")).toEqual(new Set(["inactive"]));
  expect((await world.get("/fhir/Consent?status=maybe", "patient")).status).toBe(400);
});

test("nobody is told of another's", async () => {
  const { id } = await consentTo("reader");
  for (const name of ["reader", "stranger", "custodian"] as const) {
    expect(await search(name)).toEqual([]);
    const answer = await world.get(`/fhir/Consent/${id}`, name);
    expect(answer.status).toBe(404);
    const outcome = (await answer.json()) as OperationOutcome;
    expect(faultsOf(outcome)).toEqual([]);
    expect(outcome.issue).toMatchObject([{ code: "not-found" }]);
  }
  expect((await world.get("/fhir/Consent")).status).toBe(401);
});
