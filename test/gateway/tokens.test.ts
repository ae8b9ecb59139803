/** Ending sessions and tokens (RFC 7009), asking about them (RFC 7662), and tokens for viewers. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readConfig } from "../../gateway/config.ts";
import { startGateway } from "../../gateway/server.ts";
import type { Exam } from "../../protocol/api.ts";
import { freePort } from "../freePort.ts";
import { findPostgres, startPostgres } from "../postgres.ts";
import { type PersonName, reasonOf, SAMPLE_PATIENTS, until, World } from "../world.ts";
import { forge, SECRET } from "./forge.ts";

let world: World;
let exam: Exam;
let otherExam: Exam;

beforeAll(async () => {
  world = await World.open({ environment: { SESSION_SECRET: SECRET } });
  await world.enrol(SAMPLE_PATIENTS.ct, "patient");
  [exam, otherExam] = (await world.examsOf("patient")) as [Exam, Exam];
  for (const { examId } of [exam, otherExam]) await world.grant("patient", examId, "reader");
});

afterAll(() => world.close());

/** A session of its own, which no other test ends. */
async function beginSession(name: PersonName = "reader"): Promise<string> {
  return accessTokenIn(await world.trySignIn(world.people[name]));
}
async function accessTokenIn(answer: Response): Promise<string> {
  return ((await answer.json()) as { access_token: string }).access_token;
}
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** Send a form, as both RFCs do. */
function form(path: string, fields: Record<string, string>, headers: Record<string, string> = {}) {
  const url = `${world.gateway.url}${path}`;
  return fetch(url, { method: "POST", body: new URLSearchParams(fields), headers });
}
const revoke = (token: string) => form("/auth/revoke", { token });
const introspect = async (asker: string, token: string) =>
  (await form("/auth/introspect", { token }, bearer(asker))).json();
const renew = (token: string) => world.post("/auth/renew", undefined, bearer(token));
async function viewerToken(session: string, { examId } = exam): Promise<string> {
  return accessTokenIn(await world.post("/auth/viewer-token", { examId }, bearer(session)));
}
const pathOf = ({ studyInstanceUid }: Exam) => `/dicomweb/studies/${studyInstanceUid}/series`;
/** Look into an exam with a viewer token. */
const view = (token: string, of = exam) => world.get(`${pathOf(of)}?token=${token}`);

describe("revoking (RFC 7009)", () => {
  test("a session's token ends the session, with all of its tokens, and no other session", async () => {
    const [session, other] = [await beginSession(), await beginSession()];
    const renewed = await accessTokenIn(await renew(session));
    const viewer = await viewerToken(session);
    expect((await view(viewer)).status).toBe(200);

    expect((await revoke(session)).status).toBe(200);
    for (const token of [session, renewed]) {
      expect(await reasonOf(await world.get("/me", { token }))).toBe("401 token-revoked");
      expect(await reasonOf(await renew(token))).toBe("401 token-revoked");
    }
    expect(await reasonOf(await view(viewer))).toBe("401 token-revoked");
    expect((await world.get("/me", { token: other })).status).toBe(200);
  });

  test("a viewer token ends that one alone", async () => {
    const session = await beginSession();
    const [one, two] = [await viewerToken(session), await viewerToken(session)];
    expect((await revoke(one)).status).toBe(200);
    expect(await reasonOf(await view(one))).toBe("401 token-revoked");
    expect((await view(two)).status).toBe(200);
    expect((await world.get("/me", { token: session })).status).toBe(200);
  });

  test("cuts what the session has open, and says why", async () => {
    const [session, other] = [await beginSession(), await beginSession()];
    const watch = (token: string) => world.get(`/exams/${exam.examId}/watch`, { token });
    const [stream, kept] = [await watch(session), await watch(other)];
    await revoke(session);
    expect(await stream.text()).toContain('"reason":"token-revoked"');
    expect((await world.get("/me", { token: other })).status).toBe(200);
    await revoke(other);
    expect(await kept.text()).toContain('"reason":"token-revoked"');
  });

  test("is not undone by a restart", async () => {
    const session = await beginSession();
    await revoke(session);
    const { port } = new URL(world.gateway.url);
    await world.stopGateway();
    await world.startGateway({ PORT: port });
    expect(await reasonOf(await world.get("/me", { token: session }))).toBe("401 token-revoked");
  });

  test("what is no token, or none any more, is answered as if it had been (section 2.2)", async () => {
    const past = Math.floor(Date.now() / 1000) - 1;
    for (const token of [
      "nonsense",
      await forge(world, { exp: past }),
      await forge(world, {}, { key: `${SECRET}?` }),
    ]) {
      expect((await revoke(token)).status).toBe(200);
    }
    expect((await world.get("/me", { token: await forge(world) })).status).toBe(200);
  });

  test("nothing is no request", async () => {
    expect(await reasonOf(await form("/auth/revoke", {}))).toBe("400 malformed-request");
    expect(await reasonOf(await world.post("/auth/revoke"))).toBe("400 malformed-request");
  });
});

