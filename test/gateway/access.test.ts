import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase } from "../../gateway/database/database.ts";
import type { Exam } from "../../protocol/api.ts";
import type { Hex } from "../../protocol/hash.ts";
import { examId, granteeOf, seriesResource } from "../../protocol/ids.ts";
import { decodeReceipt, RECEIPT_HEADER, type Receipt } from "../../protocol/receipt.ts";
import { reasonOf, SAMPLE_PATIENTS, until, World } from "../world.ts";
import { readLog } from "./readLog.ts";

let world: World;
/** The patient's, with one series of 20 slices. */
let brain: Exam;
/** The same patient's, which nobody is granted. */
let pet: Exam;
/** Another patient's. */
let others: Exam;

beforeAll(async () => {
  world = await World.open();
  ({ brain, pet } = await world.enrolTwoExams());
  await world.enrol(SAMPLE_PATIENTS.mr, "otherPatient");
  await world.admin("/practitioners", {
    address: world.people.reader.address,
    name: "Dr. Imani Vale",
    role: "Radiologist",
  });
  [others] = (await world.examsOf("otherPatient")) as [Exam];
});

afterAll(() => world.close());

const studyOf = (exam: Exam) => `/dicomweb/studies/${exam.studyInstanceUid}`;
const seriesOf = (exam: Exam) => `${studyOf(exam)}/series/${exam.series[0]?.seriesInstanceUid}`;
/** The instance that an exam's picture shows. */
const instanceOf = (exam: Exam) => new URL(exam.picture ?? "").pathname.replace(/\/rendered$/, "");

/** Every kind of route that gives something of an exam, with what it takes. */
const routesOf = (exam: Exam) => ({
  view: [
    `${studyOf(exam)}/series`,
    `${studyOf(exam)}/instances`,
    `${seriesOf(exam)}/instances`,
    `${studyOf(exam)}/metadata`,
    `${seriesOf(exam)}/metadata`,
    `${instanceOf(exam)}/metadata`,
    `${instanceOf(exam)}/frames/1`,
    `${instanceOf(exam)}/rendered`,
    `${instanceOf(exam)}/bulkdata/7FE00010`,
  ],
  download: [studyOf(exam), seriesOf(exam), instanceOf(exam)],
});

const studiesShown = async (token: string) => {
  const answer = await world.get("/dicomweb/studies", { token });
  if (!answer.ok) return reasonOf(answer);
  const found = (await answer.json()) as Record<string, { Value?: string[] }>[];
  return found.map((study) => study["0020000D"]?.Value?.[0]);
};

describe("an owner", () => {
  test("is shown their exams in plain words, with ids that recompute", () => {
    expect(brain).toMatchObject({
      relation: "owner",
      custodian: { name: "Test Imaging" },
      patient: { address: world.people.patient.address },
      description: "BRAIN",
      modalities: ["MR"],
      access: null,
    });
    expect(brain.numberOfImages).toBe(20);
    expect(brain.series.map(({ numberOfImages }) => numberOfImages)).toEqual([20]);
    const { commitment } = brain;
    const { custodian, patient } = world.people;
    expect(
      examId({
        custodian: custodian.address,
        patient: patient.address,
        commitment: commitment as `0x${string}`,
      }),
    ).toBe(brain.examId);
    const [series] = brain.series;
    expect(seriesResource(brain.examId as `0x${string}`, series?.seriesCommitment as `0x${string}`)).toBe(
      series?.seriesResource,
    );
  });

  test("opens every route of their own exam, and none of another patient's", async () => {
    const { view, download } = routesOf(brain);
    for (const path of [...view, ...download])
      expect((await world.get(path, "patient")).status, path).toBe(200);
    const foreign = routesOf(others);
    for (const path of [...foreign.view, ...foreign.download]) {
      expect(await reasonOf(await world.get(path, "patient")), path).toBe("403 not-granted");
    }
  });
});

