import type { Exam, ExamSeries, Grant } from "../../../protocol/api.ts";
import type { Terms } from "../../../protocol/terms.ts";
import { AddressTag, Avatar, Notice } from "../../design/index.ts";
import {
  actionsInSentence,
  examTitle,
  plainDate,
  purposesInSentence,
  sameAddress,
  seriesTitle,
  untilInWords,
} from "../../words/index.ts";
import { NetworkNotice } from "../connect/index.ts";
import { coveredInWords, granteeName, isCurrent } from "./access.ts";
import s from "./Dialogs.module.css";
import { AddressInGroups, type ChosenGrantee } from "./GranteeField.tsx";

interface GrantReviewProps {
  exam: Exam;
  series: ExamSeries | null;
  grantee: ChosenGrantee;
  terms: Terms;
  /** Every grant of this exam: one to the same person is replaced, or stands beside. */
  grants: readonly Grant[];
}

/** What is about to be signed, in one sentence, with what it does to what was granted before. */
export function GrantReview({ exam, series, grantee, terms, grants }: GrantReviewProps) {
  const name = granteeName(grantee);
  const date = plainDate(exam.studyDate);
  const theirs = grants.filter((grant) => sameAddress(grant.grantee.address, grantee.address));
  const resource = series?.seriesResource ?? exam.examId;
  const replaced = theirs.find((grant) => grant.resource === resource && isCurrent(grant));
  const keptOut = series
    ? []
    : theirs.filter((grant) => grant.covers === "series" && grant.state === "revoked");
  return (
    <div className={s.stack}>
      <NetworkNotice />
      <div className={s.grantee}>
        <Avatar name={name} address={grantee.address} size={52} />
        <div>
          {grantee.name ? (
            <p className={s.granteeName}>{name}</p>
          ) : (
            <AddressInGroups address={grantee.address} />
          )}
          <p className={s.hint}>
            {grantee.role ?? "Not known to the custodian"}
            {grantee.name && (
              <>
                {" · "}
                <AddressTag address={grantee.address} />
              </>
            )}
          </p>
        </div>
      </div>
      <p className={s.sentence}>
        may {actionsInSentence(terms.actions)} {series ? <>the series “{seriesTitle(series)}” of </> : null}
        your <strong>{examTitle(exam)}</strong>
        {date && ` of ${date}`}, {purposesInSentence(terms.purposes)},{" "}
        <strong>{untilInWords(terms.notAfter)}</strong>.
      </p>
      {replaced && (
        <Notice title="This replaces what they have now.">
          They can see {coveredInWords(replaced, exam)} {untilInWords(replaced.period.notAfter)} at present.
        </Notice>
      )}
      {keptOut.length > 0 && (
        <Notice title="What you took back stays back.">
          You revoked {keptOut.map((grant) => coveredInWords(grant, exam)).join(", ")} for them before;
          sharing the whole exam does not open that again.
        </Notice>
      )}
      <p className={s.hint}>
        You can revoke it at any time. What was seen or saved by then cannot be taken back. The ledger is
        public: it shows that your address shared something with theirs, but not what.
      </p>
    </div>
  );
}
