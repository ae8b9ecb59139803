/** A patient's act by way of a gateway that sends it: signed, handed in, and followed until a block has it. */
import type { Address, PublicClient } from "viem";
import type { Config } from "wagmi";
import { type Relayed, relayedSchema, relayQueueSchema } from "../../../protocol/relay.ts";
import { askJson, GatewayError } from "../../api/index.ts";
import { type Sentence, sentenceFor } from "../../words/index.ts";
import { sign, unsignedOf } from "./signedAct.ts";
import type { Act, Phase } from "./transaction.ts";

/** The gateway would not take it, or could not have it written. It can still be sent directly. */
export class NotRelayedError extends Error {
  override readonly name = "NotRelayedError";
  readonly sentence: Sentence;

  constructor(sentence: Sentence, options?: { cause?: unknown }) {
    super(sentence.title, options);
    this.sentence = sentence;
  }
}

/** What relaying needs. */
export interface Relaying {
  config: Config;
  client: PublicClient;
  ledger: Address;
  chainId: number;
  account: Address;
  act: Act;
  /** The gateway. */
  base: string;
  token: string;
  /** Ends the following, not the act. */
  signal: AbortSignal;
  /** @param isLate whether it has waited so long for a block that the gateway offers to have it sent directly */
  onPhase: (phase: Phase, isLate: boolean) => void;
}

const POLL_MS = 500;

/**
 * Sign an act, hand it to the gateway, and follow it into a block. Errors of the wallet and the chain pass unchanged.
 * @throws {NotRelayedError} where the gateway does not take it, or the ledger refuses it in the end
 * @throws {DOMException} `AbortError` when `signal` aborts
 */
export async function sendThroughGateway(relaying: Relaying): Promise<void> {
  const { config, client, ledger, chainId, account, act, base, token, signal, onPhase } = relaying;
  onPhase("signing", false);
  const queue = await asRefused(askJson(`${base}/relay`, relayQueueSchema, { token, signal }));
  const unsigned = await unsignedOf(act, account, { client, ledger, queue });
  const body = await sign(config, unsigned, { account, chainId, ledger });
  onPhase("submitting", false);
  let relayed = await asRefused(askJson(`${base}/relay`, relayedSchema, { body, signal }));
  while (relayed.state !== "mined") {
    if (relayed.state === "refused") throw new NotRelayedError(sentenceOf(relayed));
    onPhase(relayed.state === "sent" ? "confirming" : "submitting", relayed.direct !== null);
    await pause(signal);
    relayed = await again(relayed, `${base}/relay/${relayed.id}`, signal);
  }
  onPhase("confirmed", false);
}

/** How far it is now; as it was, where the gateway cannot be asked at this moment. */
async function again(relayed: Relayed, url: string, signal: AbortSignal): Promise<Relayed> {
  try {
    return await askJson(url, relayedSchema, { signal });
  } catch (error) {
    if (error instanceof GatewayError && error.problem.status !== 404) return relayed;
    throw error;
  }
}

async function asRefused<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    if (cause instanceof GatewayError) throw new NotRelayedError(sentenceFor(cause.problem), { cause });
    throw cause;
  }
}

function sentenceOf({ reason }: Relayed): Sentence {
  return sentenceFor({ reason: reason ?? "act-refused", title: "It was refused.", detail: "Try again." });
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, POLL_MS);
    signal.addEventListener("abort", stop, { once: true });
  });
}