describe("a stranger", () => {
  test("gets the same bytes for an unknown, a foreign and an ungranted exam", async () => {
    const unknown = { ...brain, studyInstanceUid: "1.2.3.4.5" };
    const changing = ["date", "keep-alive", RECEIPT_HEADER];
    const answers = await Promise.all(
      [unknown, brain, others].map(async (exam) => {
        const answer = await world.get(`${studyOf(exam)}/metadata`, "stranger");
        const headers = [...answer.headers].filter(([name]) => !changing.includes(name));
        const receipt = decodeReceipt(answer.headers.get(RECEIPT_HEADER) ?? "");
        return { status: answer.status, headers, receipt: whatItTells(receipt), body: await answer.text() };
      }),
    );
    expect(answers[0]?.status).toBe(403);
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
  });

  /** A receipt without its number and time, the block, and what is random or a hash. */
  const whatItTells = ({ purpose, action, reason, route, opened, custodian }: Receipt) => {
    return { purpose, action, reason, route, opened, custodian };
  };

  test("opens nothing, is shown nothing, and does not learn who works here", async () => {
    const { view, download } = routesOf(brain);
    for (const path of [...view, ...download]) {
      expect(await reasonOf(await world.get(path, "stranger")), path).toBe("403 not-granted");
    }
    expect(await world.examsOf("stranger")).toEqual([]);
    expect(await studiesShown(await world.signIn("stranger"))).toBe("403 not-granted");
    expect(await reasonOf(await world.get("/people", "stranger"))).toBe("403 not-granted");
    expect(await reasonOf(await world.get(`/exams/${brain.examId}/watch`, "stranger"))).toBe(
      "403 not-granted",
    );
  });

  test("cannot grant themselves somebody else's exam", async () => {
    const { reader } = world.people;
    await world.act("stranger", "grant", [
      brain.examId,
      `0x${reader.address.slice(2).toLowerCase().padStart(64, "0")}`,
      // A day from now on, for every purpose, for every action.
      (BigInt(2 ** 39) << 40n) | (0xfffn << 80n) | (7n << 112n),
    ]);
    await world.grant("patient", pet.examId, "otherReader");
    expect(await reasonOf(await world.get(`${studyOf(brain)}/metadata`, "reader"))).toBe("403 not-granted");
  });

  test("is not let in by being the custodian", async () => {
    await world.grant("patient", pet.examId, "custodian");
    expect(await reasonOf(await world.get(`${studyOf(pet)}/metadata`, "custodian"))).toBe("403 not-granted");
  });
});

