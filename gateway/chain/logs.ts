/** The ledger's logs, decoded. */
import { Interface, type LogDescription, toBeHex } from "ethers";
import { consentLedgerAbi } from "../../protocol/abi/consentLedger.ts";
import type { Hex } from "../../protocol/hash.ts";
import type { ledgerEvents } from "../database/schema.ts";

export const ledgerInterface = new Interface(consentLedgerAbi);

/** A log as a node gives it (`eth_getLogs`). */
export type RawLog = {
  topics: Hex[];
  data: Hex;
  blockNumber: Hex;
  blockHash: Hex;
  /** Not given by every node. */
  blockTimestamp?: Hex;
  logIndex: Hex;
};

/** Whose decisions an event may change: all of a patient's, or those on one exam. */
export type Change = { patient: Hex } | { examId: Hex };

/** An event as kept in the database, without its block's time. */
export type GrantEvent = Omit<typeof ledgerEvents.$inferInsert, "blockTime">;

/** Topics of the events that change decisions. */
export const WATCHED_TOPICS = [
  "Granted",
  "Revoked",
  "RevokedAll",
  "ExamRegistered",
  "ExamAmended",
  "ExamRetired",
].map((name) => {
  const event = ledgerInterface.getEvent(name);
  if (!event) throw new Error(`ConsentLedger has no event ${name}`);
  return event.topicHash as Hex;
});

/** What a log changes, and the row to keep where it is about a grant. */
export function decodeLog(log: RawLog): { change: Change; event: GrantEvent | null } {
  const parsed = ledgerInterface.parseLog(log);
  if (!parsed) throw new Error(`A log of the ledger cannot be read: topic ${log.topics[0]}`);
  if (parsed.name.startsWith("Exam")) return { change: { examId: parsed.args.examId as Hex }, event: null };
  const event = {
    blockHash: log.blockHash,
    blockNumber: Number(log.blockNumber),
    logIndex: Number(log.logIndex),
    patient: (parsed.args.patient as string).toLowerCase() as Hex,
    ...detailsOf(parsed),
  };
  return { change: { patient: event.patient }, event };
}

function detailsOf({
  name,
  args,
}: LogDescription): Pick<GrantEvent, "kind" | "resource" | "grantee" | "terms" | "nonce"> {
  if (name === "RevokedAll") {
    return { kind: "revoked-all", resource: null, grantee: null, terms: null, nonce: Number(args.epoch) };
  }
  const slot = { resource: args.resource as Hex, grantee: args.grantee as Hex, nonce: Number(args.nonce) };
  if (name === "Revoked") return { kind: "revoked", terms: null, ...slot };
  return { kind: "granted", terms: toBeHex(args.terms as bigint, 32) as Hex, ...slot };
}
