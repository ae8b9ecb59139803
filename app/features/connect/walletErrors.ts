/** What wallets and the chain say when they say no, in plain words. */
import {
  BaseError,
  ContractFunctionRevertedError,
  HttpRequestError,
  InsufficientFundsError,
  ResourceUnavailableRpcError,
  TimeoutError,
  UserRejectedRequestError,
} from "viem";
import { GatewayError } from "../../api/index.ts";
import { type Sentence, sentenceFor } from "../../words/index.ts";

/** EIP-1193: the user rejected the request. */
const USER_REJECTED = 4001;

/** Whether the person said no in the wallet. That is a decision, not an error. */
export function isRejection(error: unknown): boolean {
  if (error instanceof BaseError) return error.walk(isRejectionItself) !== null;
  return isRejectionItself(error);
}

function isRejectionItself(error: unknown): boolean {
  if (error instanceof UserRejectedRequestError) return true;
  return typeof error === "object" && error !== null && "code" in error && error.code === USER_REJECTED;
}

/** What happened, and the way out, for anything thrown by a wallet, the chain or a gateway. */
export function sentenceForError(error: unknown): Sentence {
  if (error instanceof GatewayError) return sentenceFor(error.problem);
  if (isRejection(error)) return { title: "You said no in your wallet.", way: "Nothing was changed." };
  if (error instanceof BaseError) return sentenceForChainError(error);
  return { title: "Your wallet answered with an error.", way: messageOf(error) };
}

function sentenceForChainError(error: BaseError): Sentence {
  const is = (type: abstract new (...args: never[]) => Error) =>
    error.walk((cause) => cause instanceof type) !== null;
  if (is(InsufficientFundsError)) {
    return {
      title: "Your account holds too little to pay the network’s fee.",
      way: "Add funds to it, then try again.",
    };
  }
  if (is(ResourceUnavailableRpcError)) {
    return {
      title: "Your wallet is already waiting for an answer.",
      way: "Open your wallet and answer what it asks.",
    };
  }
  if (is(ContractFunctionRevertedError)) {
    return { title: "The consent ledger refused this. Nothing was changed.", way: error.shortMessage };
  }
  if (is(HttpRequestError) || is(TimeoutError)) {
    return {
      title: "The network cannot be reached. Nothing was changed.",
      way: "Check your connection, then try again.",
    };
  }
  return { title: "Your wallet answered with an error. Nothing was changed.", way: error.shortMessage };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "Try again, or use another wallet.";
}
