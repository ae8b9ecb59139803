import { PURPOSES, type Purpose } from "../../../protocol/terms.ts";
import { Choice, Field, Group, Hint } from "../../design/index.ts";
import { nowSeconds, purposeInWords, USUAL_GRANT_PURPOSES, untilInWords } from "../../words/index.ts";
import s from "./Dialogs.module.css";
import { endOf, type GrantForm, type Until } from "./grantForm.ts";

interface TermsFieldsProps {
  form: GrantForm;
  onChange: (form: GrantForm) => void;
}

/** For what, in words. */
export function PurposeField({ form, onChange }: TermsFieldsProps) {
  const usual: readonly Purpose[] = USUAL_GRANT_PURPOSES;
  const others = PURPOSES.filter((purpose) => !usual.includes(purpose));
  const toggle = (purpose: Purpose, on: boolean) => {
    const purposes = PURPOSES.filter((one) => (one === purpose ? on : form.purposes.includes(one)));
    onChange({ ...form, purposes });
  };
  const choice = (purpose: Purpose) => (
    <Choice
      key={purpose}
      type="checkbox"
      name="purpose"
      label={purposeInWords(purpose).label}
      explanation={purposeInWords(purpose).explanation}
      checked={form.purposes.includes(purpose)}
      onChange={(on) => toggle(purpose, on)}
    />
  );
  return (
    <Group legend="What for?">
      <div className={s.grid}>{usual.map(choice)}</div>
      <details className={s.more} open={others.some((purpose) => form.purposes.includes(purpose))}>
        <summary>Other purposes</summary>
        <div className={s.grid}>{others.map(choice)}</div>
      </details>
    </Group>
  );
}

/** Looking, or downloading as well; and what the difference is worth. */
export function ActionField({ form, onChange }: TermsFieldsProps) {
  return (
    <Group legend="What may they do?">
      <div className={s.grid}>
        <Choice
          type="radio"
          name="action"
          label="Look"
          explanation="See the images in a viewer."
          checked={!form.download}
          onChange={() => onChange({ ...form, download: false })}
        />
        <Choice
          type="radio"
          name="action"
          label="Look and download"
          explanation="Also save the original files."
          checked={form.download}
          onChange={() => onChange({ ...form, download: true })}
        />
      </div>
      <Hint>
        Looking cannot prevent copying: whoever sees an image can keep a picture of it. Share only with people
        you trust.
      </Hint>
    </Group>
  );
}

const PRESETS: { until: Exclude<Until, object>; label: string }[] = [
  { until: "day", label: "1 day" },
  { until: "week", label: "1 week" },
  { until: "month", label: "1 month" },
];

/** Until when: a preset, or a day of the patient's own. */
export function UntilField({ form, onChange, fault }: TermsFieldsProps & { fault: string | null }) {
  const custom = typeof form.until === "object" ? form.until : null;
  const end = endOf(form.until, nowSeconds());
  return (
    <Group legend="Until when?">
      <div className={s.presets}>
        {PRESETS.map(({ until, label }) => (
          <Choice
            key={until}
            type="radio"
            name="until"
            label={label}
            checked={form.until === until}
            onChange={() => onChange({ ...form, until })}
          />
        ))}
        <Choice
          type="radio"
          name="until"
          label="Custom"
          checked={custom !== null}
          onChange={() => onChange({ ...form, until: { date: "" } })}
        />
      </div>
      {custom && (
        <Field
          label="Last day"
          type="date"
          value={custom.date}
          min={localToday()}
          aria-invalid={fault !== null}
          onChange={(date) => onChange({ ...form, until: { date } })}
        />
      )}
      <Hint aria-live="polite">
        {end !== null && `Access lasts ${untilInWords(end)}, then ends by itself.`}
      </Hint>
    </Group>
  );
}

/** Today by this machine's calendar, as `YYYY-MM-DD`. */
function localToday(): string {
  const now = new Date();
  const pad = (value: number) => String(value).padStart(2, "0");
  return `${now.getFullYear()}-${pad(now.getMonth() + 1)}-${pad(now.getDate())}`;
}
