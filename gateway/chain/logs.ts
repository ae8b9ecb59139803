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

/** What an event says about one slot, or about all of a patient's, as kept in the database without its block's time. */
export type GrantEvent = Omit<typeof ledgerEvents.$inferInsert, "blockTime">;

/** Topics of the events that change decisions. */
export const WATCHED_TOPICS = [
  "Granted",
  "GrantedBatch",
  "Revoked",
  "RevokedBatch",
  "RevokedAll",
  "ExamRegistered",
  "ExamAmended",
  "ExamRetired",
  "ExamHandedOver",
].map((name) => {
  const event = ledgerInterface.getEvent(name);
  if (!event) throw new Error(`ConsentLedger has no event ${name}`);
  return event.topicHash as Hex;
});

/** What a log changes, and the rows to keep where it is about grants: a batch is one for each of its resources, in order. */
export function decodeLog(log: RawLog): { change: Change; events: GrantEvent[] } {
  const parsed = ledgerInterface.parseLog(log);
  if (!parsed) throw new Error(`A log of the ledger cannot be read: topic ${log.topics[0]}`);
  const { name, args } = parsed;
  if (name.startsWith("Exam")) return { change: { examId: args.examId as Hex }, events: [] };
  const patient = (args.patient as string).toLowerCase() as Hex;
  const common = {
    blockHash: log.blockHash,
    blockNumber: Number(log.blockNumber),
    logIndex: Number(log.logIndex),
    patient,
    ...actOf(parsed),
  };
  const events = resourcesOf(parsed).map((resource, position) => ({ ...common, resource, position }));
  return { change: { patient }, events };
}

function actOf({ name, args }: LogDescription): Pick<GrantEvent, "kind" | "grantee" | "terms"> {
  if (name === "RevokedAll") return { kind: "revoked-all", grantee: null, terms: null };
  const grantee = args.grantee as Hex;
  if (name.startsWith("Revoked")) return { kind: "revoked", grantee, terms: null };
  return { kind: "granted", grantee, terms: toBeHex(args.terms as bigint, 32) as Hex };
}

/** The resources that an event is about; null stands for all of the patient's. */
function resourcesOf({ name, args }: LogDescription): (Hex | null)[] {
  if (name === "RevokedAll") return [null];
  return name.endsWith("Batch") ? [...(args.resources as Iterable<Hex>)] : [args.resource as Hex];
}
