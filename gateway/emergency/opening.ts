/** Breaks the glass: from what a practitioner signed to an emergency on the chain. */
import { ZeroAddress } from "ethers";
import type { EmergencyRequest } from "../../protocol/api.ts";
import type { Hex } from "../../protocol/hash.ts";
import { EMERGENCY_REASONS, type ProblemReason } from "../../protocol/reasons.ts";
import type { SignedIn } from "../access/gate.ts";
import type { Chain } from "../chain/chain.ts";
import { emergencyInterface } from "../chain/logs.ts";
import type { Call, Sender } from "../chain/sender.ts";
import { ContractRefused, TransactionFailed } from "../chain/transactions.ts";
import type { Database } from "../database/database.ts";
import { readerName } from "../decision/question.ts";
import type { KnownExam } from "../exams/directory.ts";
import { findByBadge, findPerson } from "../exams/people.ts";
import { Problem } from "../problem.ts";
import type { Emergencies, Opening } from "./emergencies.ts";

export type OpeningContext = {
  database: Database;
  chain: Chain;
  /** The operator's key. */
  sender: Sender;
  emergencies: Emergencies;
  /** The contract. */
  emergencyAccess: Hex;
};

/** Milliseconds after which an emergency that is not mined is told to be so: somebody waits for it. */
const MINED_WITHIN = 60_000;

/** Another practitioner's signature beside the first; the zero address for nobody. */
type Second = { second: string; secondSignature: string };

/** What the contract's errors mean to whoever signed. */
const REFUSALS: Record<string, ProblemReason> = {
  EmergencyAccessNotPractitioner: "badge-unknown",
  EmergencyAccessInvalidSignature: "badge-signature-invalid",
  EmergencyAccessSecondNeeded: "second-badge-needed",
  EmergencyAccessSameBadge: "second-badge-needed",
  EmergencyAccessNoExam: "not-found",
  EmergencyAccessUntilOutOfRange: "emergency-period",
  EmergencyAccessIncomplete: "malformed-request",
  EmergencyAccessCountMismatch: "emergency-outdated",
};

/**
 * Open an exam to the caller, and to nobody else: the name that is opened is made of the address that signed in, and the
 * badge must be that person's.
 * @param exam null where this gateway knows none by that id
 * @throws {Problem} with what stands in the way; nothing was opened then, or, with `emergency-not-sent`, is not yet
 */
export async function breakGlass(
  context: OpeningContext,
  caller: SignedIn,
  exam: KnownExam | null,
  request: EmergencyRequest,
): Promise<Opening> {
  const { address, purpose } = caller;
  if (purpose !== "ETREAT") throw new Problem("purpose-not-emergency");
  const badge = (await findPerson(context.database, address))?.badge;
  if (!badge) throw new Problem("badge-unknown");
  const second = await secondOf(context.database, address, request);
  if (!exam) throw new Problem("not-found");
  const { grantee: reader } = readerName(address, request.salt as Hex);
  const call = callToOpen(context.emergencyAccess, { badge, second, reader }, exam, request);
  const isKept = await context.emergencies.keep({ examId: exam.examId, address, salt: request.salt as Hex });
  if (!isKept || (await findOpening(context, address, exam, reader)))
    throw new Problem("emergency-outdated", "The salt was used before. Sign anew.");
  await send(context, call);
  await context.chain.catchUp();
  const found = await findOpening(context, address, exam, reader);
  if (!found) throw new Problem("emergency-not-sent");
  return found;
}

/** A second badge is another enrolled practitioner's. */
async function secondOf(database: Database, address: Hex, { second }: EmergencyRequest): Promise<Second> {
  if (second === null) return { second: ZeroAddress, secondSignature: "0x" };
  const badge = second.badge.toLowerCase() as Hex;
  const person = await findByBadge(database, badge);
  if (!person) throw new Problem("badge-unknown");
  if (person.address === address) throw new Problem("second-badge-needed");
  return { second: badge, secondSignature: second.signature };
}

function callToOpen(
  emergencyAccess: Hex,
  { badge, second: { second, secondSignature }, reader }: { badge: Hex; second: Second; reader: Hex },
  { custodian, patient, commitment }: KnownExam,
  { reason, until, count, signature }: EmergencyRequest,
): Call {
  const position = EMERGENCY_REASONS.indexOf(reason);
  const emergency = { custodian, patient, commitment, reader, reason: position, until, count };
  const signed = [emergency, badge, signature, second, secondSignature];
  return { to: emergencyAccess, data: emergencyInterface.encodeFunctionData("open", signed) as Hex };
}

async function send({ sender }: OpeningContext, call: Call): Promise<void> {
  try {
    await sender.execute(call, MINED_WITHIN);
  } catch (error) {
    if (!(error instanceof TransactionFailed)) throw error;
    const reason = error instanceof ContractRefused && REFUSALS[error.refusal ?? ""];
    throw new Problem(reason || "emergency-not-sent", undefined, { cause: error });
  }
}

async function findOpening(
  { emergencies }: OpeningContext,
  address: Hex,
  { examId }: KnownExam,
  reader: Hex,
): Promise<Opening | undefined> {
  return (await emergencies.ofReader(address, examId)).find((opening) => opening.reader === reader);
}
