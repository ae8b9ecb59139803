import { type UseQueryResult, useQueries } from "@tanstack/react-query";
import { useCallback } from "react";
import { useConnection } from "wagmi";
import type { z } from "zod";
import { askJson, type Gateway, GatewayError, ownProblem } from "../../api/index.ts";
import { needsSignIn } from "../../words/index.ts";
import { type Session, useSessions, useSignedIn } from "../connect/index.ts";
import { useGateways } from "./useCustodians.ts";

/** One gateway's answer to a question that all are asked. */
export interface Answer<T> {
  gateway: Gateway;
  session: Session;
  query: UseQueryResult<T>;
}

/** How cached answers are filed: by gateway, by who asked, and for which purpose. Nothing is shared between these. */
export function answerKey(session: Session, path: string): readonly string[] {
  return ["gateway", session.base, session.address, session.purpose, path];
}

/**
 * Runs something with a token of the connected address. A gateway that says that the sign-in is over ends it here
 * too, so that the way back in is offered.
 */
export function useWithToken(): <T>(base: string, run: (token: string) => Promise<T>) => Promise<T> {
  const sessions = useSessions();
  const { address } = useConnection();
  return useCallback(
    async (base, run) => {
      if (!address) throw new GatewayError(ownProblem("session-missing"));
      const token = await sessions.token(base, address);
      try {
        return await run(token);
      } catch (error) {
        const over = error instanceof GatewayError && needsSignIn(error.problem.reason);
        if (over && sessions.get(base, address)?.token === token) sessions.end(base, address);
        throw error;
      }
    },
    [sessions, address],
  );
}

/** Asks every gateway that the connected address is signed in to, each on its own. */
export function useAnswers<S extends z.ZodType>(
  path: string,
  schema: S,
  { refetchInterval }: { refetchInterval?: number } = {},
): Answer<z.infer<S>>[] {
  const gateways = useGateways();
  const sessionAt = useSignedIn();
  const withToken = useWithToken();
  const asked = gateways.flatMap((gateway) => {
    const session = sessionAt(gateway.base);
    return session ? [{ gateway, session }] : [];
  });
  const queries = useQueries({
    queries: asked.map(({ gateway, session }) => ({
      queryKey: answerKey(session, path),
      queryFn: ({ signal }: { signal: AbortSignal }): Promise<z.infer<S>> =>
        withToken(gateway.base, (token) => askJson(`${gateway.base}${path}`, schema, { token, signal })),
      refetchInterval,
    })),
  });
  return asked.map((each, index) => ({ ...each, query: queries[index] as UseQueryResult<z.infer<S>> }));
}
