/** What must be true after any fault: nothing was given without its record. */
import { expect } from "vitest";
import { openDatabase } from "../../gateway/database/database.ts";
import { receipts } from "../../gateway/database/schema.ts";
import { decodeReceipt, receiptDigest } from "../../protocol/receipt.ts";
import type { World } from "../world.ts";

/** Stop a world's gateway, and hold against its log what it gave: each answer came with a receipt, which is there. */
export async function expectAllRecorded(world: World): Promise<void> {
  await world.stopGateway();
  const { DATABASE_URL: databaseUrl = null, DATA_DIR: dataDir = "" } = world.environment;
  const { database, close } = await openDatabase({ databaseUrl, dataDir });
  const rows = await database.select({ seq: receipts.seq, digest: receipts.digest }).from(receipts);
  await close();
  const kept = new Map(rows.map(({ seq, digest }) => [seq, digest]));
  const given = world.permits.map((header) => (header === null ? null : decodeReceipt(header)));
  expect(given.length).toBeGreaterThan(0);
  const lost = given.filter(
    (receipt) => receipt === null || kept.get(receipt.sequence) !== receiptDigest(receipt),
  );
  expect(lost).toEqual([]);
}
