/** A patient's act on the consent ledger, from the wallet's question to the gateway's acting on it. */
import { type Address, BaseError, type Hex, type PublicClient, TransactionNotFoundError } from "viem";
import type { Config } from "wagmi";
import { simulateContract, writeContract } from "wagmi/actions";
import { consentLedgerAbi } from "../../../protocol/abi/consentLedger.ts";

/** What a patient can do. */
export type Act =
  | { name: "grant"; args: readonly [resource: Hex, grantee: Hex, terms: bigint] }
  | { name: "revoke"; args: readonly [resource: Hex, grantee: Hex] }
  | { name: "revokeAll"; args: readonly [patient: Address] };

/**
 * Where an act stands:
 * `signing`: the wallet asks. `submitting`: signed, on its way to the network. `confirming`: the network has it, no block
 * holds it yet. `confirmed`: a block holds it; the gateway has not acted on it yet.
 */
export type Phase = "signing" | "submitting" | "confirming" | "confirmed";

/** The block holds it, but the ledger refused. */
export class RevertedError extends Error {
  override readonly name = "RevertedError";
}

/** The person took the transaction back, or replaced it by another one, in the wallet. */
export class ReplacedError extends Error {
  override readonly name = "ReplacedError";
}

/** What sending needs. */
export interface Sending {
  config: Config;
  client: PublicClient;
  ledger: Address;
  chainId: number;
  account: Address;
  act: Act;
  onPhase: (phase: Phase) => void;
}

const SEEN_POLL_MS = 400;

/** Send an act and follow it into a block. Errors of the wallet and the chain pass through unchanged. */
export async function send({
  config,
  client,
  ledger,
  chainId,
  account,
  act,
  onPhase,
}: Sending): Promise<void> {
  onPhase("signing");
  const call = {
    address: ledger,
    abi: consentLedgerAbi,
    functionName: act.name,
    args: act.args,
    account,
    chainId,
  };
  // What the ledger would refuse is refused here, before the wallet asks and the network takes its fee.
  await simulateContract(config, call as Parameters<typeof simulateContract>[1]);
  const hash = await writeContract(config, call as Parameters<typeof writeContract>[1]);
  onPhase("submitting");
  await untilKnown(client, hash);
  onPhase("confirming");
  let replaced = false;
  const receipt = await client.waitForTransactionReceipt({
    hash,
    timeout: 0,
    onReplaced: ({ reason }) => {
      replaced = reason !== "repriced";
    },
  });
  if (replaced) throw new ReplacedError("The transaction was replaced in the wallet.");
  if (receipt.status === "reverted") throw new RevertedError("The ledger refused the transaction.");
  onPhase("confirmed");
}

/** Until the network's own endpoint has heard of the transaction: the wallet may speak to another one. */
async function untilKnown(client: PublicClient, hash: Hex): Promise<void> {
  for (;;) {
    try {
      await client.getTransaction({ hash });
      return;
    } catch (error) {
      const unknown =
        error instanceof BaseError && error.walk((cause) => cause instanceof TransactionNotFoundError);
      if (!unknown) throw error;
      await pause(SEEN_POLL_MS);
    }
  }
}

/**
 * Until the gateway shows what was confirmed.
 * @param seen Asks the gateway; a failure counts as "not yet".
 * @returns false if it did not within `patience` milliseconds
 */
export async function untilSeen(seen: () => Promise<boolean>, patience: number): Promise<boolean> {
  const end = Date.now() + patience;
  while (Date.now() < end) {
    if (await seen().catch(() => false)) return true;
    await pause(SEEN_POLL_MS);
  }
  return false;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
