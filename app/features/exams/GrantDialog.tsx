import { useState } from "react";
import { usePublicClient } from "wagmi";
import type { ExamSeries, Grant } from "../../../protocol/api.ts";
import { granteeOf } from "../../../protocol/ids.ts";
import { packTerms } from "../../../protocol/terms.ts";
import { Button, Choice, Dialog, Group } from "../../design/index.ts";
import {
  examTitle,
  imageCount,
  nowSeconds,
  sameAddress,
  seriesTitle,
  untilInWords,
} from "../../words/index.ts";
import { useOnRightNetwork } from "../connect/index.ts";
import { ActProgress } from "./ActProgress.tsx";
import { type ChangeableGrant, granteeName, isCurrent, keyOf } from "./access.ts";
import s from "./Dialogs.module.css";
import { type ExamAt, type GrantAt, usePeople } from "./data.ts";
import { whenAndHowMany } from "./ExamFacts.tsx";
import { type ChosenGrantee, type GranteeChoice, GranteeField, granteeOfChoice } from "./GranteeField.tsx";
import { GrantReview } from "./GrantReview.tsx";
import { FAULT_WORDS, type GrantForm, termsOf } from "./grantForm.ts";
import { AfterFooter } from "./RevokeDialog.tsx";
import { ActionField, PurposeField, UntilField } from "./TermsFields.tsx";
import { useAct } from "./useAct.ts";
import { resourceOf } from "./verify.ts";

interface GrantDialogProps {
  at: ExamAt;
  /** Every grant of this exam, ended ones included. */
  grants: GrantAt[];
  /** A grant to change: its grantee and coverage stay, its terms are filled in. */
  change: ChangeableGrant | null;
  onClose: () => void;
}

const FRESH: GrantForm = { purposes: ["TREAT"], download: false, until: "week" };

