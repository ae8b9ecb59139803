/** What patients do on the ledger besides one grant and one revoke, as a reader feels it. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Exam } from "../../protocol/api.ts";
import type { Hex } from "../../protocol/hash.ts";
import { ALL_EXAMS_RESOURCE, examsAtResource, granteeOf } from "../../protocol/ids.ts";
import { packTerms } from "../../protocol/terms.ts";
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
  [others] = (await world.examsOf("otherPatient")) as [Exam];
});

afterAll(() => world.close());

const addressOf = (name: PersonName) => world.people[name].address;
const grantee = (name: PersonName) => granteeOf(addressOf(name));
const terms = () => packTerms(world.terms());

const read = (exam: Exam, as: PersonName) =>
  world.get(`/dicomweb/studies/${exam.studyInstanceUid}/metadata`, as);
const reason = async (exam: Exam, as: PersonName) => {
  const answer = await read(exam, as);
  return answer.ok ? "open" : reasonOf(answer);
};
const untilReason = (exam: Exam, as: PersonName, wanted: string) =>
  until(`${wanted} for ${as}`, async () => (await reason(exam, as)) === wanted);

/** Studies that a search shows. */
const found = async (as: PersonName) => {
  const answer = await world.get("/dicomweb/studies", as);
  if (!answer.ok) return [];
  const studies = (await answer.json()) as Record<string, { Value?: string[] }>[];
  return studies.map((study) => study["0020000D"]?.Value?.[0]).sort();
};
const uidsOf = (...exams: Exam[]) => exams.map(({ studyInstanceUid }) => studyInstanceUid).sort();
const shown = async (as: PersonName) => uidsOf(...(await world.examsOf(as)));

/** Watch an exam that is open; `ended` is the reason why it no longer is. */
const watch = async (exam: Exam, as: PersonName) => {
  const answer = await world.get(`/exams/${exam.examId}/watch`, as);
  expect(answer.status).toBe(200);
  return { ended: answer.text().then((text) => /"reason":"([^"]+)"/.exec(text)?.[1]) };
};

describe("a batch", () => {
  test("opens each of its exams, in lists too; one that revokes closes each, and cuts what is open", async () => {
    const resources = [brain.examId, pet.examId];
    await world.act("patient", "grantBatch", [addressOf("patient"), resources, grantee("reader"), terms()]);
    await untilReason(brain, "reader", "open");
    expect(await reason(pet, "reader")).toBe("open");
    expect(await shown("reader")).toEqual(uidsOf(brain, pet));
    expect(await found("reader")).toEqual(uidsOf(brain, pet));
    const granted = (await world.grantsOf("patient")).map(({ resource, state }) => ({ resource, state }));
    expect(granted).toEqual(
      expect.arrayContaining(resources.map((resource) => ({ resource, state: "active" }))),
    );

    const streams = [await watch(brain, "reader"), await watch(pet, "reader")];
    await world.act("patient", "revokeBatch", [addressOf("patient"), resources, grantee("reader")]);
    for (const { ended } of streams) expect(await ended).toBe("revoked");
    for (const exam of [brain, pet]) expect(await reason(exam, "reader")).toBe("403 revoked");
    expect(await shown("reader")).toEqual([]);
    expect(await found("reader")).toEqual([]);
  });

  test("of a guardian's is the patient's", async () => {
    const tomorrow = Math.floor(Date.now() / 1000) + 86_400;
    await world.act("patient", "nameGuardian", [addressOf("stranger"), tomorrow]);
    const slots = [addressOf("patient"), [brain.examId], grantee("otherReader")];
    await world.act("stranger", "grantBatch", [...slots, terms()]);
    await untilReason(brain, "otherReader", "open");
    await world.act("stranger", "revokeBatch", slots);
    await untilReason(brain, "otherReader", "403 revoked");
    expect(await reason(brain, "stranger")).toBe("403 not-granted");
  });
});