describe("a grant", () => {
  test("opens the exam to its reader until it is revoked, and then the old token opens no route", async () => {
    const token = await world.signIn("reader");
    const { view, download } = routesOf(brain);
    const terms = await world.grant("patient", brain.examId, "reader");
    for (const path of [...view, ...download])
      expect((await world.get(path, { token })).status, path).toBe(200);
    expect(await studiesShown(token)).toEqual([brain.studyInstanceUid]);
    const [shown] = await world.examsOf("reader");
    expect(shown).toMatchObject({
      examId: brain.examId,
      relation: "grantee",
      access: { notAfter: terms.notAfter, actions: ["VIEW", "DOWNLOAD"], purposes: ["TREAT"] },
    });
    expect(await world.grantsOf("patient")).toContainEqual(
      expect.objectContaining({
        resource: brain.examId,
        grantee: {
          word: granteeOf(world.people.reader.address),
          address: world.people.reader.address,
          name: "Dr. Imani Vale",
          role: "Radiologist",
        },
        state: "active",
      }),
    );

    await world.revoke("patient", brain.examId, "reader");
    for (const path of [...view, ...download]) {
      expect(await reasonOf(await world.get(path, { token })), path).toBe("403 revoked");
    }
    expect(await studiesShown(token)).toBe("403 not-granted");
    expect(await world.examsOf("reader")).toEqual([]);
  });

  test("ends by itself, with no transaction sent", async () => {
    const notAfter = Math.floor(Date.now() / 1000) + 4;
    await world.grant("patient", brain.examId, "reader", { notAfter });
    const transactions = () => world.provider.getTransactionCount(world.people.patient.address);
    const before = await transactions();
    expect((await world.get(`${instanceOf(brain)}/frames/1`, "reader")).status).toBe(200);
    const refused = await until("the grant expires", async () => {
      const answer = await world.get(`${instanceOf(brain)}/frames/1`, "reader");
      return answer.ok ? undefined : answer;
    });
    expect(await reasonOf(refused)).toBe("403 expired");
    expect(Date.now() / 1000).toBeGreaterThanOrEqual(notAfter);
    expect(await transactions()).toBe(before);
  });

  test("that begins later opens nothing before, and opens by itself", async () => {
    const notBefore = Math.floor(Date.now() / 1000) + 4;
    await world.grant("patient", brain.examId, "reader", { notBefore });
    const early = await world.get(`${studyOf(brain)}/metadata`, "reader");
    expect(await reasonOf(early)).toBe("403 not-yet-valid");
    await until("the grant begins", async () => (await world.get(`${studyOf(brain)}/metadata`, "reader")).ok);
    expect(Date.now() / 1000).toBeGreaterThanOrEqual(notBefore);
  });

  test("for research does not open a treatment reading", async () => {
    await world.grant("patient", brain.examId, "reader", { purposes: ["HRESCH"] });
    const path = `${instanceOf(brain)}/frames/1`;
    expect(await reasonOf(await world.get(path, "reader"))).toBe("403 purpose-not-granted");
    expect(await studiesShown(await world.signIn("reader"))).toBe("403 not-granted");
    const forResearch = await world.signIn("reader", "HRESCH");
    expect((await world.get(path, { token: forResearch })).status).toBe(200);
  });

  test("to view delivers no DICOM file", async () => {
    await world.grant("patient", brain.examId, "reader", { actions: ["VIEW"] });
    const { view, download } = routesOf(brain);
    for (const path of view) expect((await world.get(path, "reader")).status, path).toBe(200);
    for (const path of download) {
      const answer = await world.get(path, "reader", {
        accept: 'multipart/related; type="application/dicom"',
      });
      expect(await reasonOf(answer), path).toBe("403 action-not-granted");
    }
  });

  test("that is extended is one grant: one revoke ends it", async () => {
    const now = Math.floor(Date.now() / 1000);
    await world.grant("patient", brain.examId, "reader", { notAfter: now + 1_000 });
    await world.grant("patient", brain.examId, "reader", { notAfter: now + 2_000 });
    await world.revoke("patient", brain.examId, "reader");
    expect(await reasonOf(await world.get(`${studyOf(brain)}/metadata`, "reader"))).toBe("403 revoked");
  });

  test("on a series opens that series alone, and searches show no more", async () => {
    const [series] = brain.series;
    if (!series) throw new Error("The exam has no series.");
    await world.grant("patient", series.seriesResource, "otherReader");
    expect((await world.get(`${seriesOf(brain)}/metadata`, "otherReader")).status).toBe(200);
    const unknown = `${studyOf(brain)}/series/1.2.3/metadata`;
    expect(await reasonOf(await world.get(unknown, "otherReader"))).toBe("403 not-granted");
    const shown = (await world.examsOf("otherReader")).find(({ examId: id }) => id === brain.examId);
    expect(shown?.series.map(({ seriesInstanceUid }) => seriesInstanceUid)).toEqual([
      series.seriesInstanceUid,
    ]);
  });

  test("on an exam does not open a series of it that was revoked", async () => {
    const [series] = brain.series;
    if (!series) throw new Error("The exam has no series.");
    await world.grant("patient", series.seriesResource, "reader");
    await world.revoke("patient", series.seriesResource, "reader");
    await world.grant("patient", brain.examId, "reader");
    expect(await reasonOf(await world.get(`${seriesOf(brain)}/metadata`, "reader"))).toBe("403 revoked");
    await world.grant("patient", series.seriesResource, "reader");
    expect((await world.get(`${seriesOf(brain)}/metadata`, "reader")).status).toBe(200);
  });

  test("is over after revokeAll, also in lists, and stays over for the tokens of before", async () => {
    const token = await world.signIn("reader");
    await world.grant("patient", brain.examId, "reader");
    expect((await world.get(`${studyOf(brain)}/metadata`, { token })).status).toBe(200);
    await world.act("patient", "revokeAll", [world.people.patient.address]);
    await world.untilGrant("patient", brain.examId, "reader", ({ state }) => state === "revoked");
    expect(await reasonOf(await world.get(`${studyOf(brain)}/metadata`, { token }))).toBe("403 revoked");
    expect((await world.grantsOf("patient")).filter(({ state }) => state === "active")).toEqual([]);
    // What the tests after this one grant must not be dead, too.
    await world.untilNextSecond();
  });
});

