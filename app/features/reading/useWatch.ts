import { useEffect, useState } from "react";
import type { Problem } from "../../../protocol/api.ts";
import { useSessions } from "../connect/index.ts";
import type { ExamAt } from "../exams/index.ts";
import { watchAccess } from "./watch.ts";

/** Whether an exam may be seen: not known yet, yes, or no longer and why. */
export interface Watched {
  permitted: boolean;
  ended: Problem | null;
}

/** Holds the gateway's watch stream for as long as the exam is on the screen. */
export function useWatch({ exam, gateway, session }: Pick<ExamAt, "exam" | "gateway" | "session">): Watched {
  const sessions = useSessions();
  const [watched, setWatched] = useState<Watched>({ permitted: false, ended: null });
  const { examId } = exam;
  const { base } = gateway;
  const { address } = session;

  useEffect(() => {
    const controller = new AbortController();
    setWatched({ permitted: false, ended: null });
    void watchAccess({
      url: `${base}/exams/${examId}/watch`,
      getToken: () => sessions.token(base, address),
      onPermitted: () => setWatched((before) => ({ ...before, permitted: true })),
      signal: controller.signal,
    }).then((ended) => {
      if (ended) setWatched((before) => ({ ...before, ended }));
    });
    return () => controller.abort();
  }, [sessions, base, address, examId]);

  return watched;
}