/** Share an exam: who, what for, what they may do, until when; then the same in one sentence, then the wallet. */
export function GrantDialog({ at, grants, change, onClose }: GrantDialogProps) {
  const { exam, gateway, session } = at;
  const client = usePublicClient();
  const rightNetwork = useOnRightNetwork();
  const { state, start, sendDirectly, reset } = useAct();
  const people = usePeople(gateway.base);
  const [choice, setChoice] = useState<GranteeChoice>(change && { listed: change.grantee.address });
  const [seriesUid, setSeriesUid] = useState(change?.seriesInstanceUid ?? null);
  const [form, setForm] = useState<GrantForm>(change ? formOf(change) : FRESH);
  const [reviewing, setReviewing] = useState(false);
  const [tried, setTried] = useState(false);

  const others = people.items.filter(({ address }) => !sameAddress(address, session.address));
  const refused = [
    { address: session.address, why: "This is your own address: your exams are always open to you." },
    { address: gateway.custodian, why: "This is the custodian’s address. It holds the images already." },
  ];
  const known = [
    ...others.map(({ address }) => address),
    ...grants.flatMap(({ grantee }) => grantee.address ?? []),
  ];
  const grantee: ChosenGrantee | null = change
    ? change.grantee
    : granteeOfChoice(choice, { people: others, refused, known });
  const series = exam.series.find((one) => one.seriesInstanceUid === seriesUid) ?? null;
  const now = nowSeconds();
  const preview = termsOf(form, { now, head: now });
  const isGone = seriesUid !== null && series === null;
  const termsFault = "fault" in preview ? FAULT_WORDS[preview.fault] : null;
  const fault = isGone ? "This series is no longer in the exam." : termsFault;
  const missing = choice && "pasted" in choice ? "Check the address first." : "Choose who may see it.";
  const granteeFault = grantee ? null : missing;

  const grant = (to: ChosenGrantee) =>
    start({
      act: async () => {
        const parts = { patient: session.address, custodian: gateway.custodian };
        const resource = resourceOf(exam, seriesUid, parts);
        const head = await client?.getBlock();
        const made = termsOf(form, { now: nowSeconds(), head: Number(head?.timestamp ?? nowSeconds()) });
        if ("fault" in made) throw new Error(FAULT_WORDS[made.fault]);
        return { name: "grant", args: [resource, granteeOf(to.address), packTerms(made.terms)] };
      },
      gateways: [gateway],
      shows: (shown) => {
        const resource = series?.seriesResource ?? exam.examId;
        const slot = keyOf({ resource, grantee: { ...to, word: granteeOf(to.address) } });
        return shown.some((one) => keyOf(one) === slot && isCurrent(one) && isNewer(one, grants));
      },
    });

  const title = change ? `Change access of ${granteeName(change.grantee)}` : "Share this exam";
  const footer = () => {
    if (state.state !== "idle") return <AfterFooter state={state.state} onClose={onClose} onAgain={reset} />;
    if (reviewing && grantee) {
      return (
        <>
          <Button onClick={() => setReviewing(false)}>Back</Button>
          <Button kind="primary" disabled={!rightNetwork} onClick={() => grant(grantee)}>
            Grant access
          </Button>
        </>
      );
    }
    return (
      <>
        <p className={s.footnote} role="alert">
          {tried && (granteeFault ?? fault) && <span className={s.fault}>{granteeFault ?? fault}</span>}
        </p>
        <Button onClick={onClose}>Cancel</Button>
        <Button
          kind="primary"
          onClick={() => {
            setTried(true);
            if (!fault && !granteeFault) setReviewing(true);
          }}
        >
          Review
        </Button>
      </>
    );
  };

  return (
    <Dialog
      title={title}
      subtitle={`${examTitle(exam)} · ${whenAndHowMany(exam)}`}
      onClose={onClose}
      footer={footer()}
    >
      {state.state !== "idle" ? (
        <ActProgress
          state={state}
          onSendDirectly={sendDirectly}
          done={
            grantee && "terms" in preview
              ? `${granteeName(grantee)} can see it ${untilInWords(preview.terms.notAfter)}.`
              : ""
          }
        />
      ) : reviewing && grantee && "terms" in preview ? (
        <GrantReview exam={exam} series={series} grantee={grantee} terms={preview.terms} grants={grants} />
      ) : (
        <div className={s.form}>
          {change ? null : (
            <GranteeField
              people={others}
              loading={people.loading}
              refused={refused}
              known={known}
              choice={choice}
              onChange={setChoice}
            />
          )}
          {!change && exam.series.length > 1 && (
            <CoverageField series={exam.series} chosen={seriesUid} onChange={setSeriesUid} />
          )}
          <PurposeField form={form} onChange={setForm} />
          <ActionField form={form} onChange={setForm} />
          <UntilField form={form} onChange={setForm} fault={tried ? termsFault : null} />
        </div>
      )}
    </Dialog>
  );
}

function CoverageField({
  series,
  chosen,
  onChange,
}: {
  series: ExamSeries[];
  chosen: string | null;
  onChange: (seriesInstanceUid: string | null) => void;
}) {
  return (
    <Group legend="How much of it?">
      <div className={s.scroll}>
        <Choice
          type="radio"
          name="coverage"
          label="The whole exam"
          explanation="Images that are added to it later too."
          checked={chosen === null}
          onChange={() => onChange(null)}
        />
        {series.map((one) => (
          <Choice
            key={one.seriesInstanceUid}
            type="radio"
            name="coverage"
            label={`Only “${seriesTitle(one)}”`}
            explanation={imageCount(one.numberOfImages)}
            checked={chosen === one.seriesInstanceUid}
            onChange={() => onChange(one.seriesInstanceUid)}
          />
        ))}
      </div>
    </Group>
  );
}

function formOf(grant: ChangeableGrant): GrantForm {
  return { purposes: grant.purposes, download: grant.actions.includes("DOWNLOAD"), until: "week" };
}

/** Whether the gateway's account of a grant is later than what it said before the act. */
function isNewer(grant: Grant, before: readonly Grant[]): boolean {
  const earlier = before.find((one) => keyOf(one) === keyOf(grant));
  return (
    !earlier ||
    !isCurrent(earlier) ||
    grant.grantedAt > earlier.grantedAt ||
    grant.period.notAfter !== earlier.period.notAfter
  );
}
