/** A moment that is over when it is judged: what changed since counts, and what was before is not kept. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Exam } from "../../protocol/api.ts";
import { granteeOf } from "../../protocol/ids.ts";
import { packTerms } from "../../protocol/terms.ts";
import { SAMPLE_PATIENTS, World } from "../world.ts";
import { type AskedSeries, type OwnDecisions, ownDecisions } from "./ownDecisions.ts";

let world: World;
let decisions: OwnDecisions;
let exam: Exam;
let asked: AskedSeries;

beforeAll(async () => {
  world = await World.open();
  await world.enrol(SAMPLE_PATIENTS.brain, "patient");
  [exam] = (await world.examsOf("patient")) as [Exam];
  const { studyInstanceUid, series } = exam;
  asked = { studyInstanceUid, seriesInstanceUid: series[0]?.seriesInstanceUid ?? "" };
  await world.grant("patient", exam.examId, "reader");
  await world.stopGateway();
  decisions = await ownDecisions(world.environment);
});

afterAll(async () => {
  await decisions.close();
  await world.close();
});

/** Done on the ledger, and followed. */
const followed = async (method: string, ...more: unknown[]) => {
  const grantee = granteeOf(world.people.reader.address);
  await world.act("patient", method, [exam.examId, grantee, ...more]);
  await decisions.catchUp();
};

test.each([
  ["revoked", "revoked", () => followed("revoke")],
  ["granted", "permitted", () => followed("grant", packTerms(world.terms()))],
])("what is %s in the middle of a decision is %s, then and later", async (_, reason, act) => {
  const { address } = world.people.reader;
  expect(await decisions.decide(address, asked, act)).toMatchObject({ reason });
  expect(await decisions.decide(address, asked)).toMatchObject({ reason });
});
