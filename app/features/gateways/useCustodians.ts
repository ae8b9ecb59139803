import { type QueryFunctionContext, useQueries, useQuery } from "@tanstack/react-query";
import { getAddress, type PublicClient } from "viem";
import { usePublicClient } from "wagmi";
import type { Discovery, Problem } from "../../../protocol/api.ts";
import { fetchDiscovery, type Gateway, type Mismatch, mismatchOf, toProblem } from "../../api/index.ts";
import { sameAddress } from "../../words/index.ts";
import { type Home, useHome } from "../connect/index.ts";
import { type Custodian, readCustodians } from "./registry.ts";

/** Whether a custodian's gateway can be used now. `gateway` is what was last known of it. */
export type GatewayState =
  | { state: "checking"; gateway: null }
  | { state: "up"; gateway: Gateway }
  /** Does not answer, or not sensibly. */
  | { state: "down"; problem: Problem; gateway: Gateway | null }
  /** Answers, but does not speak for this custodian on this chain. */
  | { state: "unusable"; mismatch: Mismatch; gateway: null };

/** A custodian and the state of its gateway. */
export type CustodianStatus = Custodian & GatewayState;

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

const SELDOM_MS = 60_000;
const SOON_MS = 5_000;

/**
 * All custodians, from the registry on chain, each gateway's own account checked against it. Failures are answers here,
 * not errors: they are shown beside the last that is known, and asked again soon.
 */
export function useCustodians(): Custodians {
  const home = useHome();
  const client = usePublicClient();
  const registry = useQuery({
    queryKey: ["custodians", home.chainId, home.custodianRegistry],
    queryFn: async ({ client: queries, queryKey }): Promise<Listed> => {
      try {
        return {
          custodians: await readCustodians(client as PublicClient, home.custodianRegistry),
          failed: false,
        };
      } catch {
        return { custodians: queries.getQueryData<Listed>(queryKey)?.custodians ?? [], failed: true };
      }
    },
    refetchInterval: ({ state }) => (state.data?.failed ? SOON_MS : SELDOM_MS),
  });
  const listed = registry.data?.custodians ?? [];
  const checks = useQueries({
    queries: listed.map((custodian) => ({
      queryKey: ["discovery", custodian.account, custodian.url],
      queryFn: async ({ client: queries, queryKey, signal }: QueryFunctionContext): Promise<GatewayState> => {
        const known = queries.getQueryData<GatewayState>(queryKey)?.gateway ?? null;
        return check(custodian, home, known, signal);
      },
      refetchInterval: ({ state }: { state: { data?: GatewayState } }) =>
        state.data?.state === "down" ? SOON_MS : SELDOM_MS,
    })),
  });
  return {
    registry: registry.data ? (registry.data.failed ? "failed" : "ready") : "loading",
    custodians: listed.map((custodian, index) => ({
      ...custodian,
      ...(checks[index]?.data ?? { state: "checking", gateway: null }),
    })),
    retry: () => void Promise.all([registry.refetch(), ...checks.map((check) => check.refetch())]),
  };
}

interface Listed {
  custodians: Custodian[];
  failed: boolean;
}

async function check(
  custodian: Custodian,
  home: Home,
  known: Gateway | null,
  signal: AbortSignal,
): Promise<GatewayState> {
  if (!URL.canParse(custodian.url)) return { state: "unusable", mismatch: "other-address", gateway: null };
  const base = baseOf(custodian, home);
  let found: Discovery;
  try {
    found = await fetchDiscovery(base, signal);
  } catch (error) {
    signal.throwIfAborted();
    return { state: "down", problem: toProblem(error), gateway: known };
  }
  const mismatch = mismatchOf(found, home.discovery, { custodian: custodian.account, url: custodian.url });
  if (mismatch) return { state: "unusable", mismatch, gateway: null };
  const { emergencyAccess } = found.contracts;
  return {
    state: "up",
    gateway: {
      custodian: custodian.account,
      name: custodian.name,
      base,
      publicOrigin: new URL(found.dicomwebRoot).origin,
      dicomwebRoot: found.dicomwebRoot,
      relay: found.relay,
      emergencyAccess: emergencyAccess === null ? null : getAddress(emergencyAccess),
    },
  };
}

/** The gateways that can be used now. */
export function useGateways(): Gateway[] {
  return useCustodians().custodians.flatMap(({ state, gateway }) => (state === "up" ? [gateway] : []));
}
