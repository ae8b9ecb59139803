import { createContext, useContext, useSyncExternalStore } from "react";
import { useConnection } from "wagmi";
import type { Session, Sessions } from "./sessions.ts";

export const SessionsContext = createContext<Sessions | null>(null);

/** The tab's sessions. */
export function useSessions(): Sessions {
  const sessions = useContext(SessionsContext);
  if (!sessions) throw new Error("useSessions is used outside of ConnectProvider");
  return sessions;
}

/** Looks up the connected address's session at any gateway, anew after each change. */
export function useSignedIn(): (base: string) => Session | null {
  const sessions = useSessions();
  const { address } = useConnection();
  useSyncExternalStore(sessions.subscribe, () => sessions.revision);
  return (base) => (address ? sessions.get(base, address) : null);
}
