/** Frames from memory: given to whom they are permitted, as the archive gave them, and in no more memory than was said. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { FrameCache } from "../../../gateway/archive/frameCache.ts";
import { Problem } from "../../../gateway/problem.ts";
import { SAMPLE_FOLDERS } from "../../samples.ts";
import { until } from "../../world.ts";
import { embeddedArchive, type House, openHouse } from "./house.ts";

const STUDY = "1.3.12.2.1107.5.4.3.123456789012345.19950922.121803.6";
const SERIES = "1.3.12.2.1107.5.4.3.123456789012345.19950922.121803.8";
const INSTANCE = `/studies/${STUDY}/series/${SERIES}/instances/1.3.12.2.1107.5.4.3.321890.19960124.162922.29`;
const FRAME = `${INSTANCE}/frames/2`;
const ALONE = { accept: "image/jpeg" };

const cache = new FrameCache(16 * 1024 * 1024);
let house: House;
beforeAll(async () => {
  const file = await readFile(join(SAMPLE_FOLDERS[0] ?? "", "jpeg_baseline_8bit.dcm"));
  house = await openHouse(embeddedArchive, [file], cache);
});
afterAll(() => house.close());
beforeEach(async () => {
  house.gate.permit(STUDY);
  house.gate.recording = () => Promise.resolve();
  cache.clear();
  expect((await house.get(FRAME, ALONE)).status).toBe(200);
  house.wiretap.asked.length = 0;
});

const asked = () => house.wiretap.asked.filter(({ url }) => url.includes("/frames/")).length;

test("a frame comes from memory the second time, alone or in multipart, byte for byte", async () => {
  const again = await house.get(FRAME, ALONE);
  const packed = await house.get(FRAME, { accept: 'multipart/related; type="image/jpeg"' });
  expect(asked()).toBe(0);
  cache.clear();
  const fromArchive = await house.get(FRAME, ALONE);
  expect(asked()).toBe(1);
  expect(again.bytes.equals(fromArchive.bytes)).toBe(true);
  expect(packed.bytes.includes(fromArchive.bytes)).toBe(true);
  expect(again.headers.get("content-type")).toBe(fromArchive.headers.get("content-type"));
});

test("another frame, and what is not accepted, are not taken for it", async () => {
  const one = await house.get(FRAME, ALONE);
  const other = await house.get(`${INSTANCE}/frames/3`, ALONE);
  expect(asked()).toBe(1);
  expect(other.bytes.equals(one.bytes)).toBe(false);
  expect((await house.get(FRAME, { accept: "image/jls" })).status).toBe(406);
});

test("nobody is given from memory what was not permitted and recorded now", async () => {
  house.gate.recording = () => Promise.reject(new Problem("database-unavailable"));
  expect((await house.get(FRAME, ALONE)).status).toBe(503);
  house.gate.recording = () => Promise.resolve();
  house.gate.revoke(STUDY);
  expect((await house.get(FRAME, ALONE)).status).toBe(403);
});

test("a frame that was under way when an exam changed is not kept", async () => {
  cache.clear();
  const recorded = Promise.withResolvers<void>();
  house.gate.recording = () => recorded.promise;
  const underWay = house.get(FRAME, ALONE);
  await until("the archive was asked", async () => asked() === 1);
  cache.clear();
  recorded.resolve();
  expect((await underWay).status).toBe(200);
  expect((await house.get(FRAME, ALONE)).status).toBe(200);
  expect(asked()).toBe(2);
});

test("memory is what was said, and what was used last stays", () => {
  const small = new FrameCache(1_000);
  const of = (frame: number) => ({
    studyInstanceUid: "1.2",
    seriesInstanceUid: "1.3",
    sopInstanceUid: "1.4",
    frame,
    transferSyntax: "*",
  });
  const kept = { mediaType: "image/jpeg", transferSyntaxUid: null, bytes: Buffer.alloc(100) };
  for (let frame = 1; frame <= 50; frame += 1) {
    small.set(of(frame), kept, small.generation);
    small.get(of(1));
  }
  expect(small.size).toBe(1_000);
  expect([1, 2, 41, 42, 50].map((frame) => !!small.get(of(frame)))).toEqual([true, false, false, true, true]);
  small.set(of(51), { ...kept, bytes: Buffer.alloc(126) }, small.generation);
  expect(small.get(of(51))).toBeUndefined();
  expect(new FrameCache(0).largest).toBe(0);
});
