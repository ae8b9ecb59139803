import { type ComponentProps, type ReactNode, useId } from "react";
import s from "./Form.module.css";

/** One question of a form, and all that answers it. */
export function Group({ legend, children }: { legend: string; children: ReactNode }) {
  return (
    <fieldset className={s.group}>
      <legend className={s.legend}>{legend}</legend>
      {children}
    </fieldset>
  );
}

/** What helps to answer. */
export function Hint(props: ComponentProps<"p">) {
  return <p className={s.hint} {...props} />;
}

interface FieldProps extends Omit<ComponentProps<"input">, "className" | "onChange"> {
  label: string;
  /** Read out with the field. */
  hint?: string;
  /** Where an address is typed: in even letters, and as it was typed. */
  isAddress?: boolean;
  onChange: (value: string) => void;
}

/** One line to type in, with its name above it. */
export function Field({ label, hint, isAddress = false, onChange, ...input }: FieldProps) {
  const hintId = useId();
  const asTyped = { spellCheck: false, autoComplete: "off", autoCapitalize: "off" };
  return (
    <label className={s.field}>
      <span className={s.label}>{label}</span>
      <input
        className={isAddress ? `${s.input} ${s.address}` : s.input}
        onChange={(event) => onChange(event.target.value)}
        {...(isAddress && asTyped)}
        {...(hint && { "aria-describedby": hintId })}
        {...input}
      />
      {hint && (
        <span id={hintId} className={s.hint}>
          {hint}
        </span>
      )}
    </label>
  );
}
