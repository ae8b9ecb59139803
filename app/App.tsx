import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import type { Discovery } from "../protocol/api.ts";
import { GatewayError } from "./api/index.ts";
import { ConnectProvider } from "./features/connect/index.ts";
import { Shell } from "./features/shell/index.ts";

/** What the local demo adds to the app: its wallet's interface, and the personas to begin as. */
export interface Demo {
  wallet: ReactNode;
  personas: ReactNode;
}

/** A refusal stays one when it is asked for again; only what never arrived is worth another try. */
function isWorthRetrying(failures: number, error: Error): boolean {
  const unreachable = error instanceof GatewayError && error.problem.reason === "gateway-unreachable";
  return unreachable && failures < 1;
}

/** The whole app. `startDemo` is given in the demo build alone. */
export function App({ startDemo }: { startDemo: ((discovery: Discovery) => Demo | null) | null }) {
  const [demo, setDemo] = useState<Demo | null>(null);
  const [queries] = useState(
    () => new QueryClient({ defaultOptions: { queries: { retry: isWorthRetrying, staleTime: 1_000 } } }),
  );
  return (
    <QueryClientProvider client={queries}>
      <ConnectProvider onHome={(discovery) => setDemo(startDemo?.(discovery) ?? null)}>
        {demo?.wallet}
        <Shell personas={demo?.personas ?? null} />
      </ConnectProvider>
    </QueryClientProvider>
  );
}
