/**
 * The arithmetic floor of an act: what the EVM takes for the transaction, its calldata, the slots that it writes, the events
 * that it emits and the signatures that it recovers. Nothing that a contract reads or computes besides is in it, so no
 * contract can reach it.
 */
import { getBytes } from "ethers";
import type { Measured } from "./chain.ts";

const TRANSACTION = 21_000;

/** EIP-2028. */
const CALLDATA = { zeroByte: 4, otherByte: 16 } as const;

/** EIP-7623: what a transaction costs at least, a byte counting as one token if it is zero, and as four if not. */
const LEAST_PER_TOKEN = 10;

/** EIP-2929: the first touch of a slot in a transaction. */
const COLD_SLOT = 2_100;

/** EIP-2200, as EIP-2929 changed it: a slot that was zero, and one that was not. */
const STORE = { fresh: 20_000, changed: 5_000 - COLD_SLOT } as const;

/** EIP-3529: what comes back for a slot that becomes zero, up to a fifth of everything. */
const CLEARED = 4_800;
const LARGEST_REFUND = 1 / 5;

/** The Yellow Paper's LOG: for itself and for each topic, and for each byte of data. */
const LOG = { item: 375, byte: 8 } as const;

/** The Yellow Paper's ECREC. */
const RECOVER = 3_000;

/** What an act cannot do without, as counts. */
export type Work = {
  /** Slots that were zero and are not. */
  fresh?: number;
  /** Slots that were not zero, and get another value. */
  changed?: number;
  /** Those of the changed slots that become zero. */
  cleared?: number;
  /** Signatures whose signer is recovered. */
  signatures?: number;
};

/** What a transaction carried, and what it left in the log. */
type Carried = {
  calldata: string;
  logs: readonly { topics: readonly string[]; data: string }[];
};

/** What an act cost, and its floor. */
export type Cost = { gas: number; floor: number };

/** What an act cost, beside the floor of what it cannot do without. */
export function costOf(measured: Measured, work: Work): Cost {
  return { gas: measured.gas, floor: floorOf(measured, work) };
}

/** The floor of an act, given what its transaction carried and left in the log, and what it cannot do without. */
export function floorOf({ calldata, logs }: Carried, work: Work): number {
  const bytes = getBytes(calldata);
  const zeros = bytes.filter((byte) => byte === 0).length;
  const others = bytes.length - zeros;
  const carried = zeros * CALLDATA.zeroByte + others * CALLDATA.otherByte;
  const events = logs.reduce((sum, log) => sum + eventGas(log), 0);
  const gross = TRANSACTION + carried + events + workGas(work);
  const refund = Math.min((work.cleared ?? 0) * CLEARED, Math.floor(gross * LARGEST_REFUND));
  return Math.max(gross - refund, TRANSACTION + (zeros + 4 * others) * LEAST_PER_TOKEN);
}

function eventGas({ topics, data }: Carried["logs"][number]): number {
  return LOG.item * (1 + topics.length) + LOG.byte * getBytes(data).length;
}

function workGas({ fresh = 0, changed = 0, signatures = 0 }: Work): number {
  return fresh * (COLD_SLOT + STORE.fresh) + changed * (COLD_SLOT + STORE.changed) + signatures * RECOVER;
}
