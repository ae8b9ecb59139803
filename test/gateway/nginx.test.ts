/** The nginx of docs/operations.md, in front of a gateway: as it is written there, but for TLS. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DicomDataset, stringOf } from "../../gateway/archive/dicomJson.ts";
import type { Exam } from "../../protocol/api.ts";
import { freePort } from "../freePort.ts";
import { findNginx, type Nginx, startNginx } from "../nginx.ts";
import { reasonOf, SAMPLE_PATIENTS, until, World } from "../world.ts";

describe.skipIf(!findNginx())("behind nginx (needs Debian's nginx)", () => {
  let nginx: Nginx;
  let world: World;
  let exam: Exam;

  beforeAll(async () => {
    const inner = await freePort();
    nginx = await startNginx([inner]);
    const PUBLIC_URL = nginx.url;
    world = await World.open({
      environment: { PORT: String(inner), PUBLIC_URL, TRUST_PROXY: "127.0.0.1", RATE_LIMIT_REFUSALS: "5" },
    });
    await until("nginx serves", async () => (await world.get("/healthz").catch(() => null))?.ok);
    await world.enrol(SAMPLE_PATIENTS.brain, "patient");
    [exam] = (await world.examsOf("patient")) as [Exam];
  });

  afterAll(async () => {
    await nginx.close();
    await world.close();
  });

  test("people sign in, read, and hear of the end of their access while the stream is open", async () => {
    await world.grant("patient", exam.examId, "reader");
    const stream = await world.get(`/exams/${exam.examId}/watch`, "reader");
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toContain("event: permitted");
    await world.revoke("patient", exam.examId, "reader");
    let told = "";
    for (let piece = await reader?.read(); piece && !piece.done; piece = await reader?.read())
      told += piece.value;
    expect(told).toContain('"reason":"revoked"');
    expect(exam.picture).toContain(world.gateway.url);
  });

  test("callers are told apart by the address that nginx saw, not by one that they name", async () => {
    for (let refusal = 0; refusal < 5; refusal += 1) {
      const headers = { "x-forwarded-for": `203.0.113.${refusal}` };
      expect((await world.get("/exams", undefined, headers)).status).toBe(401);
    }
    const headers = { "x-forwarded-for": "203.0.113.99" };
    expect(await reasonOf(await world.get("/exams", undefined, headers))).toBe("429 too-many-requests");
  });

  test("answers lead to the name that nginx has, not to one that a caller names", async () => {
    const headers = { forwarded: "host=evil.example;proto=https", "x-forwarded-host": "evil.example" };
    const answer = await world.get("/dicomweb/studies", "patient", headers);
    const [study] = (await answer.json()) as DicomDataset[];
    expect(stringOf(study ?? {}, "RetrieveURL")).toBe(
      `${world.gateway.url}/dicomweb/studies/${exam.studyInstanceUid}`,
    );
  });

  test("its log holds neither UIDs nor tokens", async () => {
    await world.get(`/dicomweb/studies/${exam.studyInstanceUid}/series?token=eyJhbGciOi.guessed`);
    await until("the request is logged", async () => nginx.logs()[0]?.includes(" GET 4"));
    expect(nginx.logs().join("")).not.toMatch(/token|eyJ|\d+(\.\d+){4,}|studies/);
  });
});
