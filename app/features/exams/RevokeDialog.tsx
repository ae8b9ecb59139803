import type { Grant } from "../../../protocol/api.ts";
import { granteeOf } from "../../../protocol/ids.ts";
import { Button, Dialog, Notice } from "../../design/index.ts";
import { examTitle, sameAddress } from "../../words/index.ts";
import { NetworkNotice, useOnRightNetwork } from "../connect/index.ts";
import { ActProgress } from "./ActProgress.tsx";
import { coveredInWords, granteeName, isCurrent } from "./access.ts";
import s from "./Dialogs.module.css";
import type { ExamAt } from "./data.ts";
import { useAct } from "./useAct.ts";
import { revokedResourceOf } from "./verify.ts";

interface RevokeDialogProps {
  at: ExamAt;
  grant: Grant;
  /** Every grant of the exam: another one may leave the same person something to see. */
  others: Grant[];
  onClose: () => void;
}

/** End one person's access to an exam or a series, after a second look. */
export function RevokeDialog({ at, grant, others, onClose }: RevokeDialogProps) {
  const { exam, gateway, session } = at;
  const { state, start, reset } = useAct();
  const rightNetwork = useOnRightNetwork();
  const name = granteeName(grant.grantee);
  const left = others.filter(
    (other) => isCurrent(other) && other.resource !== grant.resource && isSamePerson(other, grant),
  );

  const revoke = () =>
    start({
      act: () => {
        const parts = { patient: session.address, custodian: gateway.custodian };
        const resource = revokedResourceOf(exam, grant, parts);
        return { name: "revoke", args: [resource, granteeOf(grant.grantee.address)] };
      },
      gateways: [gateway],
      shows: (grants) =>
        grants.some(
          (now) => now.resource === grant.resource && isSamePerson(now, grant) && now.state === "revoked",
        ),
    });

  return (
    <Dialog
      title={`Revoke access of ${name}?`}
      onClose={onClose}
      footer={
        state.state === "idle" ? (
          <>
            <Button onClick={onClose}>Keep</Button>
            <Button kind="danger" disabled={!rightNetwork} onClick={revoke}>
              Revoke access
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
              {name} will no longer see {coveredInWords(grant, exam)} of “{examTitle(exam)}”. If it is open at
              this moment, it closes.
            </p>
            {left.length > 0 && (
              <Notice kind="warn" title={`${name} keeps another access to this exam.`}>
                {left.map((other) => coveredInWords(other, exam)).join(", ")}: revoke that too if you want to
                shut them out.
              </Notice>
            )}
            <p className={s.muted}>What was seen or saved before cannot be taken back.</p>
          </>
        ) : (
          <ActProgress state={state} done={`${name} can no longer see it.`} />
        )}
      </div>
    </Dialog>
  );
}

function isSamePerson(one: Grant, other: Grant): boolean {
  return sameAddress(one.grantee.address, other.grantee.address);
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
