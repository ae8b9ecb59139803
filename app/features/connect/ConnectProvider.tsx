import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import { WagmiProvider } from "wagmi";
import type { Discovery } from "../../../protocol/api.ts";
import { fetchDiscovery, toProblem } from "../../api/index.ts";
import { Button, Notice, Spinner } from "../../design/index.ts";
import { sentenceFor } from "../../words/index.ts";
import s from "./ConnectProvider.module.css";
import { HomeContext, homeOf, wagmiConfig } from "./home.ts";
import { Sessions } from "./sessions.ts";
import { renew, revoke } from "./signIn.ts";
import { SessionsContext } from "./useSessions.ts";

interface ConnectProviderProps {
  /** Told once what the home gateway says, before any wallet is looked for. */
  onHome?: (discovery: Discovery) => void;
  children: ReactNode;
}

/** Finds out from the app's own origin what chain it is on, then makes wallets and sessions available. */
export function ConnectProvider({ onHome, children }: ConnectProviderProps) {
  const home = useQuery({
    queryKey: ["home"],
    queryFn: async ({ signal }) => {
      const discovery = await fetchDiscovery(window.location.origin, signal);
      onHome?.(discovery);
      return homeOf(discovery);
    },
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
  });
  const connection = useMemo(() => {
    if (!home.data) return null;
    return {
      home: home.data,
      config: wagmiConfig(home.data),
      sessions: new Sessions({ storage: window.sessionStorage, renew, revoke }),
    };
  }, [home.data]);

  if (home.isError) return <HomeFailed error={home.error} retry={() => void home.refetch()} />;
  if (!connection) return <HomeLoading />;
  return (
    <HomeContext value={connection.home}>
      <SessionsContext value={connection.sessions}>
        <WagmiProvider config={connection.config}>{children}</WagmiProvider>
      </SessionsContext>
    </HomeContext>
  );
}

function HomeLoading() {
  return (
    <div className={s.middle} role="status">
      <Spinner />
      <span>Opening ExamKey…</span>
    </div>
  );
}

function HomeFailed({ error, retry }: { error: Error; retry: () => void }) {
  const sentence = sentenceFor(toProblem(error));
  return (
    <main className={s.middle}>
      <Notice
        kind="danger"
        role="alert"
        title={sentence.title}
        actions={<Button onClick={retry}>Try again</Button>}
      >
        {sentence.way}
      </Notice>
    </main>
  );
}
