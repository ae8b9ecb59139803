import { Eye, Share2 } from "lucide-react";
import { useId, useState } from "react";
import { useLocation } from "wouter";
import { Button } from "../../design/index.ts";
import { AccessList } from "./AccessList.tsx";
import type { ChangeableGrant } from "./access.ts";
import { type ExamAt, type GrantAt, useGrantsOf } from "./data.ts";
import s from "./ExamCard.module.css";
import { ExamFacts } from "./ExamFacts.tsx";
import { ExamPicture } from "./ExamPicture.tsx";
import { GrantDialog } from "./GrantDialog.tsx";

/** Where an exam is read. */
export function readingPath(examId: string): string {
  return `/read/${examId}`;
}

/** One of the patient's own exams: what it is, who can see it, and what can be done about that. */
export function ExamCard({ at, grants }: { at: ExamAt; grants: GrantAt[] }) {
  const [, navigate] = useLocation();
  const titleId = useId();
  const ofThis = useGrantsOf(at, grants);
  const [granting, setGranting] = useState<{ change: ChangeableGrant | null } | null>(null);
  return (
    <article className={s.card} aria-labelledby={titleId}>
      <ExamPicture {...at} />
      <div className={s.body}>
        <div className={s.top}>
          <ExamFacts exam={at.exam} titleId={titleId} showPatient={false} />
          <div className={s.buttons}>
            <Button
              kind="primary"
              icon={<Share2 aria-hidden="true" />}
              onClick={() => setGranting({ change: null })}
            >
              Share
            </Button>
            <Button icon={<Eye aria-hidden="true" />} onClick={() => navigate(readingPath(at.exam.examId))}>
              Open
            </Button>
          </div>
        </div>
        <AccessList at={at} grants={ofThis} onChange={(change) => setGranting({ change })} />
      </div>
      {granting && (
        <GrantDialog at={at} grants={ofThis} change={granting.change} onClose={() => setGranting(null)} />
      )}
    </article>
  );
}
