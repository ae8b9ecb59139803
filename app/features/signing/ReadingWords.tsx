import { Notice } from "../../design/index.ts";
import s from "./ReadingWords.module.css";
import type { Reading } from "./read.ts";

/** More values than this are folded away; they are counted in the fold. */
const UNFOLDED = 4;

/** An act in words: what it is, all of it in a sentence, what should make somebody stop, and each field in full. */
export function ReadingWords({ reading }: { reading: Reading }) {
  return (
    <div className={s.reading}>
      <p className={s.intent}>{reading.intent}</p>
      <p>{reading.sentence}</p>
      {reading.warnings.length > 0 && (
        <Notice kind="warn" title="Look twice before you approve">
          <ul className={s.warnings}>
            {reading.warnings.map((warning) => (
              <li key={warning}>{warning}</li>
            ))}
          </ul>
        </Notice>
      )}
      <dl className={s.fields}>
        {reading.fields.map(({ label, values }) => (
          <div key={label} className={s.field}>
            <dt>{label}</dt>
            <dd>
              <Values values={values} />
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function Values({ values }: { values: readonly string[] }) {
  if (values.length === 1) return values[0];
  const shown = values.slice(0, values.length > UNFOLDED + 1 ? UNFOLDED : values.length);
  const folded = values.slice(shown.length);
  return (
    <>
      <Numbered values={shown} from={1} />
      {folded.length > 0 && (
        <details className={s.more}>
          <summary>and {folded.length} more</summary>
          <Numbered values={folded} from={shown.length + 1} />
        </details>
      )}
    </>
  );
}

/** Numbered: values may repeat, and their order is part of what is signed. */
function Numbered({ values, from }: { values: readonly string[]; from: number }) {
  return (
    <ol className={s.values} start={from}>
      {values.map((value, index) => (
        <li key={`${from + index}`}>{value}</li>
      ))}
    </ol>
  );
}
