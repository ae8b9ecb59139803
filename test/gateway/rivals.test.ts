/** Defects found in the nearest rivals' sources: each must be impossible here. */
import { createHash } from "node:crypto";
import { keccak256, sha256, toUtf8Bytes } from "ethers";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase } from "../../gateway/database/database.ts";
import type { Exam } from "../../protocol/api.ts";
import { granteeOf } from "../../protocol/ids.ts";
import { reasonOf, SAMPLE_PATIENTS, World } from "../world.ts";
import { readLog } from "./readLog.ts";

let world: World;
let exam: Exam;
let frame: string;

beforeAll(async () => {
  world = await World.open();
  await world.enrol(SAMPLE_PATIENTS.brain, "patient");
  await world.enrol(SAMPLE_PATIENTS.mr, "otherPatient");
  [exam] = (await world.examsOf("patient")) as [Exam];
  frame = new URL(exam.picture ?? "").pathname.replace(/rendered$/, "frames/1");
});

afterAll(() => world.close());

describe("it is impossible that", () => {
  test("the chain holds a plain identifier, or an unsalted hash of one", async () => {
    await world.grant("patient", exam.examId, "reader");
    const onChain: string[] = [];
    const head = await world.provider.getBlockNumber();
    for (let number = 0; number <= head; number++) {
      const block = await world.provider.getBlock(number, true);
      for (const transaction of block?.prefetchedTransactions ?? [])
        onChain.push(transaction.data.toLowerCase());
    }
    const logs = await world.provider.getLogs({ fromBlock: 0 });
    onChain.push(...logs.flatMap(({ data, topics }) => [data, ...topics]));
    const everything = onChain.join(" ");
    expect(everything).toContain(exam.commitment.slice(2));
    const [series] = exam.series;
    const secrets = [
      exam.studyInstanceUid,
      series?.seriesInstanceUid ?? "",
      SAMPLE_PATIENTS.brain,
      exam.description ?? "",
      exam.patient.name,
      exam.studyDate ?? "",
    ];
    for (const secret of secrets) {
      expect(secret).not.toBe("");
      const bytes = toUtf8Bytes(secret);
      const md5 = createHash("md5").update(bytes).digest("hex");
      for (const form of [
        Buffer.from(bytes).toString("hex"),
        keccak256(bytes).slice(2),
        sha256(bytes).slice(2),
        md5,
      ]) {
        expect(everything).not.toContain(form);
      }
    }
  });

  test("a session token carries more than who, where and what for", async () => {
    const claims = decodeJwt(await world.signIn("reader"));
    expect(Object.keys(claims).sort()).toEqual(
      [
        "aud",
        "auth_time",
        "chain_id",
        "exp",
        "genesis_hash",
        "iat",
        "iss",
        "jti",
        "purpose",
        "sid",
        "sub",
      ].sort(),
    );
    expect(claims.sub).toBe(world.people.reader.address.toLowerCase());
  });

  test("what a token saw once, it sees after the revoke", async () => {
    const token = await world.signIn("reader");
    await world.grant("patient", exam.examId, "reader");
    expect((await world.get(frame, { token })).status).toBe(200);
    await world.revoke("patient", exam.examId, "reader");
    expect(await reasonOf(await world.get(frame, { token }))).toBe("403 revoked");
  });

  test("a revoke can be sent by somebody whom the patient never named", async () => {
    await world.grant("patient", exam.examId, "reader");
    const slot = [exam.examId, granteeOf(world.people.reader.address)];
    await world.act("stranger", "revoke", slot);
    await world.act("stranger", "revokeAll", [world.people.stranger.address]);
    const { address } = world.people.patient;
    await expect(world.act("stranger", "revokeAll", [address])).rejects.toMatchObject({
      code: "CALL_EXCEPTION",
    });
    await world.act("otherPatient", "revoke", slot);
    await world.grant("patient", exam.examId, "otherReader");
    expect((await world.get(frame, "reader")).status).toBe(200);
  });

  test("pictures are given without a token", async () => {
    const picture = new URL(exam.picture ?? "").pathname;
    expect(await reasonOf(await world.get(picture))).toBe("401 token-missing");
    // What an address holds is logged, sent on and bookmarked: a session's token does not count there.
    expect(await reasonOf(await world.get(`${picture}?token=${await world.signIn("patient")}`))).toBe(
      "401 token-malformed",
    );
  });

  test("searches are answered for everybody", async () => {
    expect(await reasonOf(await world.get("/dicomweb/studies"))).toBe("401 token-missing");
    for (const query of [
      "",
      "?StudyInstanceUID=",
      "?PatientID=*",
      `?StudyInstanceUID=${exam.studyInstanceUid}`,
    ]) {
      const answer = await world.get(`/dicomweb/studies${query}`, "stranger");
      expect(await answer.text(), query).not.toContain(exam.studyInstanceUid);
    }
  });

  test("the path is never compared with the study that was granted", async () => {
    await world.grant("patient", exam.examId, "reader");
    const [foreign] = (await world.examsOf("otherPatient")) as [Exam];
    const foreignSeries = foreign.series[0]?.seriesInstanceUid;
    const tricks = [
      `/dicomweb/studies/${foreign.studyInstanceUid}/metadata`,
      `/dicomweb/studies/${exam.studyInstanceUid}/series/${foreignSeries}/metadata`,
      `/dicomweb/studies/${exam.studyInstanceUid}/x%5c..%5c..%5c${foreign.studyInstanceUid}/metadata`,
      `/dicomweb/studies/${exam.studyInstanceUid}%2f..%2f${foreign.studyInstanceUid}/metadata`,
      `/dicomweb/studies/${exam.studyInstanceUid}/../${foreign.studyInstanceUid}/metadata`,
    ];
    for (const path of tricks) {
      const answer = await world.get(path, "reader");
      expect(answer.ok, path).toBe(false);
      expect(await answer.text(), path).not.toContain(foreign.studyInstanceUid);
    }
  });

  test("bytes leave without a record", async () => {
    await world.grant("patient", exam.examId, "reader", { purposes: ["ETREAT"] });
    const token = await world.signIn("reader", "ETREAT");
    for (let i = 0; i < 5; i++) expect((await world.get(frame, { token })).status).toBe(200);
    await world.stopGateway();
    const { database, close } = await openDatabase({
      databaseUrl: null,
      dataDir: world.environment.DATA_DIR ?? "",
    });
    const rows = await readLog(database);
    await close();
    const { jti } = decodeJwt(token);
    const permits = rows.filter(
      ({ tokenId, reason, route }) => tokenId === jti && reason === "permitted" && route.includes("frames"),
    );
    expect(permits.map(({ exams }) => exams)).toEqual(Array.from({ length: 5 }, () => [exam.examId]));
    await world.startGateway();
  });
});