describe.skipIf(!findPostgres())("two gateways over one PostgreSQL (needs Debian's postgresql)", () => {
  test("both know of a revoke, and cut what is open, wherever it was sent", async () => {
    const postgres = await startPostgres();
    const [port, otherPort] = [await freePort(), await freePort()];
    const PUBLIC_URL = `http://127.0.0.1:${port}`;
    const environment = { DATABASE_URL: postgres.url, PORT: String(port), PUBLIC_URL };
    const pair = await World.open({ environment });
    const second = await startGateway(readConfig({ ...pair.environment, PORT: String(otherPort) }));
    const atSecond = (path: string, token: string) =>
      fetch(`http://127.0.0.1:${otherPort}${path}`, { headers: bearer(token) });
    try {
      await pair.enrol(SAMPLE_PATIENTS.pet, "patient");
      const token = await pair.signIn("patient");
      const [{ examId }] = (await pair.examsOf("patient")) as [Exam];
      const stream = await until("the second has followed", async () => {
        const answer = await atSecond(`/exams/${examId}/watch`, token);
        return answer.ok && answer;
      });
      await fetch(`${PUBLIC_URL}/auth/revoke`, { method: "POST", body: new URLSearchParams({ token }) });
      expect(await stream.text()).toContain('"reason":"token-revoked"');
      expect(await reasonOf(await atSecond("/me", token))).toBe("401 token-revoked");
    } finally {
      await second.close();
      await pair.close();
      await postgres.close();
    }
  });
});

describe("introspection (RFC 7662)", () => {
  test("tells a session of its own tokens what they say, and no more", async () => {
    const session = await beginSession();
    expect(await introspect(session, session)).toEqual({
      active: true,
      iss: world.gateway.url,
      sub: world.people.reader.address,
      exp: expect.any(Number),
      jti: expect.any(String),
      purpose: "TREAT",
      exam_id: null,
    });
    const viewer = await viewerToken(session);
    expect(await introspect(session, viewer)).toMatchObject({ active: true, exam_id: exam.examId });
    await revoke(viewer);
    expect(await introspect(session, viewer)).toEqual({ active: false });
  });

  test("tells nothing of anybody else's, be it in force or not", async () => {
    const [session, mine, theirs] = [
      await beginSession(),
      await beginSession(),
      await beginSession("patient"),
    ];
    const expired = await forge(world, { exp: 1 });
    for (const token of [mine, theirs, expired, "nonsense", await viewerToken(theirs)]) {
      expect(await introspect(session, token)).toEqual({ active: false });
    }
  });

  test("is for sessions that are in force", async () => {
    const session = await beginSession();
    const ask = (headers: Record<string, string>) => form("/auth/introspect", { token: session }, headers);
    expect(await reasonOf(await ask({}))).toBe("401 token-missing");
    expect(await reasonOf(await ask(bearer(await viewerToken(session))))).toBe("401 token-malformed");
    expect(await reasonOf(await form("/auth/introspect", {}, bearer(session)))).toBe("400 malformed-request");
    await revoke(session);
    expect(await reasonOf(await ask(bearer(session)))).toBe("401 token-revoked");
  });
});

