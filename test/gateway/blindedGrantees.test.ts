/** Grants to a reader under a name that only who knows its salt can tie to them. */
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Exam } from "../../protocol/api.ts";
import type { Hex } from "../../protocol/hash.ts";
import { blindedGrantee, granteeOf, newSalt } from "../../protocol/ids.ts";
import { packTerms, type Terms } from "../../protocol/terms.ts";
import { type PersonName, reasonOf, SAMPLE_PATIENTS, until, World } from "../world.ts";

let world: World;
let brain: Exam;
let pet: Exam;
/** Another patient's. */
let others: Exam;

beforeAll(async () => {
  world = await World.open();
  ({ brain, pet } = await world.enrolTwoExams());
  await world.enrol(SAMPLE_PATIENTS.mr, "otherPatient");
  await world.admin("/practitioners", {
    address: addressOf("reader"),
    name: "Dr. Imani Vale",
    role: "Reader",
  });
  [others] = (await world.examsOf("otherPatient")) as [Exam];
});

afterAll(() => world.close());

const addressOf = (name: PersonName) => world.people[name].address;
const terms = (bent: Partial<Terms> = {}) => packTerms(world.terms(bent));

/** A new name of somebody's. */
const nameOf = (reader: PersonName) => {
  const salt = newSalt();
  return { reader: addressOf(reader), salt, grantee: blindedGrantee(addressOf(reader), salt) };
};
type Name = ReturnType<typeof nameOf>;

const tell = async (as: PersonName, name: Name, bent: Record<string, unknown> = {}) => {
  const token = await world.signIn(as);
  const body = { patient: addressOf("patient"), ...name, ...bent };
  return world.post("/grantees", body, { authorization: `Bearer ${token}` });
};
const told = async (as: PersonName, name: Name) => {
  const answer = await tell(as, name);
  expect(answer.status).toBe(201);
  expect(await answer.json()).toEqual({ grantee: name.grantee });
};

const grant = (resource: string, { grantee }: Name, bent: Partial<Terms> = {}) =>
  world.act("patient", "grant", [resource, grantee, terms(bent)]);
const revoke = (resource: string, { grantee }: Name) => world.act("patient", "revoke", [resource, grantee]);

const reason = async (exam: Exam, as: PersonName, path = "/metadata") => {
  const answer = await world.get(`/dicomweb/studies/${exam.studyInstanceUid}${path}`, as);
  return answer.ok ? "open" : reasonOf(answer);
};
const untilReason = (exam: Exam, as: PersonName, wanted: string) =>
  until(`${wanted} for ${as}`, async () => (await reason(exam, as)) === wanted);
const shown = async (as: PersonName) => (await world.examsOf(as)).map(({ examId }) => examId).sort();
const found = async (as: PersonName) => {
  const answer = await world.get("/dicomweb/studies", as);
  if (!answer.ok) return [];
  return ((await answer.json()) as Record<string, { Value: string[] }>[]).map(
    (one) => one["0020000D"]?.Value[0],
  );
};
const watch = async (exam: Exam, as: PersonName) => {
  const answer = await world.get(`/exams/${exam.examId}/watch`, as);
  expect(answer.status).toBe(200);
  return { ended: answer.text().then((text) => /"reason":"([^"]+)"/.exec(text)?.[1]) };
};
/** The gateway has seen what came before this, once it shows this. */
const seen = async () => {
  await world.grant("otherPatient", others.examId, "governor");
};

describe("a grant to a blinded name", () => {
  test("opens nothing until the gateway is told whose it is, and then all that it says, until it is revoked", async () => {
    const name = nameOf("reader");
    await grant(brain.examId, name);
    await seen();
    expect(await reason(brain, "reader")).toBe("403 not-granted");
    expect(await shown("reader")).toEqual([]);

    await told("patient", name);
    expect(await reason(brain, "reader")).toBe("open");
    expect(await reason(pet, "reader")).toBe("403 not-granted");
    expect(await shown("reader")).toEqual([brain.examId]);
    expect(await found("reader")).toEqual([brain.studyInstanceUid]);
    const [exam] = await world.examsOf("reader");
    expect(exam?.access).toMatchObject({ actions: ["VIEW", "DOWNLOAD"], purposes: ["TREAT"] });
    expect((await world.grantsOf("patient")).map(({ grantee }) => grantee)).toContainEqual({
      word: name.grantee,
      address: addressOf("reader"),
      name: "Dr. Imani Vale",
      role: "Reader",
    });

    const { ended } = await watch(brain, "reader");
    await revoke(brain.examId, name);
    expect(await ended).toBe("revoked");
    expect(await reason(brain, "reader")).toBe("403 revoked");
    expect(await shown("reader")).toEqual([]);
    expect(await found("reader")).toEqual([]);
  });

  test("on a series opens that series alone, also where the reader tells whose it is", async () => {
    const name = nameOf("otherReader");
    const [series] = brain.series;
    await grant(series?.seriesResource ?? "", name);
    await until("the gateway takes the reader's word", async () => (await tell("otherReader", name)).ok);
    expect(await reason(brain, "otherReader", `/series/${series?.seriesInstanceUid}/metadata`)).toBe("open");
    expect(await reason(brain, "otherReader", "/series/1.2.3/metadata")).toBe("403 not-granted");
    expect(await shown("otherReader")).toEqual([brain.examId]);

    await revoke(series?.seriesResource ?? "", name);
    await untilReason(brain, "otherReader", "403 revoked");
  });

  test("ends by itself, and with everything else", async () => {
    const name = nameOf("governor");
    await told("patient", name);
    await grant(pet.examId, name, { notAfter: Math.floor(Date.now() / 1000) + 5 });
    await untilReason(pet, "governor", "open");
    const first = await watch(pet, "governor");
    expect(await first.ended).toBe("expired");

    await grant(pet.examId, name);
    await untilReason(pet, "governor", "open");
    const second = await watch(pet, "governor");
    await world.act("patient", "revokeAll", [addressOf("patient")]);
    expect(await second.ended).toBe("revoked");
    await world.untilNextSecond();
  });

  test("of another patient's opens nothing of theirs: it was told for one", async () => {
    const name = nameOf("operator");
    await told("patient", name);
    await world.act("otherPatient", "grant", [others.examId, name.grantee, terms()]);
    await grant(pet.examId, name);
    await untilReason(pet, "operator", "open");
    expect(await reason(others, "operator")).toBe("403 not-granted");
    expect(await shown("operator")).toEqual([pet.examId]);
    await revoke(pet.examId, name);
  });
});