describe("what is open", () => {
  /** Reads a watch stream to its end. */
  const watch = async (exam: Exam) => {
    const answer = await world.get(`/exams/${exam.examId}/watch`, "reader");
    expect(answer.headers.get("content-type")).toContain("text/event-stream");
    return answer;
  };
  const eventsIn = (text: string) =>
    [...text.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)].map(([, event, data]) => ({
      event,
      data: JSON.parse(data ?? "") as Record<string, unknown>,
    }));

  test("is closed by a revoke, with the reason", async () => {
    const terms = await world.grant("patient", brain.examId, "reader");
    const stream = await watch(brain);
    await world.revoke("patient", brain.examId, "reader");
    expect(eventsIn(await stream.text())).toEqual([
      { event: "permitted", data: { validUntil: terms.notAfter } },
      { event: "ended", data: expect.objectContaining({ status: 403, reason: "revoked" }) },
    ]);
  });

  test("is closed by the clock, with the reason", async () => {
    await world.grant("patient", brain.examId, "reader", { notAfter: Math.floor(Date.now() / 1000) + 3 });
    const events = eventsIn(await (await watch(brain)).text());
    expect(events.map(({ event, data }) => `${event} ${data.reason ?? ""}`)).toEqual([
      "permitted ",
      "ended expired",
    ]);
  });

  test("stays open through what concerns others", async () => {
    await world.grant("patient", brain.examId, "reader");
    const stream = await watch(brain);
    const reading = stream.text();
    await world.grant("patient", brain.examId, "otherReader");
    await world.grant("otherPatient", others.examId, "otherReader");
    expect(await Promise.race([reading.then(() => "closed"), delay(1_000, "open")])).toBe("open");
    await world.revoke("patient", brain.examId, "reader");
    expect(eventsIn(await reading).at(-1)?.event).toBe("ended");
  });
});

describe("the audit", () => {
  test("has every decision before its first byte, in order, without gaps and without UIDs", async () => {
    await world.grant("patient", brain.examId, "reader");
    expect((await world.get(`${instanceOf(brain)}/frames/1`, "reader")).status).toBe(200);
    await world.revoke("patient", brain.examId, "reader");
    expect((await world.get(`${instanceOf(brain)}/frames/1`, "reader")).status).toBe(403);
    await world.stopGateway();

    const { database, close } = await openDatabase({
      databaseUrl: null,
      dataDir: world.environment.DATA_DIR ?? "",
    });
    const rows = await readLog(database);
    await close();
    expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, index) => index + 1));
    const ofReader = rows.filter(({ caller, exams }) => {
      return caller === world.people.reader.address.toLowerCase() && exams.includes(brain.examId as Hex);
    });
    expect(ofReader.slice(-2)).toMatchObject([
      { reason: "permitted", action: "VIEW", purpose: "TREAT" },
      { reason: "revoked", action: "VIEW", purpose: "TREAT" },
    ]);
    expect(JSON.stringify(rows)).not.toContain(brain.studyInstanceUid);
    await world.startGateway();
  });
});
