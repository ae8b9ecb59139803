import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import type { Address, PublicClient } from "viem";
import { useConfig, useConnection, usePublicClient } from "wagmi";
import { type Grant, grantsSchema } from "../../../protocol/api.ts";
import { askJson, type Gateway } from "../../api/index.ts";
import type { Sentence } from "../../words/index.ts";
import { isRejection, sentenceForError, useHome } from "../connect/index.ts";
import { useWithToken } from "../gateways/index.ts";
import { type Act, type Phase, ReplacedError, RevertedError, send, untilSeen } from "./transaction.ts";
import { ResourceMismatchError } from "./verify.ts";

/** Where an act stands for the person who does it. */
export type ActState =
  | { state: "idle" }
  | { state: "running"; phase: Phase }
  /** Confirmed. `seen` is false where the gateway had not shown it after a while. */
  | { state: "done"; seen: boolean }
  /** The person said no: a decision, not an error. */
  | { state: "rejected" }
  | { state: "failed"; sentence: Sentence };

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

/** Lets the patient act on the consent ledger, one act at a time, with every step told. */
export function useAct(): { state: ActState; start: (doing: Doing) => void; reset: () => void } {
  const home = useHome();
  const config = useConfig();
  const client = usePublicClient();
  const { address } = useConnection();
  const withToken = useWithToken();
  const queries = useQueryClient();
  const [state, setState] = useState<ActState>({ state: "idle" });

  const run = useCallback(
    async ({ act, gateways, shows }: Doing) => {
      if (!address) throw new Error("No account is connected.");
      await send({
        config,
        client: client as PublicClient,
        ledger: home.consentLedger,
        chainId: home.chainId,
        account: address,
        act: await act(address),
        onPhase: (phase) => setState({ state: "running", phase }),
      });
      const shown = gateways.map((gateway) =>
        untilSeen(async () => {
          const ask = (token: string) => askJson(`${gateway.base}/grants`, grantsSchema, { token });
          return shows((await withToken(gateway.base, ask)).grants);
        }, SEEN_PATIENCE_MS),
      );
      const seen = (await Promise.all(shown)).every(Boolean);
      await queries.invalidateQueries({ queryKey: ["gateway"] });
      setState({ state: "done", seen });
    },
    [address, client, config, home, queries, withToken],
  );

  const start = useCallback(
    (doing: Doing) => {
      setState({ state: "running", phase: "signing" });
      run(doing).catch((error: unknown) => setState(stateOfError(error)));
    },
    [run],
  );
  const reset = useCallback(() => setState({ state: "idle" }), []);
  return { state, start, reset };
}

function stateOfError(error: unknown): ActState {
  if (isRejection(error)) return { state: "rejected" };
  if (error instanceof ResourceMismatchError) {
    const title = `${error.message} Nothing was signed.`;
    return {
      state: "failed",
      sentence: { title, way: "Tell the custodian: its gateway shows something that is not so." },
    };
  }
  if (error instanceof RevertedError) {
    const title = "The consent ledger refused this. Nothing was changed.";
    return { state: "failed", sentence: { title, way: "Reload the page, then try again." } };
  }
  if (error instanceof ReplacedError) {
    const title = "This was cancelled or replaced in your wallet. Nothing was changed.";
    return { state: "failed", sentence: { title, way: "Try again if you still want it." } };
  }
  return { state: "failed", sentence: sentenceForError(error) };
}
