import { useQueries, useQuery } from "@tanstack/react-query";
import type { PublicClient } from "viem";
import { usePublicClient } from "wagmi";
import type { Problem } from "../../../protocol/api.ts";
import { fetchDiscovery, type Gateway, type Mismatch, mismatchOf, toProblem } from "../../api/index.ts";
import { sameAddress } from "../../words/index.ts";
import { type Home, useHome } from "../connect/index.ts";
import { type Custodian, readCustodians } from "./registry.ts";

/** A custodian, and whether its gateway can be used now. */
export type CustodianStatus = Custodian &
  (
    | { state: "checking" }
    | { state: "up"; gateway: Gateway }
    /** Does not answer, or not sensibly. */
    | { state: "down"; problem: Problem }
    /** Answers, but does not speak for this custodian on this chain. */
    | { state: "unusable"; mismatch: Mismatch }
  );

/** Every custodian of the registry with the state of its gateway; one that is down hides none of the others. */
export interface Custodians {
  registry: "loading" | "failed" | "ready";
  custodians: CustodianStatus[];
  retry: () => void;
}

/** Where a custodian is asked: the app's own origin for the one that serves it, the registry's URL for all others. */
function baseOf(custodian: Custodian, home: Home): string {
  return sameAddress(custodian.account, home.discovery.custodian) ? window.location.origin : custodian.url;
}

/** All custodians, from the registry on chain, each gateway's own account checked against it. */
export function useCustodians(): Custodians {
  const home = useHome();
  const client = usePublicClient();
  const registry = useQuery({
    queryKey: ["custodians", home.chainId, home.custodianRegistry],
    queryFn: () => readCustodians(client as PublicClient, home.custodianRegistry),
    refetchInterval: (query) => (query.state.status === "error" ? 5_000 : 60_000),
    retry: 1,
  });
  const listed = registry.data ?? [];
  const checks = useQueries({
    queries: listed.map((custodian) => ({
      queryKey: ["discovery", custodian.account, custodian.url],
      queryFn: ({ signal }: { signal: AbortSignal }) => check(custodian, home, signal),
      refetchInterval: (query: { state: { status: string } }) =>
        query.state.status === "error" ? 5_000 : 60_000,
      retry: false,
    })),
  });
  return {
    registry: registry.data ? "ready" : registry.isError ? "failed" : "loading",
    custodians: listed.map((custodian, index) => ({ ...custodian, ...stateOf(checks[index]) })),
    retry: () => void Promise.all([registry.refetch(), ...checks.map((check) => check.refetch())]),
  };
}

type Checked = { state: "up"; gateway: Gateway } | { state: "unusable"; mismatch: Mismatch };

async function check(custodian: Custodian, home: Home, signal: AbortSignal): Promise<Checked> {
  if (!URL.canParse(custodian.url)) return { state: "unusable", mismatch: "other-address" };
  const base = baseOf(custodian, home);
  const found = await fetchDiscovery(base, signal);
  const mismatch = mismatchOf(found, home.discovery, { custodian: custodian.account, url: custodian.url });
  if (mismatch) return { state: "unusable", mismatch };
  return {
    state: "up",
    gateway: {
      custodian: custodian.account,
      name: custodian.name,
      base,
      publicOrigin: new URL(found.dicomwebRoot).origin,
      dicomwebRoot: found.dicomwebRoot,
    },
  };
}

function stateOf(
  query: { data?: Checked; isError: boolean; error: unknown } | undefined,
): { state: "checking" } | Checked | { state: "down"; problem: Problem } {
  if (query?.isError) return { state: "down", problem: toProblem(query.error) };
  return query?.data ?? { state: "checking" };
}

/** The gateways that can be used now. */
export function useGateways(): Gateway[] {
  return useCustodians().custodians.flatMap((custodian) =>
    custodian.state === "up" ? [custodian.gateway] : [],
  );
}
