import { KeyRound, ShieldOff } from "lucide-react";
import { useState } from "react";
import { Button, Empty, Notice, Page } from "../../design/index.ts";
import { useHome } from "../connect/index.ts";
import { GatewayNotices } from "../gateways/index.ts";
import { isCurrent } from "./access.ts";
import { useExams, useGrants } from "./data.ts";
import { ExamCard } from "./ExamCard.tsx";
import s from "./List.module.css";
import { ExamsLoading, UnansweredNotices } from "./ListStates.tsx";
import { RevokeAllDialog } from "./RevokeAllDialog.tsx";
import { WideAccess } from "./WideAccess.tsx";

/** The patient's own exams, who can see each, and everything they can do about that. */
export function MyExamsPage() {
  const exams = useExams();
  const grants = useGrants();
  const [revokingAll, setRevokingAll] = useState(false);
  const own = exams.items.filter(({ exam }) => exam.relation === "owner");
  const shared = grants.items.some(isCurrent);
  return (
    <Page
      title="My exams"
      lead="The images stay with the custodian. You hold the key: nobody opens them through ExamKey unless you say so here, but in an emergency, which you are shown."
      actions={
        shared && (
          <Button
            kind="danger-quiet"
            icon={<ShieldOff aria-hidden="true" />}
            onClick={() => setRevokingAll(true)}
          >
            Revoke all access
          </Button>
        )
      }
    >
      <GatewayNotices />
      <UnansweredNotices unanswered={[...exams.unanswered, ...grants.unanswered]} retry={exams.retry} />
      {exams.grantsForgotten && <ForgottenNotice />}
      {exams.loading && own.length === 0 ? (
        <ExamsLoading />
      ) : own.length === 0 && exams.answered && exams.unanswered.length === 0 ? (
        <>
          <WideAccess grants={grants.items} />
          <Empty picture={<KeyRound />} title="No exams yet">
            No custodian has registered an exam for this account. Ask the place where your images were made to
            enrol you.
          </Empty>
        </>
      ) : (
        <div className={s.list}>
          <WideAccess grants={grants.items} />
          {own.map((at) => (
            <ExamCard key={at.exam.examId} at={at} grants={grants.items} />
          ))}
        </div>
      )}
      {revokingAll && <RevokeAllDialog grants={grants.items} onClose={() => setRevokingAll(false)} />}
    </Page>
  );
}

const FORGOTTEN_READ = "examkey.forgotten-read";

/** A local chain that was begun anew remembers no grant. Told until it was read, once for each chain. */
function ForgottenNotice() {
  const { genesisHash } = useHome().discovery;
  const [read, setRead] = useState(() => window.sessionStorage.getItem(FORGOTTEN_READ) === genesisHash);
  if (read) return null;
  const dismiss = () => {
    window.sessionStorage.setItem(FORGOTTEN_READ, genesisHash);
    setRead(true);
  };
  return (
    <Notice
      kind="warn"
      role="status"
      title="What you shared before was forgotten."
      actions={<Button onClick={dismiss}>Understood</Button>}
    >
      This local network was started anew and remembers nothing from before. Your exams are registered again;
      share them again with whom you want.
    </Notice>
  );
}