describe("a reader with an address and a blinded name", () => {
  test("is granted by one grant alone, never by two together", async () => {
    const name = nameOf("reader");
    await told("patient", name);
    await grant(pet.examId, name, { actions: ["DOWNLOAD"] });
    await world.grant("patient", pet.examId, "reader", { purposes: ["HRESCH"] });
    expect(await reason(pet, "reader")).toBe("403 purpose-not-granted");
    expect(await reason(pet, "reader", "")).toBe("open");
    expect(await shown("reader")).toEqual([]);
    await revoke(pet.examId, name);
    await world.revoke("patient", pet.examId, "reader");
  });

  test("is shut out of what was revoked under every name that it was granted under", async () => {
    const name = nameOf("reader");
    const [series] = brain.series;
    const path = `/series/${series?.seriesInstanceUid}/metadata`;
    await told("patient", name);
    await grant(brain.examId, name);
    await world.grant("patient", brain.examId, "reader");
    const plain = granteeOf(addressOf("reader"));
    await world.act("patient", "revoke", [series?.seriesResource, plain]);
    await seen();
    // As on the ledger: what was revoked is the address's, and the blinded name still has the exam.
    expect(await reason(brain, "reader", path)).toBe("open");
    const { ended } = await watch(brain, "reader");
    await revoke(series?.seriesResource ?? "", name);
    expect(await ended).toBe("revoked");
    expect(await reason(brain, "reader", path)).toBe("403 revoked");
  });

  test("that begins later opens by itself, whatever the other name says", async () => {
    const name = nameOf("reader");
    await told("patient", name);
    await world.act("patient", "revoke", [pet.examId, granteeOf(addressOf("reader"))]);
    await grant(pet.examId, name, { notBefore: Math.floor(Date.now() / 1000) + 4 });
    await untilReason(pet, "reader", "403 not-yet-valid");
    await untilReason(pet, "reader", "open");
  });
});

describe("the gateway takes nobody's word", () => {
  test.each<[string, PersonName, (name: Name) => Record<string, unknown>, string]>([
    [
      "for a grantee that does not recompute",
      "patient",
      () => ({ salt: newSalt() }),
      "400 malformed-request",
    ],
    ["for a salt that is none", "patient", () => ({ salt: "0x1234" }), "400 malformed-request"],
    ["but the patient's and the reader's", "stranger", () => ({}), "403 not-granted"],
    [
      "for a patient who is not enrolled",
      "stranger",
      () => ({ patient: addressOf("stranger") }),
      "403 not-granted",
    ],
    ["for what the patient never granted", "reader", () => ({}), "403 not-granted"],
  ])("%s", async (_, as, bent, problem) => {
    const name = nameOf("reader");
    const answer = await tell(as, name, bent(name));
    const text = await answer.clone().text();
    expect(await reasonOf(answer)).toBe(problem);
    expect(text).not.toContain(name.salt.slice(2));
  });

  test("for more names than one reader needs", async () => {
    const names = Array.from({ length: 8 }, () => nameOf("stranger"));
    for (const name of names.slice(0, 7)) await told("patient", name);
    expect(await reasonOf(await tell("patient", names[7] as Name))).toBe("400 malformed-request");
    await told("patient", names[0] as Name);
  });
});

describe("the database", () => {
  test("shows neither reader nor salt, and another key does not open it", async () => {
    const name = nameOf("otherReader");
    await told("patient", name);
    await world.stopGateway();
    const database = await PGlite.create(join(world.environment.DATA_DIR ?? "", "pglite"));
    const { rows } = await database.query<{ patient: Hex }>("select * from blinded_grantees");
    await database.close();
    expect(rows.length).toBeGreaterThan(5);
    const text = JSON.stringify(rows);
    expect(text).toContain(name.grantee);
    expect(text).not.toContain(name.salt.slice(2));
    expect(text).not.toContain(addressOf("otherReader").slice(2).toLowerCase());

    await expect(world.startGateway({ DATA_KEY: "ab".repeat(32) })).rejects.toThrow(/^DATA_KEY: /);
    await world.startGateway();
    expect(await reason(pet, "reader")).toBe("open");
  });
});
