/** What a gateway logs of a whole day's work, at its most talkative. */
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { DrizzleQueryError } from "drizzle-orm/errors";
import Fastify, { type FastifyBaseLogger } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "../../gateway/database/database.ts";
import { enrolments, exams } from "../../gateway/database/schema.ts";
import { logOptions } from "../../gateway/operations/log.ts";
import type { Exam } from "../../protocol/api.ts";
import { blindedGrantee, granteeOf, newSalt } from "../../protocol/ids.ts";
import { PROBLEM_STATUS } from "../../protocol/reasons.ts";
import type { Relayed } from "../../protocol/relay.ts";
import { reasonOf, SAMPLE_PATIENTS, until, World } from "../world.ts";
import { BreakableProxy } from "./breakableProxy.ts";
import { HospitalArchive } from "./hospitalArchive.ts";
import { type GatewayProcess, startProcess } from "./process.ts";
import { grantTo, messageOf, RELAYING, signed, untilState } from "./relaying.ts";

const LEAK =
  "/dicomweb/studies/1.2.840.10008.5.1/0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266?token=eyJhbGciOi.eyJzdWIi.c2ln";

const PRACTITIONER = { name: "Dr Wilhelmina Unmistakable", role: "Radiologist of the third kind" };

let world: World;
let archive: HospitalArchive;
let rpc: BreakableProxy;
let gateway: GatewayProcess;
let log: string;
let exam: Exam;

/** What must not be in the log, by what it is. */
const secrets: Record<string, Set<string>> = {};
function keep(what: string, ...values: (string | null | undefined)[]): void {
  secrets[what] ??= new Set();
  for (const value of values) if (value) secrets[what].add(value);
}

beforeAll(async () => {
  archive = await HospitalArchive.open();
  world = await World.open({
    environment: { DICOMWEB_URL: archive.url, ...RELAYING },
    rpcThrough: async (rpcUrl) => {
      rpc = await BreakableProxy.to(rpcUrl);
      return rpc.url;
    },
  });
  await world.stopGateway();
  gateway = await startProcess({ ...world.environment, LOG_LEVEL: "trace" });
  world.useGateway(gateway.ready?.url ?? "");
  await enrol();
  await signIn();
  await read();
  await beRefused();
  await losePartAfterPart();
  await endAccess();
  gateway.child.kill("SIGTERM");
  await gateway.ended;
  await keepStored();
  log = gateway.stdout() + gateway.stderr();
}, 240_000);

afterAll(async () => {
  await gateway.kill();
  await world.close();
  await rpc.close();
  await archive.close();
});

