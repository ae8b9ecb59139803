/** Metadata from memory: asked of the archive once in a while, and given to nobody who may not see it now. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { MetadataCache } from "../../../gateway/archive/metadataCache.ts";
import { SAMPLE_FOLDERS } from "../../samples.ts";
import { embeddedArchive, type House, openHouse } from "./house.ts";

const STUDY = "1.3.12.2.1107.5.4.3.123456789012345.19950922.121803.6";
const SERIES = "1.3.12.2.1107.5.4.3.123456789012345.19950922.121803.8";
const INSTANCE = `/studies/${STUDY}/series/${SERIES}/instances/1.3.12.2.1107.5.4.3.321890.19960124.162922.29`;
const METADATA = `${INSTANCE}/metadata`;

const cache = new MetadataCache();
let house: House;
beforeAll(async () => {
  const file = await readFile(join(SAMPLE_FOLDERS[0] ?? "", "jpeg_baseline_8bit.dcm"));
  house = await openHouse(embeddedArchive, [file], undefined, cache);
});
afterAll(() => house.close());
beforeEach(async () => {
  house.gate.permit(STUDY);
  cache.clear();
  expect((await house.get(METADATA)).status).toBe(200);
  house.wiretap.asked.length = 0;
});

const asked = () => house.wiretap.asked.filter(({ url }) => url.endsWith("/metadata")).length;

test("an instance's metadata is asked for once, and is the same the second time", async () => {
  const again = await house.get(METADATA);
  expect(asked()).toBe(0);
  cache.clear();
  const fromArchive = await house.get(METADATA);
  expect(asked()).toBe(1);
  expect(again.json()).toEqual(fromArchive.json());
});

test("bulk data is found without asking for the metadata again", async () => {
  const [dataset] = (await house.get(METADATA)).json() as Record<string, { BulkDataURI: string }>[];
  const { BulkDataURI = "" } = dataset?.["7FE00010"] ?? {};
  expect(BulkDataURI.startsWith(house.root)).toBe(true);
  expect((await house.get(BulkDataURI.slice(house.root.length))).status).toBe(200);
  expect(asked()).toBe(0);
});

test("nobody is given from memory what is not permitted now", async () => {
  house.gate.revoke(STUDY);
  expect((await house.get(METADATA)).status).toBe(403);
});

test("what was asked for before an exam changed is not kept after", async () => {
  cache.clear();
  const underWay = house.get(METADATA);
  while (asked() === 0) await new Promise((resolve) => setImmediate(resolve));
  cache.clear();
  expect((await underWay).status).toBe(200);
  await house.get(METADATA);
  expect(asked()).toBe(2);
});
