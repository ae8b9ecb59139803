import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useRef, useState } from "react";
import type { Address, PublicClient } from "viem";
import { useConfig, useConnection, usePublicClient } from "wagmi";
import { type Grant, grantsSchema } from "../../../protocol/api.ts";
import { askJson, type Gateway } from "../../api/index.ts";
import type { Sentence } from "../../words/index.ts";
import { isRejection, sentenceForError, useHome } from "../connect/index.ts";
import { useWithToken } from "../gateways/index.ts";
import { NotRelayedError, sendThroughGateway } from "./relay.ts";
import { type Act, type Phase, ReplacedError, RevertedError, send, untilSeen } from "./transaction.ts";
import { ResourceMismatchError } from "./verify.ts";

/** Where an act stands for the person who does it. */
export type ActState =
  | { state: "idle" }
  /** `isRelayed`: a gateway sends it. `isLate`: it has had no block for so long that sending it directly is offered. */
  | { state: "running"; phase: Phase; isRelayed: boolean; isLate: boolean }
  /** Confirmed. `seen` is false where the gateway had not shown it after a while. */
  | { state: "done"; seen: boolean }
  /** The person said no: a decision, not an error. */
  | { state: "rejected" }
  /** `canSend`: the gateway did not send it; the person's own wallet can. */
  | { state: "failed"; sentence: Sentence; canSend: boolean };

/** What is done, and how it is known that the gateways act on it. */
export interface Doing {
  /** Computed when the person confirms, for the account that signs, so that nothing unchecked is signed. */
  act: (account: Address) => Act | Promise<Act>;
  gateways: readonly Gateway[];
  /** Whether a gateway's account of the grants shows it. */
  shows: (grants: Grant[]) => boolean;
}

/** How long the gateway is given to show what the chain has confirmed, in milliseconds. */
const SEEN_PATIENCE_MS = 30_000;

/** One try at an act. Of several, the latest is shown; one that a gateway has goes on meanwhile. */
interface Attempt {
  doing: Doing;
  abort: AbortController;
  /** Where it stands, shown or not. */
  at: ActState;
}

/** What a person can do with an act. */
export interface Acting {
  state: ActState;
  start: (doing: Doing) => void;
  /** Send what was started from the person's own wallet, for the network's fee, whatever becomes of it at the gateway. */
  sendDirectly: () => void;
  reset: () => void;
}

/**
 * Lets the patient act on the consent ledger, one act at a time, with every step told. Where one of the gateways sends for
 * its patients, they sign, and it sends; else their wallet sends.
 */
export function useAct(): Acting {
  const home = useHome();
  const config = useConfig();
  const client = usePublicClient();
  const { address } = useConnection();
  const withToken = useWithToken();
  const queries = useQueryClient();
  const shown = useRef<Attempt | null>(null);
  const [state, setState] = useState<ActState>({ state: "idle" });

  const run = useCallback(
    async (attempt: Attempt, relay: Gateway | undefined, tell: (state: ActState) => void) => {
      if (!address) throw new Error("No account is connected.");
      const { act, gateways, shows } = attempt.doing;
      const sending = {
        config,
        client: client as PublicClient,
        ledger: home.consentLedger,
        chainId: home.chainId,
        account: address,
        act: await act(address),
        onPhase: (phase: Phase, isLate = false) =>
          tell({ state: "running", phase, isRelayed: relay !== undefined, isLate }),
      };
      if (relay) {
        const { signal } = attempt.abort;
        await withToken(relay.base, (token) =>
          sendThroughGateway({ ...sending, base: relay.base, token, signal }),
        );
      } else {
        await send(sending);
      }
      const seenBy = gateways.map((gateway) =>
        untilSeen(async () => {
          const ask = (token: string) => askJson(`${gateway.base}/grants`, grantsSchema, { token });
          return shows((await withToken(gateway.base, ask)).grants);
        }, SEEN_PATIENCE_MS),
      );
      const seen = (await Promise.all(seenBy)).every(Boolean);
      await queries.invalidateQueries({ queryKey: ["gateway"] });
      tell({ state: "done", seen });
    },
    [address, client, config, home, queries, withToken],
  );

  const begin = useCallback(
    (doing: Doing, relay: Gateway | undefined, before: Attempt | null) => {
      const attempt: Attempt = { doing, abort: new AbortController(), at: { state: "idle" } };
      const tell = (at: ActState) => {
        attempt.at = at;
        if (shown.current === attempt) setState(at);
      };
      shown.current = attempt;
      tell({ state: "running", phase: "signing", isRelayed: relay !== undefined, isLate: false });
      run(attempt, relay, tell).catch((error: unknown) => {
        if (attempt.abort.signal.aborted) return;
        tell(stateOfError(error));
        // Who would rather not send it themselves is shown again what the gateway does.
        if (before && attempt.at.state === "rejected" && shown.current === attempt) {
          shown.current = before;
          setState(before.at);
        }
      });
    },
    [run],
  );
  const start = useCallback(
    (doing: Doing) =>
      begin(
        doing,
        doing.gateways.find((gateway) => gateway.relay),
        null,
      ),
    [begin],
  );
  const sendDirectly = useCallback(() => {
    if (shown.current) begin(shown.current.doing, undefined, shown.current);
  }, [begin]);
  const reset = useCallback(() => {
    shown.current?.abort.abort();
    shown.current = null;
    setState({ state: "idle" });
  }, []);
  return { state, start, sendDirectly, reset };
}

function stateOfError(error: unknown): ActState {
  if (isRejection(error)) return { state: "rejected" };
  if (error instanceof NotRelayedError) return { state: "failed", sentence: error.sentence, canSend: true };
  return { state: "failed", sentence: sentenceOfError(error), canSend: false };
}

function sentenceOfError(error: unknown): Sentence {
  if (error instanceof ResourceMismatchError) {
    const title = `${error.message} Nothing was signed.`;
    return { title, way: "Tell the custodian: its gateway shows something that is not so." };
  }
  if (error instanceof RevertedError) {
    const title = "The consent ledger refused this. Nothing was changed.";
    return { title, way: "Reload the page, then try again." };
  }
  if (error instanceof ReplacedError) {
    const title = "This was cancelled or replaced in your wallet. Nothing was changed.";
    return { title, way: "Try again if you still want it." };
  }
  return sentenceForError(error);
}
