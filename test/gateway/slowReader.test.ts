/** A reader who takes an answer slowly: what they have yet to take of it when access ends, they do not get. */
import { randomFillSync } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Exam } from "../../protocol/api.ts";
import { MADE_PATIENT_ID, madePicture } from "../madeSample.ts";
import { until, World } from "../world.ts";

/** Of noise, so that it stays large as a picture too: larger than what systems keep of a connection. */
const SIDE = 4_000;

let folder: string;
let world: World;
let exam: Exam;
let instance: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "examkey-slow-"));
  const file = await madePicture(1, SIDE);
  randomFillSync(file, file.length - SIDE * SIDE);
  await writeFile(join(folder, "noise.dcm"), file);
  world = await World.open({ environment: { DICOM_DIRS: folder, FRAME_CACHE_MB: "256" } });
  await world.enrol(MADE_PATIENT_ID, "patient");
  [exam] = (await world.examsOf("patient")) as [Exam];
  instance = new URL(exam.picture ?? "").pathname.replace("/rendered", "");
  await (await world.get(`${instance}/frames/1`, "patient")).arrayBuffer();
});

afterAll(async () => {
  await world.close();
  await rm(folder, { recursive: true });
});

/** Bytes that come until the connection ends. */
async function restOf(socket: Socket): Promise<number> {
  let bytes = 0;
  socket.on("data", (chunk) => {
    bytes += chunk.length;
  });
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.resume();
  await closed;
  return bytes;
}

test.each([
  ["a frame that is kept", "/frames/1", "multipart/related; type=application/octet-stream"],
  ["a picture", "/rendered", "image/png"],
])("%s", async (_, resource, accept) => {
  await world.grant("patient", exam.examId, "reader");
  const token = await world.signIn("reader");
  const metadata = `${instance}/metadata`;
  await until("it is open", async () => (await world.get(metadata, { token })).ok);

  const { hostname, port, host } = new URL(world.gateway.url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on("error", () => undefined);
  const fields = `Host: ${host}\r\nAuthorization: Bearer ${token}\r\nAccept: ${accept}`;
  socket.write(`GET ${instance}${resource} HTTP/1.1\r\n${fields}\r\n\r\n`);
  await once(socket, "readable");
  expect(String(socket.read(15))).toBe("HTTP/1.1 200 OK");

  await world.revoke("patient", exam.examId, "reader");
  await until("it is closed", async () => (await world.get(metadata, { token })).status === 403);
  expect(await restOf(socket)).toBeLessThan(SIDE * SIDE);
});
