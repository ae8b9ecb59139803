import { useQueryClient } from "@tanstack/react-query";
import { ArrowLeft, EyeOff } from "lucide-react";
import { type ReactNode, useCallback, useEffect, useState } from "react";
import { createPortal } from "react-dom";
import { useLocation } from "wouter";
import { Button, Empty, Notice, Page, Spinner } from "../../design/index.ts";
import { examTitle, sentenceFor } from "../../words/index.ts";
import { useSessions } from "../connect/index.ts";
import { BreakGlass } from "../emergency/index.ts";
import { type ExamAt, UnansweredNotices, useExams } from "../exams/index.ts";
import { GatewayNotices } from "../gateways/index.ts";
import { preloadReadingRoom, ReadingRoom } from "../reading-room/index.ts";
import s from "./ReadingPage.module.css";
import { useWatch } from "./useWatch.ts";

/** Opens one exam, wherever it is held, and shuts it when access ends. */
export function ReadingPage({ examId }: { examId: string }) {
  const [, navigate] = useLocation();
  const exams = useExams();
  const found = exams.items.find(({ exam }) => exam.examId === examId) ?? null;
  // Once open, the exam stays known after it has left the list: that is when the reason must be shown.
  const [opened, setOpened] = useState<ExamAt | null>(null);
  if (found && opened?.exam.examId !== examId) setOpened(found);
  const at = opened?.exam.examId === examId ? opened : found;
  // Once it was said not to be open, that stays until it is: whoever breaks the glass signs in anew on the way.
  const [closed, setClosed] = useState<string | null>(null);
  if (!at && !exams.loading && closed !== examId) setClosed(examId);
  const close = useCallback(
    () => navigate(at?.exam.relation === "owner" ? "/my-exams" : "/shared-with-me"),
    [navigate, at?.exam.relation],
  );

  useEffect(preloadReadingRoom, []);

  if (at) return <OpenExam key={`${at.session.address} ${examId}`} at={at} onClose={close} />;
  if (exams.loading && closed !== examId) return <Opening />;
  return (
    <Page title="This exam is not open to you">
      <GatewayNotices />
      <UnansweredNotices unanswered={exams.unanswered} retry={exams.retry} />
      <Empty
        picture={<EyeOff />}
        title="It is not among the exams you may see."
        actions={
          <>
            <Button onClick={() => navigate("/shared-with-me")}>Shared with me</Button>
            <BreakGlass examId={examId} />
          </>
        }
      >
        It may never have been shared with you, or no longer is, or not for the purpose you signed in with.
      </Empty>
    </Page>
  );
}

function Opening() {
  return (
    <p className={s.opening} role="status">
      <Spinner /> Opening the exam…
    </p>
  );
}

function OpenExam({ at, onClose }: { at: ExamAt; onClose: () => void }) {
  const { exam, gateway, session } = at;
  const sessions = useSessions();
  const queries = useQueryClient();
  const { permitted, ended } = useWatch(at);
  const getToken = useCallback(
    () => sessions.token(gateway.base, session.address),
    [sessions, gateway.base, session.address],
  );

  useEffect(() => {
    // The lists still show the exam, with its picture, until they are asked again.
    if (ended) void queries.invalidateQueries({ queryKey: ["gateway", gateway.base] });
  }, [ended, queries, gateway.base]);

  if (!permitted) return ended ? <NotOpened reason={ended} onClose={onClose} /> : <Opening />;
  return (
    <FullScreen>
      <title>{`${examTitle(exam)} · ExamKey`}</title>
      <ReadingRoom
        exam={exam}
        dicomwebRoot={gateway.dicomwebRoot}
        getToken={getToken}
        ended={ended}
        onClose={onClose}
      />
    </FullScreen>
  );
}

/** The reading room takes the whole screen: what is behind it can be neither seen nor reached. */
function FullScreen({ children }: { children: ReactNode }) {
  useEffect(() => {
    const root = document.getElementById("root");
    root?.toggleAttribute("inert", true);
    return () => void root?.toggleAttribute("inert", false);
  }, []);
  return createPortal(children, document.body);
}

function NotOpened({ reason, onClose }: { reason: Parameters<typeof sentenceFor>[0]; onClose: () => void }) {
  const { title, way } = sentenceFor(reason);
  return (
    <Page title="The exam was not opened">
      <Notice
        kind="danger"
        role="alert"
        title={title}
        actions={
          <Button icon={<ArrowLeft aria-hidden="true" />} onClick={onClose}>
            Back to the list
          </Button>
        }
      >
        {way}
      </Notice>
    </Page>
  );
}
