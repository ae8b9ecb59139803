/** The logs of the ledger, and of the contract of emergencies, decoded. */
import { Interface, type LogDescription, toBeHex, ZeroAddress } from "ethers";
import { consentLedgerAbi } from "../../protocol/abi/consentLedger.ts";
import { emergencyAccessAbi } from "../../protocol/abi/emergencyAccess.ts";
import type { Hex } from "../../protocol/hash.ts";
import { EMERGENCY_REASONS, type EmergencyReason } from "../../protocol/reasons.ts";
import type { emergencyEvents, ledgerEvents } from "../database/schema.ts";

export const ledgerInterface = new Interface(consentLedgerAbi);
export const emergencyInterface = new Interface(emergencyAccessAbi);

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

/** What an event says about an emergency, as kept in the database without its block's time. */
export type EmergencyEvent = Omit<typeof emergencyEvents.$inferInsert, "blockTime">;

/** What a log changes, and the rows to keep where it is about grants or emergencies. */
export type DecodedLog = { change: Change; events: GrantEvent[]; emergencies: EmergencyEvent[] };

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
  "EmergencyOpened",
  "EmergencyClosed",
].map((name) => {
  const event = ledgerInterface.getEvent(name) ?? emergencyInterface.getEvent(name);
  if (!event) throw new Error(`No contract has an event ${name}`);
  return event.topicHash as Hex;
});

/** A log, decoded: a batch of grants is a row for each of its resources, in order. No two contracts share a topic. */
export function decodeLog(log: RawLog): DecodedLog {
  const parsed = ledgerInterface.parseLog(log);
  if (!parsed) return decodeEmergency(log);
  const { name, args } = parsed;
  if (name.startsWith("Exam")) return { change: { examId: args.examId as Hex }, events: [], emergencies: [] };
  const patient = addressIn(args.patient);
  const common = { ...placeOf(log), patient, ...actOf(parsed) };
  const events = resourcesOf(parsed).map((resource, position) => ({ ...common, resource, position }));
  return { change: { patient }, events, emergencies: [] };
}

function decodeEmergency(log: RawLog): DecodedLog {
  const parsed = emergencyInterface.parseLog(log);
  if (!parsed) throw new Error(`A log cannot be read: topic ${log.topics[0]}`);
  const { name, args } = parsed;
  const examId = args.examId as Hex;
  const common = { ...placeOf(log), examId, reader: args.reader as Hex };
  const emergency: EmergencyEvent =
    name === "EmergencyOpened"
      ? { ...common, kind: "opened", ...openedBy(args) }
      : { ...common, kind: "closed" };
  return { change: { examId }, events: [], emergencies: [emergency] };
}

function openedBy(
  args: LogDescription["args"],
): Pick<EmergencyEvent, "badge" | "second" | "reason" | "until"> {
  return {
    badge: addressIn(args.badge),
    second: args.second === ZeroAddress ? null : addressIn(args.second),
    reason: EMERGENCY_REASONS[Number(args.reason)] as EmergencyReason,
    until: Number(args.until),
  };
}

/** Where a log is on the chain. */
function placeOf({ blockHash, blockNumber, logIndex }: RawLog) {
  return { blockHash, blockNumber: Number(blockNumber), logIndex: Number(logIndex) };
}

function addressIn(argument: unknown): Hex {
  return String(argument).toLowerCase() as Hex;
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
