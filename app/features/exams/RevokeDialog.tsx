import type { ReactNode } from "react";
import type { Exam } from "../../../protocol/api.ts";
import { Button, Dialog, Hint, Notice } from "../../design/index.ts";
import { examTitle } from "../../words/index.ts";
import { NetworkNotice, useOnRightNetwork } from "../connect/index.ts";
import { ActProgress } from "./ActProgress.tsx";
import { coveredInWords, granteeName, isCurrent, keyOf } from "./access.ts";
import s from "./Dialogs.module.css";
import type { GrantAt } from "./data.ts";
import { type Doing, useAct } from "./useAct.ts";
import { resourceOf, revokedGranteeOf, revokedResourceOf } from "./verify.ts";

/** What is to be ended: a grant, or the part of a wider one that takes in one exam. */
export type Revoking =
  | { what: "grant"; grant: GrantAt; exam: Exam | null }
  | { what: "exam"; grant: GrantAt; exam: Exam };

interface RevokeDialogProps {
  revoking: Revoking;
  /** Every grant beside it: another one may leave the same person something to see. */
  others: readonly GrantAt[];
  onClose: () => void;
}

/** End one person's access to a series, an exam or more, or keep one exam from them, after a second look. */
export function RevokeDialog({ revoking, others, onClose }: RevokeDialogProps) {
  const { what, grant, exam } = revoking;
  const { state, start, sendDirectly, reset } = useAct();
  const rightNetwork = useOnRightNetwork();
  const name = granteeName(grant.grantee);
  const left = others.filter((other) => isCurrent(other) && leaves(revoking, other));
  return (
    <Dialog
      title={what === "exam" ? `Keep this exam from ${name}?` : `Revoke access of ${name}?`}
      onClose={onClose}
      footer={
        state.state === "idle" ? (
          <>
            <Button onClick={onClose}>Keep</Button>
            <Button kind="danger" disabled={!rightNetwork} onClick={() => start(doingOf(revoking))}>
              {what === "exam" ? "Keep it from them" : "Revoke access"}
            </Button>
          </>
        ) : (
          <AfterFooter state={state.state} onClose={onClose} onAgain={reset} />
        )
      }
    >
      <div className={s.stack}>
        {state.state === "idle" ? (
          <>
            <NetworkNotice />
            <p>
              {name} will no longer see {lossInWords(revoking)}. If it is open at this moment, it closes.
            </p>
            {left.length > 0 && (
              <Notice kind="warn" title={`${name} keeps another access${exam ? " to this exam" : ""}.`}>
                {left.map((other) => coveredInWords(other, exam)).join(", ")}: revoke that too if you want to
                shut them out.
              </Notice>
            )}
            <Hint>What was seen or saved before cannot be taken back.</Hint>
          </>
        ) : (
          <ActProgress state={state} done={`${name} can no longer see it.`} onSendDirectly={sendDirectly} />
        )}
      </div>
    </Dialog>
  );
}

/** What is lost, inside a sentence. */
function lossInWords({ what, grant, exam }: Revoking): ReactNode {
  if (what === "exam") return <>“{examTitle(exam)}”. What else you shared with them stays open to them</>;
  if (grant.examId !== null && exam) return `${coveredInWords(grant, exam)} of “${examTitle(exam)}”`;
  return `${coveredInWords({ ...grant, exceptions: [] }, null)}, unless another grant of yours names it`;
}

/** Whether a grant leaves the same person something of what they are to lose. */
function leaves({ what, grant }: Revoking, other: GrantAt): boolean {
  const { address, word } = grant.grantee;
  const isTheirs = address ? other.grantee.address === address : other.grantee.word === word;
  // What is wider is closed by a revoke of the exam, under the name that is revoked.
  const isClosed = what === "exam" && other.examId === null && other.grantee.word === word;
  return isTheirs && !isClosed && keyOf(other) !== keyOf(grant);
}

function doingOf({ what, grant, exam }: Revoking): Doing {
  const { custodian } = grant.gateway;
  return {
    act: (patient) => {
      const parts = { patient, custodian };
      const resource =
        what === "exam" ? resourceOf(exam, null, parts) : revokedResourceOf(exam, grant, parts);
      return { name: "revoke", args: [resource, revokedGranteeOf(grant.grantee)] };
    },
    gateways: [grant.gateway],
    shows: (grants) => {
      const now = grants.find((one) => keyOf(one) === keyOf(grant));
      return what === "exam" ? now?.exceptions.includes(exam.examId) === true : now?.state === "revoked";
    },
  };
}

/** The buttons of a dialog whose act has begun. */
export function AfterFooter({
  state,
  onClose,
  onAgain,
}: {
  state: "running" | "done" | "rejected" | "failed";
  onClose: () => void;
  onAgain: () => void;
}) {
  if (state === "running") {
    return (
      <p className={s.footnote}>Closing this window does not take back what you confirm in your wallet.</p>
    );
  }
  if (state === "done") {
    return (
      <Button kind="primary" onClick={onClose}>
        Done
      </Button>
    );
  }
  return (
    <>
      <Button onClick={onClose}>Close</Button>
      <Button kind="primary" onClick={onAgain}>
        Try again
      </Button>
    </>
  );
}
