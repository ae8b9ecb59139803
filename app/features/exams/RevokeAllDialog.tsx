import { Avatar, Button, Dialog, Hint, Notice } from "../../design/index.ts";
import { NetworkNotice, useOnRightNetwork, useSignedIn } from "../connect/index.ts";
import { useCustodians } from "../gateways/index.ts";
import { ActProgress } from "./ActProgress.tsx";
import { accessOf, isCurrent } from "./access.ts";
import s from "./Dialogs.module.css";
import type { GrantAt } from "./data.ts";
import { AfterFooter } from "./RevokeDialog.tsx";
import { useAct } from "./useAct.ts";

/** End every access to every exam, at every custodian, after a second look. */
export function RevokeAllDialog({ grants, onClose }: { grants: GrantAt[]; onClose: () => void }) {
  const { state, start, sendDirectly, reset } = useAct();
  const rightNetwork = useOnRightNetwork();
  const sessionAt = useSignedIn();
  const { custodians } = useCustodians();
  const people = accessOf(grants);
  const gateways = custodians.flatMap((custodian) =>
    custodian.state === "up" && sessionAt(custodian.gateway.base) ? [custodian.gateway] : [],
  );
  const unseen = custodians.length > gateways.length;

  const revokeAll = () =>
    start({
      act: (account) => ({ name: "revokeAll", args: [account] }),
      gateways,
      shows: (now) => !now.some(isCurrent),
    });

  return (
    <Dialog
      title="Revoke all access?"
      subtitle="Nobody but you will see any of your exams, at any custodian."
      onClose={onClose}
      footer={
        state.state === "idle" ? (
          <>
            <Button onClick={onClose}>Keep</Button>
            <Button kind="danger" disabled={!rightNetwork} onClick={revokeAll}>
              Revoke all access
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
            <p>These people lose what you shared with them. You can share again later, one by one.</p>
            <ul className={s.people}>
              {people.map((person) => (
                <li key={person.id} className={s.person}>
                  <Avatar name={person.name} address={person.id} size={32} />
                  {person.name}
                </li>
              ))}
            </ul>
            {unseen && (
              <Notice>
                Custodians that you are not signed in to, or that do not answer, are included: it is written
                once for all of them.
              </Notice>
            )}
            <Hint>What was seen or saved before cannot be taken back.</Hint>
          </>
        ) : (
          <ActProgress state={state} done="All access is revoked." onSendDirectly={sendDirectly} />
        )}
      </div>
    </Dialog>
  );
}
