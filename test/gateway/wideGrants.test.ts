/** Grants that are wider than one exam, and what is kept out of them, as patients and readers are told of them. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Exam } from "../../protocol/api.ts";
import {
  ALL_EXAMS_RESOURCE,
  blindedGrantee,
  examsAtResource,
  granteeOf,
  newSalt,
} from "../../protocol/ids.ts";
import { packTerms, type Terms } from "../../protocol/terms.ts";
import { type PersonName, until, World } from "../world.ts";

let world: World;
let brain: Exam;
let pet: Exam;

beforeAll(async () => {
  world = await World.open();
  ({ brain, pet } = await world.enrolTwoExams());
});

afterAll(() => world.close());

const grantee = (name: PersonName) => granteeOf(world.people[name].address);
const terms = (bent: Partial<Terms> = {}) => packTerms(world.terms(bent));
const grantOf = async (resource: string, word: string) =>
  (await world.grantsOf("patient")).find((one) => one.resource === resource && one.grantee.word === word);
const untilState = (resource: string, word: string, state: string) =>
  until(`${state}`, async () => (await grantOf(resource, word))?.state === state);

test("a grant on all exams is listed, with what is kept out of it, until it is revoked", async () => {
  const here = examsAtResource(world.people.custodian.address);
  const [series] = brain.series;
  await world.act("patient", "grant", [here, grantee("reader"), terms()]);
  await world.act("patient", "grant", [ALL_EXAMS_RESOURCE, grantee("reader"), terms()]);
  const kept = [pet.examId, series?.seriesResource];
  await world.act("patient", "revokeBatch", [world.people.patient.address, kept, grantee("reader")]);
  await world.act("patient", "revoke", [here, grantee("otherReader")]);
  await world.act("patient", "grant", [ALL_EXAMS_RESOURCE, grantee("otherReader"), terms()]);
  await untilState(ALL_EXAMS_RESOURCE, grantee("otherReader"), "active");

  expect(await grantOf(here, grantee("reader"))).toMatchObject({
    covers: "custodian",
    examId: null,
    seriesInstanceUid: null,
    exceptions: expect.arrayContaining(kept),
    grantee: { address: world.people.reader.address, name: null },
    state: "active",
  });
  expect((await grantOf(ALL_EXAMS_RESOURCE, grantee("reader")))?.exceptions.sort()).toEqual(kept.sort());
  expect(await grantOf(ALL_EXAMS_RESOURCE, grantee("otherReader"))).toMatchObject({
    covers: "all",
    exceptions: [here],
  });
  // What was only ever revoked is no grant.
  expect(await grantOf(here, grantee("otherReader"))).toBeUndefined();

  await world.act("patient", "revoke", [here, grantee("reader")]);
  await untilState(here, grantee("reader"), "revoked");
  expect((await grantOf(ALL_EXAMS_RESOURCE, grantee("reader")))?.exceptions).toContain(here);
});

test("a grant on all exams at another custodian is not this gateway's to tell of", async () => {
  const elsewhere = examsAtResource(world.people.stranger.address);
  await world.act("patient", "grant", [elsewhere, grantee("reader"), terms()]);
  await world.grant("patient", pet.examId, "otherReader");
  expect((await world.grantsOf("patient")).map(({ resource }) => resource)).not.toContain(elsewhere);
});

test("a grant to a blinded grantee is listed as the ledger keeps it, under nobody's address", async () => {
  const blinded = blindedGrantee(world.people.stranger.address, newSalt());
  await world.act("patient", "grant", [pet.examId, blinded, terms()]);
  await untilState(pet.examId, blinded, "active");
  expect((await grantOf(pet.examId, blinded))?.grantee).toEqual({
    word: blinded,
    address: null,
    name: null,
    role: null,
  });
  await world.act("patient", "revoke", [pet.examId, blinded]);
  await untilState(pet.examId, blinded, "revoked");
});

test("a reader is told of no terms that a revoked exam keeps from them, nor of those for other purposes", async () => {
  const [series] = pet.series;
  const who = "governor";
  await world.act("patient", "grant", [ALL_EXAMS_RESOURCE, grantee(who), terms()]);
  await world.act("patient", "revoke", [pet.examId, grantee(who)]);
  await world.act("patient", "grant", [
    brain.examId,
    grantee(who),
    terms({ purposes: ["HRESCH"], actions: ["VIEW", "SHARE"] }),
  ]);
  await world.grant("patient", series?.seriesResource ?? "", who, { actions: ["VIEW"] });
  const exams = await world.examsOf(who);
  const accessTo = ({ examId }: Exam) => exams.find((exam) => exam.examId === examId)?.access;
  expect(accessTo(pet)).toMatchObject({ actions: ["VIEW"], purposes: ["TREAT"] });
  expect(accessTo(brain)).toMatchObject({ actions: ["VIEW", "DOWNLOAD"], purposes: ["TREAT"] });
});
