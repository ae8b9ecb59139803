/** Health, metrics, limits and headers, as whoever runs a gateway meets them. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Exam, Readiness } from "../../protocol/api.ts";
import { freePort } from "../freePort.ts";
import { findPostgres, startPostgres } from "../postgres.ts";
import { reasonOf, SAMPLE_PATIENTS, until, World } from "../world.ts";
import { BreakableProxy } from "./breakableProxy.ts";
import { HospitalArchive } from "./hospitalArchive.ts";
import { startProcess } from "./process.ts";

const frameOf = ({ picture }: Exam) => new URL(picture ?? "").pathname.replace(/rendered$/, "frames/1");

describe("health and metrics", () => {
  let world: World;
  let archive: HospitalArchive;
  let rpc: BreakableProxy;
  let exam: Exam;
  let metricsUrl: string;

  beforeAll(async () => {
    archive = await HospitalArchive.open();
    const METRICS_PORT = String(await freePort());
    metricsUrl = `http://127.0.0.1:${METRICS_PORT}`;
    world = await World.open({
      environment: { DICOMWEB_URL: archive.url, METRICS_PORT },
      rpcThrough: async (rpcUrl) => {
        rpc = await BreakableProxy.to(rpcUrl);
        return rpc.url;
      },
    });
    await world.enrol(SAMPLE_PATIENTS.brain, "patient");
    [exam] = (await world.examsOf("patient")) as [Exam];
  });

  afterEach(() => {
    archive.mend();
    rpc.mend();
  });

  afterAll(async () => {
    await world.close();
    await archive.close();
    await rpc.close();
  });

  const ready = async () => {
    const answer = await world.get("/readyz");
    return (await answer.json()) as Readiness;
  };
  /** Findings are kept for a second. */
  const untilReady = (checks: Partial<Readiness["checks"]>) =>
    until(JSON.stringify(checks), async () => {
      const found = await ready();
      return (
        Object.entries(checks).every(([part, finding]) => Reflect.get(found.checks, part) === finding) &&
        found
      );
    });
  const ALL_OK = { database: "ok", chain: "ok", archive: "ok" };

  test("the process says that it is alive, and what it rests on that it is ready", async () => {
    expect(await (await world.get("/healthz")).json()).toEqual({ status: "alive" });
    expect(await untilReady(ALL_OK)).toEqual({ status: "ready", checks: ALL_OK });
  });

  test.each([
    ["refuses", "break"],
    ["is silent", "hang"],
  ] as const)("an archive that %s is named, and the process is alive all the same", async (_name, how) => {
    archive[how]();
    const checks = { ...ALL_OK, archive: "archive-unavailable" };
    expect(await untilReady(checks)).toEqual({ status: "not-ready", checks });
    expect((await world.get("/readyz")).status).toBe(503);
    expect((await world.get("/healthz")).status).toBe(200);
    archive.mend();
    await untilReady(ALL_OK);
  });

  test("a chain that is down is named", async () => {
    rpc.break();
    await untilReady({ chain: "chain-unavailable" });
    rpc.mend();
    await untilReady(ALL_OK);
  });

  const metric = async (name: string, labels = "") => {
    const text = await (await fetch(`${metricsUrl}/metrics`)).text();
    const line = text.split("\n").find((each) => each.startsWith(`${name}${labels && `{${labels}}`} `));
    return line === undefined ? null : Number(line.split(" ").at(-1));
  };

  test("decisions, answers and failures are counted, by kind and never by whom", async () => {
    const permitted = 'route="WADO-RS instance frames",reason="permitted"';
    const denied = 'route="WADO-RS instance frames",reason="not-granted"';
    for (const name of ["patient", "patient", "stranger"] as const) await world.get(frameOf(exam), name);
    expect(await metric("examkey_decisions_total", permitted)).toBe(2);
    expect(await metric("examkey_decisions_total", denied)).toBe(1);
    expect(await metric("examkey_problems_total", 'reason="not-granted"')).toBe(1);
    const route = "/dicomweb/studies/:study/series/:series/instances/:instance/frames/*";
    const answered = `method="GET",route="${route}",status="200"`;
    expect(await metric("examkey_http_request_duration_seconds_count", answered)).toBe(2);
    const before = (await metric("examkey_archive_errors_total")) ?? 0;
    archive.break();
    expect(await reasonOf(await world.get(frameOf(exam), "patient"))).toBe("503 archive-unavailable");
    expect(await metric("examkey_archive_errors_total")).toBeGreaterThan(before);
  });

  test("the head's age, the audit's queue and open streams show", async () => {
    expect(await metric("examkey_chain_head_age_seconds")).toBeLessThan(60);
    expect(await metric("examkey_audit_queue")).toBe(0);
    const leave = new AbortController();
    const headers = { authorization: `Bearer ${await world.signIn("patient")}` };
    const { url } = world.gateway;
    await fetch(`${url}/exams/${exam.examId}/watch`, { headers, signal: leave.signal });
    expect(await metric("examkey_watch_streams")).toBe(1);
    expect(await metric("examkey_open_exams")).toBe(1);
    leave.abort();
    await until("the stream is gone", async () => (await metric("examkey_watch_streams")) === 0);
  });

  test("metrics name nobody, and are served on their own port alone", async () => {
    const text = await (await fetch(`${metricsUrl}/metrics`)).text();
    const { patient, stranger, custodian } = world.people;
    for (const secret of [
      exam.examId,
      exam.studyInstanceUid,
      patient.address,
      stranger.address,
      custodian.address,
    ])
      expect(text.toLowerCase()).not.toContain(secret.toLowerCase());
    expect(text).not.toMatch(/0x[0-9a-f]{40}|\d+(\.\d+){4,}/i);
    expect(await reasonOf(await world.get("/metrics"))).toBe("404 not-found");
    expect((await fetch(`${metricsUrl}/exams`)).status).toBe(404);
    expect((await fetch(`${metricsUrl}/metrics`, { method: "POST" })).status).toBe(404);
  });

  test("every answer carries the headers that keep a browser from harm", async () => {
    for (const path of ["/healthz", "/nothing", "/dicomweb/studies", frameOf(exam)]) {
      const { headers } = await world.get(path);
      expect(Object.fromEntries(headers)).toMatchObject({
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "content-security-policy": expect.stringContaining("frame-ancestors 'none'"),
        "cross-origin-opener-policy": "same-origin",
        "cache-control": "private, no-store",
      });
      // This machine alone, without TLS.
      expect(headers.has("strict-transport-security")).toBe(false);
    }
  });

  test("behind TLS, browsers are told to stay with it", async () => {
    await world.stopGateway();
    const PORT = String(await freePort());
    await world.startGateway({ PORT, PUBLIC_URL: "https://localhost" });
    const { headers } = await fetch(`http://127.0.0.1:${PORT}/healthz`);
    expect(headers.get("strict-transport-security")).toBe("max-age=31536000");
  });
});

