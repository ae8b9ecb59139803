/** What every key of the gateway's that sends transactions has to know: fees, and what nodes mean by their refusals. */
import { type ErrorDescription, Interface, isCallException, isError, type JsonRpcProvider } from "ethers";
import { accessLogAbi } from "../../protocol/abi/accessLog.ts";
import { consentLedgerAbi } from "../../protocol/abi/consentLedger.ts";
import { emergencyAccessAbi } from "../../protocol/abi/emergencyAccess.ts";
import { Problem } from "../problem.ts";

/** What a transaction offers for a unit of gas, in wei: with the base fee, and on top of it (EIP-1559). */
export type Fees = { maxFee: bigint; priorityFee: bigint };

/** A transaction that the chain refused, or that cannot be made. `message` says what to do about it. */
export class TransactionFailed extends Error {
  override readonly name: string = "TransactionFailed";
}

/** A contract refuses a call. */
export class ContractRefused extends TransactionFailed {
  override readonly name = "ContractRefused";
  /** The contract's error, by its name; null where it gives none. */
  readonly refusal: string | null;

  constructor(message: string, refusal: string | null, options: ErrorOptions) {
    super(message, options);
    this.refusal = refusal;
  }
}

/** The errors of all contracts that are called. */
const refusals = new Interface(
  [...consentLedgerAbi, ...accessLogAbi, ...emergencyAccessAbi].filter(({ type }) => type === "error"),
);

/** Gas above what a transaction needed when it was tried: it may cost a little more by the time it is mined. */
const SPARE_GAS = 1.2;

/** The limit for a transaction that needed so much gas when it was tried. @param gas as a node answers it */
export function gasLimitOf(gas: unknown): bigint {
  return BigInt(Math.ceil(Number(gas) * SPARE_GAS));
}

/** What the node suggests to offer. @throws {Problem} `chain-unavailable` */
export async function suggestedFees(provider: JsonRpcProvider): Promise<Fees> {
  const { maxFeePerGas, maxPriorityFeePerGas, gasPrice } = await answered(provider.getFeeData());
  const maxFee = maxFeePerGas ?? gasPrice ?? 0n;
  return { maxFee, priorityFee: maxPriorityFeePerGas ?? maxFee };
}

/**
 * Fees for a transaction in the place of one that is not mined: an eighth more, since nodes ask for a tenth, or what the
 * node suggests by now. Never over ten times that: then the old offer stands.
 */
export function raiseFees(offered: Fees, suggested: Fees): Fees {
  const more = (fee: bigint, now: bigint) => {
    const raised = fee + fee / 8n + 1n;
    return raised > now ? raised : now;
  };
  const maxFee = more(offered.maxFee, suggested.maxFee);
  const priorityFee = more(offered.priorityFee, suggested.priorityFee);
  return maxFee > suggested.maxFee * 10n + 10n ? offered : { maxFee, priorityFee };
}

/** Milliseconds: the longest wait before a stuck transaction is sent again. */
const LONGEST_RESEND = 30 * 60_000;

/** Milliseconds after which the transaction of another key is given up: the key was replaced. */
const FOREIGN_GIVEN_UP = 10 * 60_000;

/** When a transaction was last given to a node, in milliseconds since 1970-01-01 UTC, and how often. */
type Sent = { sentAt: number | null; sendings: number };

/**
 * Whether more is to be offered for a transaction that is not mined.
 * @param resendAfter milliseconds until it is sent a second time; twice as long each further time
 */
export function isStuck({ sentAt, sendings }: Sent, resendAfter: number): boolean {
  const wait = Math.min(resendAfter * 2 ** Math.max(0, sendings - 1), LONGEST_RESEND);
  return sentAt !== null && Date.now() >= sentAt + wait;
}

/** Whether nobody sees to another key's transaction any more: its own gateway would have. @param since when it was wanted */
export function isGivenUp({ sentAt, since }: { sentAt: number | null; since: number }): boolean {
  return Date.now() > (sentAt ?? since) + FOREIGN_GIVEN_UP;
}

/** Whatever a node does not answer, it may answer later. @throws {Problem} `chain-unavailable` */
export async function answered<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    throw new Problem("chain-unavailable", undefined, { cause });
  }
}

/**
 * Give a signed transaction to the node. That it knows it, or another of the same nonce, is as good as taken: which of
 * them is mined is seen on the chain. Throws what the node said otherwise: see `refusalOf`.
 */
export async function sendRaw(provider: JsonRpcProvider, signed: string): Promise<void> {
  try {
    await provider.send("eth_sendRawTransaction", [signed]);
  } catch (error) {
    if (!isKnownToNode(error)) throw error;
  }
}

/** Why a call, or a transaction, of an address was not taken, where that was said; anything else is a node that does not answer. */
export function refusalOf(error: unknown, sender: string): TransactionFailed | Problem {
  if (isCallException(error)) {
    const refusal = error.data ? refusals.parseError(error.data) : null;
    return new ContractRefused(sayRefusal(refusal, error.shortMessage), refusal?.name ?? null, {
      cause: error,
    });
  }
  const failed = (message: string) => new TransactionFailed(message, { cause: error });
  if (isError(error, "INSUFFICIENT_FUNDS")) return failed(`${sender} has no ether to pay for gas.`);
  if (isError(error, "UNKNOWN_ERROR") && error.error)
    return failed(`The node refused the transaction: ${messageOf(error.error)}.`);
  return new Problem("chain-unavailable", undefined, { cause: error });
}

function sayRefusal(refusal: ErrorDescription | null, otherwise: string): string {
  if (!refusal?.name.endsWith("NotOperator")) return `The contract refused: ${refusal?.name ?? otherwise}.`;
  const { custodian, sender } = refusal.args;
  return `${sender} is not an operator of the custodian: ${custodian.toLowerCase()} must send ConsentLedger.setOperator(${sender}, true).`;
}

function isKnownToNode(error: unknown): boolean {
  if (isError(error, "NONCE_EXPIRED") || isError(error, "REPLACEMENT_UNDERPRICED")) return true;
  return isError(error, "UNKNOWN_ERROR") && /already known|known transaction/i.test(messageOf(error.error));
}

function messageOf(error: unknown): string {
  return typeof error === "object" && error !== null && "message" in error ? String(error.message) : "";
}
