import type { ReactNode } from "react";
import s from "./Choice.module.css";

interface ChoiceProps {
  type: "radio" | "checkbox";
  name: string;
  label: ReactNode;
  /** A second line; part of the control's name, so that it is read out with it. */
  explanation?: ReactNode;
  checked: boolean;
  onChange: (checked: boolean) => void;
  /** Before the words: an avatar, an icon. */
  picture?: ReactNode;
}

/** One of several options, as a whole line that can be pressed. */
export function Choice({ type, name, label, explanation, checked, onChange, picture }: ChoiceProps) {
  return (
    <label className={s.choice}>
      <input
        className={s.control}
        type={type}
        name={name}
        checked={checked}
        onChange={(event) => onChange(event.target.checked)}
      />
      {picture}
      <span className={s.words}>
        <span className={s.label}>{label}</span>
        {explanation && <span className={s.explanation}>{explanation}</span>}
      </span>
    </label>
  );
}
