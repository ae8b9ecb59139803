import { useState } from "react";
import type { Grant } from "../../../protocol/api.ts";
import { AddressTag, Avatar, Button } from "../../design/index.ts";
import {
  actionsAsList,
  distance,
  nowSeconds,
  purposesAsList,
  shortMoment,
  untilInWords,
} from "../../words/index.ts";
import s from "./AccessList.module.css";
import { type Access, accessOf, coveredInWords, granteeName, isCurrent } from "./access.ts";
import type { ExamAt } from "./data.ts";
import { RevokeDialog } from "./RevokeDialog.tsx";

interface AccessListProps {
  at: ExamAt;
  /** The grants of this exam and of its series. */
  grants: Grant[];
  onChange: (grant: Grant) => void;
}

/** Who can see an exam, by name and until when; and who once could. */
export function AccessList({ at, grants, onChange }: AccessListProps) {
  const [revoking, setRevoking] = useState<Grant | null>(null);
  const people = accessOf(grants);
  const ended = grants.filter((grant) => !isCurrent(grant));
  return (
    <div className={s.section}>
      <h3 className={s.heading}>Who can see it</h3>
      {people.length === 0 ? (
        <p className={s.muted}>Only you, and {at.exam.custodian.name}, which holds the images.</p>
      ) : (
        <ul className={s.people}>
          {people.map((access) => (
            <Person key={access.address} access={access} at={at} onChange={onChange} onRevoke={setRevoking} />
          ))}
        </ul>
      )}
      {ended.length > 0 && <Ended grants={ended} at={at} />}
      {revoking && (
        <RevokeDialog at={at} grant={revoking} others={grants} onClose={() => setRevoking(null)} />
      )}
    </div>
  );
}

interface PersonProps {
  access: Access;
  at: ExamAt;
  onChange: (grant: Grant) => void;
  onRevoke: (grant: Grant) => void;
}

function Person({ access, at, onChange, onRevoke }: PersonProps) {
  return (
    <li className={s.person}>
      <Avatar name={access.name} address={access.address} />
      <div className={s.words}>
        <p className={s.name}>
          {access.enrolled ? access.name : <AddressTag address={access.address} />}
          <span className={s.muted}>{access.enrolled ? access.role : "Not known to the custodian"}</span>
        </p>
        {access.current.map((grant) => (
          <div key={grant.resource} className={s.grant}>
            <p className={s.terms}>{termsInWords(grant, at)}</p>
            <span className={s.buttons}>
              <Button
                size="small"
                kind="quiet"
                aria-label={`Change access of ${access.name}`}
                onClick={() => onChange(grant)}
              >
                Change
              </Button>
              <Button
                size="small"
                kind="danger-quiet"
                aria-label={`Revoke access of ${access.name}`}
                onClick={() => onRevoke(grant)}
              >
                Revoke
              </Button>
            </span>
          </div>
        ))}
      </div>
    </li>
  );
}

/** "Look, the whole exam · Treatment · until 29 Nov 2026, 14:00 (in 7 days)" */
function termsInWords(grant: Grant, { exam }: ExamAt) {
  const { notBefore, notAfter } = grant.period;
  return (
    <>
      {actionsAsList(grant.actions)} · {coveredInWords(grant, exam)} · {purposesAsList(grant.purposes)}
      <br />
      {grant.state === "scheduled" && `From ${shortMoment(notBefore)} `}
      <time className={s.until} dateTime={new Date(notAfter * 1000).toISOString()}>
        {untilInWords(notAfter, { short: true })}
      </time>
      {`, ${distance(notAfter, nowSeconds())}`}
    </>
  );
}

function Ended({ grants, at }: { grants: Grant[]; at: ExamAt }) {
  return (
    <details className={s.ended}>
      <summary>Ended ({grants.length})</summary>
      <ul>
        {grants.map((grant) => (
          <li key={`${grant.resource} ${grant.grantee.address}`}>
            {granteeName(grant.grantee)}: {coveredInWords(grant, at.exam)},{" "}
            {grant.state === "revoked" ? "revoked by you" : `ended ${shortMoment(grant.period.notAfter)}`}
          </li>
        ))}
      </ul>
    </details>
  );
}