describe.skipIf(!findPostgres())("a database that is gone (needs Debian's postgresql)", () => {
  test("is named", async () => {
    const postgres = await startPostgres();
    const world = await World.open({ environment: { DATABASE_URL: postgres.url } });
    await postgres.stop();
    const found = await until("it is missed", async () => {
      const answer = await world.get("/readyz");
      return answer.status === 503 && ((await answer.json()) as Readiness);
    });
    expect(found.checks).toMatchObject({ database: "database-unavailable", archive: "ok" });
    await world.close();
    await postgres.close();
  });
});

describe("limits", () => {
  let world: World;
  let exam: Exam;
  /** Requests that reach the gateway from this address on, as if from the other side of a proxy. */
  let forwarded = 0;

  beforeAll(async () => {
    world = await World.open({
      environment: {
        RATE_LIMIT_SIGN_INS: "40",
        RATE_LIMIT_REFUSALS: "10",
        RATE_LIMIT_STREAMS: "2",
        TRUST_PROXY: "127.0.0.1",
      },
    });
    await world.enrol(SAMPLE_PATIENTS.brain, "patient");
    [exam] = (await world.examsOf("patient")) as [Exam];
    for (const name of ["stranger", "reader", "otherReader"] as const) await world.signIn(name);
  });
  afterAll(() => world.close());

  const from = (ip: string) => ({ "x-forwarded-for": ip });
  const newIp = () => {
    forwarded += 1;
    return `203.0.113.${forwarded}`;
  };
  const repeat = (times: number, ask: () => Promise<Response>) =>
    Promise.all(Array.from({ length: times }, ask));
  async function expectTooMany(answer: Response): Promise<void> {
    expect(await reasonOf(answer.clone())).toBe("429 too-many-requests");
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(Number(answer.headers.get("retry-after"))).toBeLessThanOrEqual(60);
  }

  test("stop nobody who reads what they may, however fast", async () => {
    const frame = frameOf(exam);
    for (let round = 0; round < 10; round += 1) {
      const answers = await repeat(40, () => world.get(frame, "patient"));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    }
  });

  test("stop who asks on and on for what they may not see, and nobody else", async () => {
    const ask = () => world.get(frameOf(exam), "stranger");
    for (let refusal = 0; refusal < 10; refusal += 1) expect((await ask()).status).toBe(403);
    await expectTooMany(await ask());
    await expectTooMany(await world.get("/me", "stranger"));
    expect((await world.get("/me", "reader")).status).toBe(200);
    expect((await world.get("/me", "patient")).status).toBe(200);
  });

  test("stop who has no token by IP, and not those who have one there", async () => {
    const ip = from(newIp());
    for (let refusal = 0; refusal < 10; refusal += 1)
      expect((await world.get("/exams", undefined, ip)).status).toBe(401);
    await expectTooMany(await world.get("/exams", undefined, ip));
    await expectTooMany(await world.get("/exams", { token: "guessed" }, ip));
    expect((await world.get("/exams", "reader", ip)).status).toBe(200);
    expect((await world.get("/exams", undefined, from(newIp()))).status).toBe(401);
  });

  test("stop who asks for nonces without end, by IP, and IPv6 by what one customer is given", async () => {
    for (const [one, same, other] of [
      [newIp(), null, newIp()],
      ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"],
    ] as const) {
      const answers = await repeat(40, () => world.post("/auth/nonce", undefined, from(one)));
      expect(answers.every(({ ok }) => ok)).toBe(true);
      await expectTooMany(await world.post("/auth/nonce", undefined, from(same ?? one)));
      await expectTooMany(await world.post("/auth/token", { message: "", signature: "0x00" }, from(one)));
      expect((await world.post("/auth/nonce", undefined, from(other))).status).toBe(200);
    }
  });

  test("keep streams to a few for each caller, and give places back", async () => {
    const leave = new AbortController();
    const headers = { authorization: `Bearer ${await world.signIn("patient")}` };
    const watch = (signal?: AbortSignal) =>
      fetch(`${world.gateway.url}/exams/${exam.examId}/watch`, { headers, ...(signal && { signal }) });
    const open = [await watch(leave.signal), await watch(leave.signal)];
    expect(open.map(({ status }) => status)).toEqual([200, 200]);
    await expectTooMany(await watch());
    leave.abort();
    const again = await until("a place is free", async () => {
      const answer = await watch();
      return answer.ok && answer;
    });
    await again.body?.cancel();
  });

  test("take nobody's word for where a request comes from but the proxy's", async () => {
    await world.stopGateway();
    await world.startGateway({ TRUST_PROXY: "192.0.2.1" });
    for (let refusal = 0; refusal < 10; refusal += 1)
      expect((await world.get("/exams", undefined, from(newIp()))).status).toBe(401);
    await expectTooMany(await world.get("/exams", undefined, from(newIp())));
  });
});

describe("going down", () => {
  test("lets an answer under way come to its end, ends what has none, and takes nothing new", async () => {
    const archive = await HospitalArchive.open();
    const world = await World.open({ environment: { DICOMWEB_URL: archive.url } });
    await world.enrol(SAMPLE_PATIENTS.brain, "patient");
    const [exam] = (await world.examsOf("patient")) as [Exam];
    await world.stopGateway();
    const gateway = await startProcess(world.environment);
    try {
      world.useGateway(gateway.ready?.url ?? "");
      const whole = await (await world.get(frameOf(exam), "patient")).arrayBuffer();
      archive.stall();
      const watch = await world.get(`/exams/${exam.examId}/watch`, "patient");
      const frame = await world.get(frameOf(exam), "patient");

      gateway.child.kill("SIGTERM");
      expect(await watch.text()).toContain("The gateway is going down.");
      await expect(world.get("/healthz")).rejects.toThrow();
      archive.resume();
      expect((await frame.arrayBuffer()).byteLength).toBe(whole.byteLength);
      expect(await gateway.ended).toBe(0);
    } finally {
      await gateway.kill();
      await world.close();
      await archive.close();
    }
  });
});