describe("a grant on all exams", () => {
  test.each<[string, PersonName, () => Hex]>([
    ["at the custodian", "governor", () => examsAtResource(addressOf("custodian"))],
    ["anywhere", "operator", () => ALL_EXAMS_RESOURCE],
  ])("%s opens each, but for one that was revoked, and no other patient's", async (_, who, wide) => {
    await world.act("patient", "grant", [wide(), grantee(who), terms()]);
    await untilReason(brain, who, "open");
    expect(await shown(who)).toEqual(uidsOf(brain, pet));
    expect(await found(who)).toEqual(uidsOf(brain, pet));
    const [exam] = await world.examsOf(who);
    expect(exam?.access).toMatchObject({ actions: ["VIEW", "DOWNLOAD"], purposes: ["TREAT"] });
    expect(await reason(others, who)).toBe("403 not-granted");

    const { ended } = await watch(pet, who);
    await world.act("patient", "revoke", [pet.examId, grantee(who)]);
    expect(await ended).toBe("revoked");
    expect(await reason(pet, who)).toBe("403 revoked");
    expect(await reason(brain, who)).toBe("open");
    expect(await shown(who)).toEqual(uidsOf(brain));

    await world.act("patient", "revoke", [wide(), grantee(who)]);
    await untilReason(brain, who, "403 revoked");
    expect(await shown(who)).toEqual([]);
  });

  test("says nothing of what it allows before it begins, nor after everything was revoked", async () => {
    const tomorrow = Math.floor(Date.now() / 1000) + 86_400;
    const later = packTerms(
      world.terms({ notBefore: tomorrow - 60, notAfter: tomorrow, actions: ["DOWNLOAD"] }),
    );
    const dead = packTerms(world.terms({ purposes: ["TREAT", "HRESCH"] }));
    await world.act("patient", "grant", [ALL_EXAMS_RESOURCE, grantee("operator"), dead]);
    await untilReason(brain, "operator", "open");
    await world.act("patient", "revokeAll", [addressOf("patient")]);
    await world.untilNextSecond();
    await world.act("patient", "grant", [
      examsAtResource(addressOf("custodian")),
      grantee("operator"),
      later,
    ]);
    const { notAfter } = await world.grant("patient", brain.examId, "operator", {
      notAfter: tomorrow - 120,
      actions: ["VIEW"],
    });
    const [exam] = await world.examsOf("operator");
    expect(exam?.access).toEqual({ notAfter, actions: ["VIEW"], purposes: ["TREAT"], emergency: false });
  });

  test("at another custodian opens nothing here", async () => {
    const wide = examsAtResource(addressOf("stranger"));
    await world.act("patient", "grantBatch", [addressOf("patient"), [wide], grantee("reader"), terms()]);
    await world.grant("patient", pet.examId, "otherReader");
    expect(await reason(brain, "reader")).toBe("403 revoked");
    expect(await shown("reader")).toEqual([]);
  });
});

describe("an exam that is handed over", () => {
  const handOver = async (from: PersonName, to: PersonName) => {
    await world.act(from, "handOver", [brain.examId, addressOf(to)]);
    await world.act(to, "accept", [brain.examId]);
  };

  test("is closed to its former owner, to whom they let read it, and here to everybody; others stay open", async () => {
    const readers = ["patient", "stranger", "otherReader"] as const;
    await world.act("patient", "grant", [ALL_EXAMS_RESOURCE, grantee("stranger"), terms()]);
    await world.grant("patient", brain.examId, "otherReader");
    const streams = await Promise.all(readers.map((who) => watch(brain, who)));
    await handOver("patient", "otherPatient");
    for (const { ended } of streams) expect(await ended).toBe("not-granted");
    for (const who of readers) {
      expect(await reason(brain, who)).toBe("403 not-granted");
      expect(await shown(who)).not.toContain(brain.studyInstanceUid);
      expect(await found(who)).not.toContain(brain.studyInstanceUid);
    }
    expect(await reason(pet, "patient")).toBe("open");
    expect(await reason(pet, "stranger")).toBe("open");
  });

  test("is not opened by what its former or its new owner grants then", async () => {
    await world.act("patient", "grant", [brain.examId, grantee("otherReader"), terms()]);
    await world.act("otherPatient", "grant", [brain.examId, grantee("otherReader"), terms()]);
    // The gateway has seen both once it shows what came after them.
    await world.grant("otherPatient", others.examId, "otherReader");
    expect(await reason(others, "otherReader")).toBe("open");
    expect(await reason(brain, "otherReader")).toBe("403 not-granted");
    expect(await reason(brain, "otherPatient")).toBe("403 not-granted");
  });

  test("opens to its first owner when it comes back, and to nobody whom they let read it before", async () => {
    await handOver("otherPatient", "patient");
    await untilReason(brain, "patient", "open");
    expect(await reason(brain, "otherReader")).toBe("403 revoked");
    expect(await reason(brain, "otherPatient")).toBe("403 not-granted");
    await world.untilNextSecond();
    await world.grant("patient", brain.examId, "otherReader");
    expect(await reason(brain, "otherReader")).toBe("open");
  });
});
