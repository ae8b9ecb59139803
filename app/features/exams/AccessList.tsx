import { useState } from "react";
import { shortMoment } from "../../words/index.ts";
import { EmergenciesOn } from "../emergency/index.ts";
import s from "./AccessList.module.css";
import { accessOf, type ChangeableGrant, coveredInWords, granteeName, isCurrent, keyOf } from "./access.ts";
import type { ExamAt, GrantAt } from "./data.ts";
import { PersonAccess } from "./PersonAccess.tsx";
import { RevokeDialog, type Revoking } from "./RevokeDialog.tsx";

interface AccessListProps {
  at: ExamAt;
  /** The grants of this exam and of its series, and the wider ones that take it in. */
  grants: GrantAt[];
  onChange: (grant: ChangeableGrant) => void;
}

/** Who can see an exam, by name and until when; and who once could. */
export function AccessList({ at, grants, onChange }: AccessListProps) {
  const [revoking, setRevoking] = useState<Revoking | null>(null);
  const people = accessOf(grants);
  const ended = grants.filter((grant) => !isCurrent(grant));
  return (
    <div className={s.section}>
      <h3 className={s.heading}>Who can see it</h3>
      <EmergenciesOn examId={at.exam.examId} gateway={at.gateway} />
      {people.length === 0 ? (
        <p className={s.muted}>You have shared it with nobody. {at.exam.custodian.name} holds the images.</p>
      ) : (
        <ul className={s.people}>
          {people.map((access) => (
            <PersonAccess
              key={access.id}
              access={access}
              exam={at.exam}
              onChange={onChange}
              onRevoke={setRevoking}
            />
          ))}
        </ul>
      )}
      {ended.length > 0 && <Ended grants={ended} at={at} />}
      {revoking && <RevokeDialog revoking={revoking} others={grants} onClose={() => setRevoking(null)} />}
    </div>
  );
}

function Ended({ grants, at }: { grants: GrantAt[]; at: ExamAt }) {
  return (
    <details className={s.ended}>
      <summary>Ended ({grants.length})</summary>
      <ul>
        {grants.map((grant) => (
          <li key={keyOf(grant)}>
            {granteeName(grant.grantee)}: {coveredInWords(grant, at.exam)},{" "}
            {grant.state === "revoked" ? "revoked by you" : `ended ${shortMoment(grant.period.notAfter)}`}
          </li>
        ))}
      </ul>
    </details>
  );
}
