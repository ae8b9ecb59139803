import { Eye, Inbox } from "lucide-react";
import { useId } from "react";
import { useLocation } from "wouter";
import { Button, Empty, Page } from "../../design/index.ts";
import {
  actionsInSentence,
  distance,
  nowSeconds,
  purposesInSentence,
  untilInWords,
} from "../../words/index.ts";
import {
  type ExamAt,
  ExamFacts,
  ExamPicture,
  ExamsLoading,
  readingPath,
  UnansweredNotices,
  useExams,
} from "../exams/index.ts";
import { GatewayNotices } from "../gateways/index.ts";
import s from "./SharedPage.module.css";

/** Exams that patients have shared with the connected address, for the purpose it signed in with. */
export function SharedPage() {
  const exams = useExams();
  const shared = exams.items.filter(({ exam }) => exam.relation === "grantee");
  return (
    <Page
      title="Shared with me"
      lead="Exams that patients have opened to you, for the purpose you signed in with."
    >
      <GatewayNotices />
      <UnansweredNotices unanswered={exams.unanswered} retry={exams.retry} />
      {exams.loading && shared.length === 0 ? (
        <ExamsLoading />
      ) : shared.length === 0 && exams.answered && exams.unanswered.length === 0 ? (
        <Empty picture={<Inbox />} title="Nothing is shared with you">
          When a patient shares an exam with you, it appears here by itself. If you expect one, check that you
          signed in for the purpose it was shared for.
        </Empty>
      ) : (
        <ul className={s.grid}>
          {shared.map((at) => (
            <li key={at.exam.examId}>
              <SharedCard at={at} />
            </li>
          ))}
        </ul>
      )}
    </Page>
  );
}

function SharedCard({ at }: { at: ExamAt }) {
  const [, navigate] = useLocation();
  const titleId = useId();
  const { access, examId } = at.exam;
  return (
    <article className={s.card} aria-labelledby={titleId}>
      <ExamPicture {...at} />
      <div className={s.body}>
        <ExamFacts exam={at.exam} titleId={titleId} showPatient />
        {access && (
          <p className={s.access}>
            You may {actionsInSentence(access.actions)} it, {purposesInSentence(access.purposes)},{" "}
            <time dateTime={new Date(access.notAfter * 1000).toISOString()}>
              {untilInWords(access.notAfter)}
            </time>{" "}
            ({distance(access.notAfter, nowSeconds())}).
            {access.emergency && " You opened it in an emergency; the patient sees that."}
          </p>
        )}
        <Button
          kind="primary"
          icon={<Eye aria-hidden="true" />}
          onClick={() => navigate(readingPath(examId))}
        >
          Open
        </Button>
      </div>
    </article>
  );
}