async function askAdmin(path: string, body: unknown): Promise<Response> {
  const file = readFileSync(join(world.environment.DATA_DIR ?? "", "admin.json"), "utf8");
  const { url, token } = JSON.parse(file) as Record<"url" | "token", string>;
  keep("a token", token);
  return fetch(`${url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

async function enrol(): Promise<void> {
  const { patient, reader } = world.people;
  for (const patientId of [...Object.values(SAMPLE_PATIENTS), "NOBODY^AT^ALL"]) {
    keep("a patient id", patientId);
    await (await askAdmin("/patients/preview", { patientId })).text();
    await (await askAdmin("/patients", { patientId, address: patient.address })).text();
  }
  await askAdmin("/practitioners", { ...PRACTITIONER, address: reader.address });
  await askAdmin("/practitioners", { ...PRACTITIONER, address: "0x12" });
  keep("a person's name or role", PRACTITIONER.name, PRACTITIONER.role);
  await (await askAdmin("/exams/refresh", {})).text();
  for (const { address } of Object.values(world.people)) keep("an address", address, address.toLowerCase());
}

async function signIn(): Promise<void> {
  const { patient, reader, stranger } = world.people;
  for (const [person, signer] of [
    [patient, patient],
    [reader, reader],
    [patient, stranger],
  ] as const) {
    const signMessage = async (message: string | Uint8Array) => {
      const signature = await signer.signMessage(message);
      keep("a signature", signature, signature.slice(2, 66));
      return signature;
    };
    await world.trySignIn({ address: person.address, signMessage });
  }
  for (const name of ["patient", "reader", "stranger"] as const) keep("a token", await world.signIn(name));
  const all = await world.examsOf("patient");
  exam = all.find(({ numberOfImages }) => numberOfImages === 20) ?? (all[0] as Exam);
  for (const each of all) {
    keep("an exam's id", each.examId, each.commitment);
    keep("a person's name or role", each.patient.name);
    keep("a birth date", each.patient.birthDate);
    keep("a UID", each.studyInstanceUid, ...each.series.map(({ seriesInstanceUid }) => seriesInstanceUid));
    keep("a description", each.description, ...each.series.map(({ description }) => description));
  }
  await world.grant("patient", exam.examId, "reader");
  await tellNames();
  await relayActs();
}

/** What a patient has sent for them: one act as it should be, one that is not the patient's, and one that the ledger refuses. */
async function relayActs(): Promise<void> {
  const { patient, stranger } = world.people;
  const fields = grantTo(world, "otherReader", exam.examId);
  for (const [signer, bent] of [
    [patient, {}],
    [stranger, {}],
    [patient, { nonce: 77n }],
  ] as const) {
    const message = await messageOf(world, "Grant", { by: patient, ...fields, ...bent });
    const body = await signed(world, "Grant", message, signer);
    keep("a signature", body.signature, body.signature.slice(2, 66));
    const answer = await world.post("/relay", body);
    if (answer.ok) await untilState(world, (await answer.json()) as Relayed, "mined");
  }
}

/** Whose a blinded grantee is: as it should be told, as it should not, and in a body that breaks off. */
async function tellNames(): Promise<void> {
  const { patient, reader } = world.people;
  const salt = newSalt();
  keep("a salt", salt, salt.slice(2));
  const grantee = blindedGrantee(reader.address, salt);
  const body = JSON.stringify({ patient: patient.address, reader: reader.address, salt, grantee });
  for (const sent of [body, body.replace(grantee, salt), body.slice(0, -20)]) {
    const headers = {
      "content-type": "application/json",
      authorization: `Bearer ${await world.signIn("patient")}`,
    };
    await drain(fetch(`${gateway.ready?.url}/grantees`, { method: "POST", headers, body: sent }));
  }
}

const studyPath = () => `/dicomweb/studies/${exam.studyInstanceUid}`;
const framePath = () => new URL(exam.picture ?? "").pathname.replace(/rendered$/, "frames/1");
const drain = async (answer: Promise<Response>) => (await answer).arrayBuffer().catch(() => undefined);

async function read(): Promise<void> {
  keep("a UID", framePath().split("/instances/")[1]?.split("/")[0]);
  for (const path of ["/exams", "/grants", "/people", "/me", "/dicomweb/studies", "/dicomweb/series"])
    for (const person of ["patient", "reader", "stranger"] as const) await drain(world.get(path, person));
  for (const path of [studyPath(), `${studyPath()}/metadata`, `${studyPath()}/rendered`, framePath()])
    for (const person of ["reader", "stranger"] as const) await drain(world.get(path, person));
  await drain(world.get(`/dicomweb/studies?PatientID=${SAMPLE_PATIENTS.brain}`, "reader"));
  await drain(world.get(`${framePath()}?made-up=${SAMPLE_PATIENTS.brain}`, "reader"));
  const token = await world.signIn("reader");
  const viewer = await world.post(
    "/auth/viewer-token",
    { examId: exam.examId },
    { authorization: `Bearer ${token}` },
  );
  const { access_token } = (await viewer.json()) as { access_token: string };
  keep("a token", access_token);
  keep("a query string", "?token", "token=", "PatientID=", "made-up");
  await drain(world.get(`${studyPath()}/metadata?token=${access_token}`));
  await drain(world.get(`/exams?token=${access_token}`));
  await drain(world.get(`${framePath()}?token=${token}`));
}

async function beRefused(): Promise<void> {
  const token = await world.signIn("reader");
  for (const path of [
    `/dicomweb/studies/${exam.studyInstanceUid}.x/metadata`,
    `${studyPath()}/x%5c..%5c..%5cmetadata`,
    `${studyPath()}%/metadata`,
    `/nothing/${exam.studyInstanceUid}`,
    `/exams/${exam.studyInstanceUid}/watch`,
    `/${"9.".repeat(12_000)}9`,
  ]) {
    await drain(world.get(path, "reader"));
    await drain(world.post(path, { patientId: SAMPLE_PATIENTS.brain }));
  }
  for (const body of [`{"message": "${SAMPLE_PATIENTS.brain}`, `token=${token}`]) {
    const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
    await drain(fetch(`${gateway.ready?.url}/auth/token`, { method: "POST", headers, body }));
  }
  // What is no HTTP never reaches a route.
  for (const damage of ["Content-Length: many\r\n", "X-Long: ".padEnd(40_000, "x"), "\0"]) {
    const socket = connect(Number(new URL(gateway.ready?.url ?? "").port), "127.0.0.1");
    socket.write(`GET ${framePath()}?token=${token} HTTP/1.1\r\nHost: x\r\n${damage}\r\n\r\n`);
    await text(socket);
  }
}

/** The archive goes in the middle of an answer, a reader in the middle of another; then the chain. */
async function losePartAfterPart(): Promise<void> {
  for (const lose of [() => archive.break(), (leave: AbortController) => leave.abort()]) {
    const leave = new AbortController();
    archive.stall();
    const headers = { authorization: `Bearer ${await world.signIn("reader")}` };
    const answer = await fetch(`${gateway.ready?.url}${framePath()}`, { headers, signal: leave.signal });
    lose(leave);
    await expect(answer.arrayBuffer()).rejects.toThrow();
    archive.mend();
  }
  archive.break();
  expect(await reasonOf(await world.get(framePath(), "reader"))).toBe("503 archive-unavailable");
  await drain(
    askAdmin("/patients", { patientId: SAMPLE_PATIENTS.mr, address: world.people.patient.address }),
  );
  archive.mend();
  rpc.break();
  await until("the chain is missed", async () => (await world.get(framePath(), "reader")).status === 503);
  await drain(world.get("/exams", "patient"));
  await drain(
    askAdmin("/patients", { patientId: SAMPLE_PATIENTS.mr, address: world.people.patient.address }),
  );
  rpc.mend();
  await until("the exam is served", async () => (await world.get(framePath(), "reader")).ok);
}

async function endAccess(): Promise<void> {
  const stream = await world.get(`/exams/${exam.examId}/watch`, "reader");
  await world.act("patient", "revoke", [exam.examId, granteeOf(world.people.reader.address)]);
  expect(await stream.text()).toContain('"reason":"revoked"');
  const url = `${gateway.ready?.url}/auth/revoke`;
  const body = new URLSearchParams({ token: await world.signIn("patient") });
  await fetch(url, { method: "POST", body });
  await drain(world.get("/exams", "patient"));
}

async function keepStored(): Promise<void> {
  const dataDir = world.environment.DATA_DIR ?? "";
  const { database, close } = await openDatabase({ databaseUrl: null, dataDir });
  for (const row of await database.select().from(exams)) {
    keep("a salt", row.salt, row.salt.slice(2));
    keep("an exam's id", row.examId, row.commitment, row.manifestRoot);
  }
  for (const row of await database.select().from(enrolments)) keep("a salt", row.salt, row.signature);
  await close();
  keep("a key", world.environment.OPERATOR_KEY, world.environment.RELAY_KEY);
}

test("says what happened, one JSON document a line", () => {
  const lines = log
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { msg?: string; reason?: string; route?: string; status?: number });
  const told = (field: "msg" | "reason" | "route") => new Set(lines.map((line) => line[field]));
  expect([...told("msg")]).toEqual(
    expect.arrayContaining([
      "answered",
      "refused",
      "The chain cannot be followed",
      "The chain is followed again",
    ]),
  );
  expect([...told("reason")]).toEqual(expect.arrayContaining(["archive-unavailable"]));
  const statuses = new Set(lines.map(({ status }) => status).filter((status) => status !== undefined));
  for (const reason of ["malformed-uid", "token-missing", "not-granted", "archive-unavailable"] as const)
    expect(statuses).toContain(PROBLEM_STATUS[reason]);
});

