/** The archive is asked while a permit is being recorded, and nothing of what it answers is told before it is. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Problem } from "../../../gateway/problem.ts";
import { SAMPLE_FOLDERS } from "../../samples.ts";
import { until } from "../../world.ts";
import { embeddedArchive, type House, openHouse } from "./house.ts";

const STUDY = "1.3.12.2.1107.5.4.3.123456789012345.19950922.121803.6";
const SERIES = "1.3.12.2.1107.5.4.3.123456789012345.19950922.121803.8";
const INSTANCES = `/studies/${STUDY}/series/${SERIES}/instances`;
const INSTANCE = `${INSTANCES}/1.3.12.2.1107.5.4.3.321890.19960124.162922.29`;

let house: House;
beforeAll(async () => {
  const file = await readFile(join(SAMPLE_FOLDERS[0] ?? "", "jpeg_baseline_8bit.dcm"));
  house = await openHouse(embeddedArchive, [file]);
  house.gate.permit(STUDY);
});
afterAll(() => house.close());

const reasonFor = async (path: string) => ((await house.get(path)).json() as { reason: string }).reason;

test.each([`${INSTANCE}/frames/1`, `${INSTANCE}/metadata`, INSTANCE])(
  "%s is given once the permit is recorded, and not at all where it cannot be",
  async (path) => {
    house.gate.recording = () => Promise.reject(new Problem("database-unavailable"));
    house.wiretap.asked.length = 0;
    expect(await reasonFor(path)).toBe("database-unavailable");
    // It was there to be given.
    expect(house.wiretap.asked.some(({ url }) => url.endsWith(path))).toBe(true);
    await until("the archive's answer is let go", async () => house.wiretap.open() === 0);
    house.gate.recording = () => Promise.resolve();
    expect((await house.get(path)).status).toBe(200);
  },
);

test.each([
  `${INSTANCE}/frames/99999`,
  `${INSTANCE}/frames/0`,
  `${INSTANCES}/1.2.3`,
  `${INSTANCES}/1.2.3/metadata`,
])("that %s is nowhere is told once the permit is recorded", async (path) => {
  house.gate.recording = () => Promise.reject(new Problem("database-unavailable"));
  const malformed = path.endsWith("/0");
  // What no permit is needed to know needs no record either.
  expect(await reasonFor(path)).toBe(malformed ? "malformed-request" : "database-unavailable");
  house.gate.recording = () => Promise.resolve();
  expect(await reasonFor(path)).toBe(malformed ? "malformed-request" : "not-found");
});