describe("a viewer token", () => {
  test("opens its exam, in the query, to searches and retrievals alike", async () => {
    const token = await viewerToken(await beginSession());
    const frame = new URL(exam.picture ?? "").pathname.replace(/rendered$/, "frames/1");
    for (const path of [pathOf(exam), frame, new URL(exam.picture ?? "").pathname]) {
      expect((await world.get(`${path}?token=${token}`)).status).toBe(200);
    }
    const found = (await (await world.get(`/dicomweb/studies?limit=9&token=${token}`)).json()) as Study[];
    expect(found.map((study) => study["0020000D"].Value[0])).toEqual([exam.studyInstanceUid]);
  });

  test("opens no other exam, and does not tell one that is there from one that is not", async () => {
    const token = await viewerToken(await beginSession());
    const denied = await view(token, otherExam);
    expect(denied.status).toBe(403);
    const unknown = await view(token, { ...exam, studyInstanceUid: "1.2.3" });
    expect(await denied.text()).toBe(await unknown.text());
    const search = `/dicomweb/studies?StudyInstanceUID=${otherExam.studyInstanceUid}&token=${token}`;
    expect(await (await world.get(search)).json()).toEqual([]);
  });

  test("is no grant: for an exam that its session may not see it opens nothing", async () => {
    const token = await viewerToken(await beginSession("stranger"));
    expect(await reasonOf(await view(token))).toBe("403 not-granted");
    expect(await reasonOf(await world.get(`/dicomweb/studies?token=${token}`))).toBe("403 not-granted");
  });

  test("goes nowhere else: not in answers, and not to where links lead", async () => {
    const token = await viewerToken(await beginSession());
    const series = await view(token);
    expect(series.headers.get("referrer-policy")).toBe("no-referrer");
    const [{ "0020000E": uid }] = (await series.clone().json()) as [Series];
    const metadata = await world.get(`${pathOf(exam)}/${uid.Value[0]}/metadata?token=${token}`);
    for (const answer of [series, metadata]) {
      const text = await answer.text();
      expect(text).toContain(world.gateway.url);
      expect(text).not.toContain("token");
      expect(text).not.toContain(token);
    }
  });

  test("is taken by DICOMweb alone, from the query alone", async () => {
    const session = await beginSession();
    const token = await viewerToken(session);
    const ofExams = [exam, otherExam].flatMap(({ examId }) =>
      ["watch", "manifest", "receipts"].map((part) => `/exams/${examId}/${part}`),
    );
    for (const path of ["/me", "/exams", "/grants", "/people", ...ofExams]) {
      expect(await reasonOf(await world.get(`${path}?token=${token}`))).toBe("401 token-missing");
      expect(await reasonOf(await world.get(path, { token }))).toBe("401 token-malformed");
    }
    expect(await reasonOf(await world.get(pathOf(exam), { token }))).toBe("401 token-malformed");
    expect(await reasonOf(await renew(token))).toBe("401 token-malformed");
    const another = await world.post("/auth/viewer-token", { examId: exam.examId }, bearer(token));
    expect(await reasonOf(another)).toBe("401 token-malformed");
    expect(await reasonOf(await world.post(`${pathOf(exam)}?token=${token}`))).toBe("405 method-not-allowed");
  });

  test("is the only kind that the query takes, and one at a time", async () => {
    const session = await beginSession();
    const token = await viewerToken(session);
    expect(await reasonOf(await view(session))).toBe("401 token-malformed");
    expect(await reasonOf(await view(`${token}&token=${token}`))).toBe("400 malformed-request");
    expect(await reasonOf(await world.get(`${pathOf(exam)}?token=${token}`, { token: session }))).toBe(
      "400 malformed-request",
    );
    expect(await reasonOf(await view(""))).toBe("401 token-malformed");
  });

  test("ends with its session, and says which exam it is for", async () => {
    const now = Math.floor(Date.now() / 1000);
    const late = await forge(world, { auth_time: now - 8 * 3600 + 60 });
    const answer = await world.post("/auth/viewer-token", { examId: exam.examId }, bearer(late));
    expect(((await answer.json()) as { expires_in: number }).expires_in).toBeLessThanOrEqual(60);
    expect(await reasonOf(await world.post("/auth/viewer-token", { examId: "all" }, bearer(late)))).toBe(
      "400 malformed-request",
    );
    const header = { typ: "examkey-viewer+jwt" };
    expect(await reasonOf(await view(await forge(world, {}, { header })))).toBe("401 token-malformed");
    const expired = await forge(world, { exam_id: exam.examId, exp: now - 1 }, { header });
    expect(await reasonOf(await view(expired))).toBe("401 token-expired");
  });

  test("opens nothing after the patient revoked all, like any token from before", async () => {
    const session = await beginSession();
    const token = await viewerToken(session);
    expect((await view(token)).status).toBe(200);
    await world.act("patient", "revokeAll", [world.people.patient.address]);
    await until("the reader is shut out", async () => !(await view(token)).ok);
    expect(await reasonOf(await view(token))).toBe("403 revoked");
    expect(await reasonOf(await world.get(pathOf(exam), { token: session }))).toBe("403 revoked");
  });
});

type Study = { "0020000D": { Value: [string] } };
type Series = { "0020000E": { Value: [string] } };
