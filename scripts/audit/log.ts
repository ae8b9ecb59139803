/** A gateway's log of receipts, read by way of its admin API. What it says is what is to be checked. */
import { type AuditAbout, auditKeysSchema, auditPageSchema, auditSchema } from "../../protocol/adminApi.ts";
import { envelopesRoot } from "../../protocol/envelope.ts";
import type { Hex } from "../../protocol/hash.ts";
import {
  ERASE,
  LOST,
  type LoggedReceipt,
  loggedReceiptSchema,
  receiptDigest,
} from "../../protocol/receipt.ts";
import type { Desk } from "../desk.ts";

/** A receipt of the log. */
export interface Entry {
  sequence: number;
  /** The digest that the log keeps; `LOST` where that is none. */
  digest: Hex;
  /** Whether what the receipt says, computed anew, has that digest. */
  isWhole: boolean;
  /** With the last of those that were written together. */
  signed: LoggedReceipt["signed"];
  /** The ids of the keys that its envelopes are under. */
  keyIds: Hex[];
  /** Whether it says that these keys were destroyed. */
  isErasure: boolean;
}

/** What proofs are made of, whatever became of the rest. */
const keptSchema = loggedReceiptSchema.pick({ digest: true, signed: true });

/** Hexadecimal digits of an envelope that are its key's id, with the `0x` before them. */
const KEY_ID_DIGITS = 34;

/** Numbers begin at 1: what somebody put before them is read, too. */
const BEFORE_ALL = Number.MIN_SAFE_INTEGER;

/** Whose log this is, and where it is anchored, by the gateway's word. */
export async function readAbout(desk: Desk): Promise<AuditAbout> {
  return auditSchema.parse(await desk.ask("/audit"));
}

/** Every receipt, in order. */
export async function* readEntries(desk: Desk): AsyncGenerator<Entry> {
  for (let after = BEFORE_ALL; ; ) {
    const { receipts } = auditPageSchema.parse(await desk.ask(`/audit/receipts?after=${after}`));
    const last = receipts.at(-1);
    if (!last) return;
    for (const receipt of receipts) yield entryOf(receipt);
    after = last.sequence;
  }
}

/** The ids of the keys that the gateway has. */
export async function readKeyIds(desk: Desk): Promise<Set<string>> {
  const all = new Set<string>();
  for (let after = ""; ; ) {
    const { keyIds } = auditKeysSchema.parse(await desk.ask(`/audit/keys?after=${after}`));
    const last = keyIds.at(-1);
    if (last === undefined) return all;
    for (const keyId of keyIds) all.add(keyId);
    after = last;
  }
}

function entryOf(receipt: { sequence: number }): Entry {
  const { sequence } = receipt;
  const kept = keptSchema.safeParse(receipt);
  const nothing = { keyIds: [], isErasure: false };
  if (!kept.success) return { sequence, digest: LOST, isWhole: false, signed: null, ...nothing };
  const { data } = loggedReceiptSchema.safeParse(receipt);
  if (!data || digestOf(data) !== kept.data.digest)
    return { sequence, ...kept.data, isWhole: false, ...nothing };
  const keyIds = data.envelopes.map((envelope) => envelope.slice(0, KEY_ID_DIGITS) as Hex);
  return { sequence, ...kept.data, isWhole: true, keyIds, isErasure: data.action === ERASE };
}

/** Computed anew from what the receipt says; null where its envelopes make no tree, and so nobody wrote it. */
function digestOf({ envelopes, ...decided }: LoggedReceipt): Hex | null {
  const isTree = envelopes.length > 0 && new Set(envelopes).size === envelopes.length;
  return isTree ? receiptDigest({ ...decided, envelopes: envelopesRoot(envelopes) }) : null;
}
