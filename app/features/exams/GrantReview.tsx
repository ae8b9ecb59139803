import type { Exam, ExamSeries } from "../../../protocol/api.ts";
import { granteeOf } from "../../../protocol/ids.ts";
import type { Terms } from "../../../protocol/terms.ts";
import { AddressTag, Avatar, Hint, Notice } from "../../design/index.ts";
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
import { coveredInWords, granteeName, isCurrent, keyOf } from "./access.ts";
import s from "./Dialogs.module.css";
import type { GrantAt } from "./data.ts";
import { AddressInGroups, type ChosenGrantee } from "./GranteeField.tsx";

interface GrantReviewProps {
  exam: Exam;
  series: ExamSeries | null;
  grantee: ChosenGrantee;
  terms: Terms;
  /** Every grant that covers this exam: one to the same person is replaced, or stands beside. */
  grants: readonly GrantAt[];
}

/** What is about to be signed, in one sentence, with what it does to what was granted before. */
export function GrantReview({ exam, series, grantee, terms, grants }: GrantReviewProps) {
  const name = granteeName(grantee);
  const date = plainDate(exam.studyDate);
  const theirs = grants.filter(
    ({ grantee: { address } }) => address !== null && sameAddress(address, grantee.address),
  );
  const resource = series?.seriesResource ?? exam.examId;
  const slot = keyOf({ resource, grantee: { ...grantee, word: granteeOf(grantee.address) } });
  const replaced = theirs.find((grant) => keyOf(grant) === slot && isCurrent(grant));
  const wider = theirs.find((grant) => grant.examId === null && isCurrent(grant));
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
          <Hint>
            {grantee.role ?? "Not known to the custodian"}
            {grantee.name && (
              <>
                {" · "}
                <AddressTag address={grantee.address} />
              </>
            )}
          </Hint>
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
      {wider && (
        <Notice title="They can see it already.">
          You shared {coveredInWords(wider, exam)}, with them {untilInWords(wider.period.notAfter)}. This
          stands beside that, and revoking this later keeps the exam out of it.
        </Notice>
      )}
      {keptOut.length > 0 && (
        <Notice title="What you took back stays back.">
          You revoked {keptOut.map((grant) => coveredInWords(grant, exam)).join(", ")} for them before;
          sharing the whole exam does not open that again.
        </Notice>
      )}
      <Hint>
        You can revoke it at any time. What was seen or saved by then cannot be taken back. The ledger is
        public: it shows that your address shared something with theirs, but not what.
      </Hint>
    </div>
  );
}
