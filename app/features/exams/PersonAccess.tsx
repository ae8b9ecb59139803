import type { Exam } from "../../../protocol/api.ts";
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
import { type Access, type ChangeableGrant, coveredInWords, isChangeable, keyOf } from "./access.ts";
import type { GrantAt } from "./data.ts";
import type { Revoking } from "./RevokeDialog.tsx";

interface PersonAccessProps {
  access: Access;
  /** The exam that it is listed under; null where wide grants are listed by themselves. */
  exam: Exam | null;
  onChange?: (grant: ChangeableGrant) => void;
  onRevoke: (revoking: Revoking) => void;
}

/** One person, and each grant that lets them see something, with what can be done about it. */
export function PersonAccess({ access, exam, onChange, onRevoke }: PersonAccessProps) {
  return (
    <li className={s.person}>
      <Avatar name={access.name} address={access.id} />
      <div className={s.words}>
        <p className={s.name}>
          {access.enrolled || access.address === null ? access.name : <AddressTag address={access.address} />}
          <span className={s.muted}>{access.enrolled ? access.role : "Not known to the custodian"}</span>
        </p>
        {access.current.map((grant) => (
          <div key={keyOf(grant)} className={s.grant}>
            <p className={s.terms}>{termsInWords(grant, exam)}</p>
            <span className={s.buttons}>
              {onChange && isChangeable(grant) && (
                <Button
                  size="small"
                  kind="quiet"
                  aria-label={`Change access of ${access.name}`}
                  onClick={() => onChange(grant)}
                >
                  Change
                </Button>
              )}
              {exam && grant.examId === null && (
                <Button
                  size="small"
                  kind="danger-quiet"
                  aria-label={`Keep this exam from ${access.name}`}
                  onClick={() => onRevoke({ what: "exam", grant, exam })}
                >
                  Not this exam
                </Button>
              )}
              <Button
                size="small"
                kind="danger-quiet"
                aria-label={`Revoke ${grant.examId === null ? "wide " : ""}access of ${access.name}`}
                onClick={() => onRevoke({ what: "grant", grant, exam })}
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
function termsInWords(grant: GrantAt, exam: Exam | null) {
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