test("names nobody, nothing that belongs to somebody, and nothing that opens anything", () => {
  const found = Object.entries(secrets).flatMap(([what, values]) =>
    [...values]
      .filter((value) => log.toLowerCase().includes(value.toLowerCase()))
      .map((value) => `${what}: ${value}`),
  );
  expect(found).toEqual([]);
  // A buffer would be a list of numbers, and no search would find what is in it.
  expect(log).not.toContain('"type":"Buffer"');
  expect(log).not.toMatch(/eyJ[\w-]+\.|\d+(\.\d+){4,}|0x[0-9a-f]{40}/i);
  // What was looked for was there to be found.
  expect(Object.keys(secrets).sort()).toMatchInlineSnapshot(`
    [
      "a UID",
      "a birth date",
      "a description",
      "a key",
      "a patient id",
      "a person's name or role",
      "a query string",
      "a salt",
      "a signature",
      "a token",
      "an address",
      "an exam's id",
    ]
  `);
  for (const values of Object.values(secrets)) expect(values.size).toBeGreaterThan(0);
});

test.each<[string, (log: FastifyBaseLogger) => void]>([
  ["a fault's message", (log) => log.error(new Error(LEAK))],
  ["a fault's message, as pino borrows it", (log) => log.warn({ err: new Error(LEAK) })],
  ["a fault's message, as Fastify repeats it", (log) => log.info({ err: new Error(LEAK) }, LEAK)],
  ["what a fault comes from", (log) => log.error({ err: new Error("x", { cause: new Error(LEAK) }) }, "x")],
  ["a query's parameters", (log) => log.error({ err: new DrizzleQueryError(LEAK, [LEAK]) }, "x")],
  ["a fault's own fields", (log) => log.error({ err: Object.assign(new Error("x"), { raw: LEAK }) }, "x")],
  ["a request", (log) => log.error({ req: { method: "GET", url: LEAK, headers: { a: LEAK } } }, "x")],
  ["words", (log) => log.info(`Reply was already sent in the "${LEAK}" route`)],
  ["a value under any name", (log) => log.info({ anything: LEAK }, "x")],
])("%s does not get into a line", (_name, write) => {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  write(Fastify({ logger: { ...logOptions("trace"), stream } }).log);
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: expect.any(Number) });
  for (const part of ["1.2.840.10008", "eyJhbGciOi", "token=", "f39Fd6e51aad88F6F4ce6aB8827279cffFb92266"]) {
    expect(lines[0]).not.toContain(part);
  }
});
