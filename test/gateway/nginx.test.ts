/** The nginx of docs/operations.md, in front of a gateway: as it is written there, but for TLS. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type DicomDataset, stringOf } from "../../gateway/archive/dicomJson.ts";
import type { Exam } from "../../protocol/api.ts";
import { freePort } from "../freePort.ts";
import { reasonOf, SAMPLE_PATIENTS, until, World } from "../world.ts";

const NGINX = "/usr/sbin/nginx";

/** The block in the page, listening on a free port, and logging into a folder. */
function configuration(folder: string, { port, gateway }: { port: number; gateway: string }): string {
  const page = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");
  const block = /```nginx\n(.*?)```/s.exec(page)?.[1] ?? "";
  const served = block
    .replace("listen 443 ssl", `listen 127.0.0.1:${port}`)
    .replace("http://127.0.0.1:8080", gateway)
    .replaceAll("/var/log/nginx", folder);
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (each) => `${each}_temp_path ${folder}/${each};`,
  );
  return `daemon off; pid ${folder}/pid; error_log ${folder}/start.log; events {} http { ${paths.join(" ")} ${served} }`;
}

describe.skipIf(!existsSync(NGINX))("behind nginx (needs Debian's nginx)", () => {
  let folder: string;
  let nginx: ChildProcess;
  let world: World;
  let exam: Exam;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "examkey-nginx-"));
    const [port, inner] = [await freePort(), await freePort()];
    const PUBLIC_URL = `http://127.0.0.1:${port}`;
    await writeFile(
      join(folder, "nginx.conf"),
      configuration(folder, { port, gateway: `http://127.0.0.1:${inner}` }),
    );
    await mkdir(join(folder, "logs"));
    nginx = spawn(NGINX, ["-p", folder, "-c", join(folder, "nginx.conf")], { stdio: "ignore" });
    world = await World.open({
      environment: { PORT: String(inner), PUBLIC_URL, TRUST_PROXY: "127.0.0.1", RATE_LIMIT_REFUSALS: "5" },
    });
    await until("nginx serves", async () => (await world.get("/healthz").catch(() => null))?.ok);
    await world.enrol(SAMPLE_PATIENTS.brain, "patient");
    [exam] = (await world.examsOf("patient")) as [Exam];
  });

  afterAll(async () => {
    const ended = once(nginx, "close");
    nginx.kill("SIGQUIT");
    await ended;
    await world.close();
    await rm(folder, { recursive: true, force: true });
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
    const files = () =>
      ["examkey.log", "examkey-error.log"].map((file) => readFileSync(join(folder, file), "utf8"));
    await until("the request is logged", async () => files()[0]?.includes(" GET 4"));
    expect(files().join("")).not.toMatch(/token|eyJ|\d+(\.\d+){4,}|studies/);
  });
});
