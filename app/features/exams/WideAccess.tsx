import { useId, useState } from "react";
import s from "./AccessList.module.css";
import { accessOf, wideGrantsOf } from "./access.ts";
import type { GrantAt } from "./data.ts";
import w from "./List.module.css";
import { PersonAccess } from "./PersonAccess.tsx";
import { RevokeDialog, type Revoking } from "./RevokeDialog.tsx";

/** Who can see all exams at a custodian, or all of them: in one place, also where no exam is listed. */
export function WideAccess({ grants }: { grants: readonly GrantAt[] }) {
  const titleId = useId();
  const [revoking, setRevoking] = useState<Revoking | null>(null);
  const wide = wideGrantsOf(grants);
  // The dialog tells of its end after the grant has left the list.
  if (wide.length === 0 && !revoking) return null;
  return (
    <section className={w.wide} aria-labelledby={titleId}>
      <h2 id={titleId} className={w.wideTitle}>
        Who can see more than one exam
      </h2>
      <ul className={s.people}>
        {accessOf(wide).map((access) => (
          <PersonAccess key={access.id} access={access} exam={null} onRevoke={setRevoking} />
        ))}
      </ul>
      {revoking && <RevokeDialog revoking={revoking} others={wide} onClose={() => setRevoking(null)} />}
    </section>
  );
}
