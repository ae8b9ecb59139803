/** A database belongs to one ledger on one chain. */
import { eq } from "drizzle-orm";
import type { Hex } from "../../protocol/hash.ts";
import { ConfigError, LOCAL_CHAIN_ID } from "../config.ts";
import { isLive } from "../exams/live.ts";
import type { Database } from "./database.ts";
import {
  binding,
  emergencyEvents,
  emergencyReaders,
  exams,
  followedBlocks,
  ledgerEvents,
  outbox,
  relays,
  settings,
} from "./schema.ts";

/** What the chain and the configuration say that the database should belong to. */
export type Binding = { chainId: number; genesisHash: Hex; consentLedger: Hex; custodian: Hex };

/**
 * Bind a new database, or make sure that it is bound to the same. Where a local chain was begun anew, what the
 * old one said is dropped, exams become pending so that they are registered again with their salts, and the audit stays.
 * @throws {ConfigError} on any other mismatch
 */
export async function bindDatabase(database: Database, wanted: Binding): Promise<void> {
  const [bound] = await database.insert(binding).values(wanted).onConflictDoNothing().returning();
  if (bound) return;
  const [kept] = await database.select().from(binding);
  if (!kept || isSame(kept, wanted)) return;
  const begunAnew =
    wanted.chainId === LOCAL_CHAIN_ID &&
    kept.chainId === LOCAL_CHAIN_ID &&
    kept.custodian === wanted.custodian &&
    kept.genesisHash !== wanted.genesisHash;
  if (!begunAnew) throw new ConfigError(describeMismatch(kept, wanted));
  await database.transaction(async (tx) => {
    await tx.delete(ledgerEvents);
    await tx.delete(emergencyEvents);
    await tx.delete(emergencyReaders);
    await tx.delete(followedBlocks);
    await tx.delete(outbox);
    await tx.delete(relays);
    await tx.update(exams).set({ state: "pending" }).where(isLive);
    await tx.update(binding).set(wanted);
  });
}

/**
 * Remember which contract emergencies are followed in; null for none. With another than before, all events are read again
 * from the first block: those of the ledger are known, and those of emergencies must not have a gap.
 */
export async function bindEmergencies(database: Database, emergencyAccess: Hex | null): Promise<void> {
  const name = "emergency-access";
  const value = emergencyAccess ?? "";
  const [kept] = await database.select().from(settings).where(eq(settings.name, name));
  if ((kept?.value ?? "") === value) return;
  await database.transaction(async (tx) => {
    await tx.delete(emergencyEvents);
    await tx.delete(followedBlocks);
    await tx
      .insert(settings)
      .values({ name, value })
      .onConflictDoUpdate({ target: settings.name, set: { value } });
  });
}

const NAMES = {
  chainId: "chain id",
  genesisHash: "genesis block",
  consentLedger: "CONSENT_LEDGER",
  custodian: "CUSTODIAN",
} as const;

const FIELDS = Object.keys(NAMES) as (keyof Binding)[];

function isSame(kept: Binding, wanted: Binding): boolean {
  return FIELDS.every((field) => kept[field] === wanted[field]);
}

function describeMismatch(kept: Binding, wanted: Binding): string {
  const differences = FIELDS.filter((field) => kept[field] !== wanted[field]).map(
    (field) => `${NAMES[field]} ${kept[field]}, not ${wanted[field]}`,
  );
  return `The database belongs to ${differences.join("; ")}. Use the chain and addresses that it was made for, or an empty database.`;
}
