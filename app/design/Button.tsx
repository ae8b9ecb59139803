import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";
import s from "./Button.module.css";
import { Spinner } from "./Spinner.tsx";

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: "primary" | "secondary" | "quiet" | "danger" | "danger-quiet";
  size?: "small" | "normal" | "large";
  /** An icon before the label. It is decoration: the label alone names the button. */
  icon?: ReactNode;
  /** Something is under way: the button keeps its focus, shows it, and ignores presses. */
  busy?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

export function Button({
  kind = "secondary",
  size = "normal",
  icon,
  busy = false,
  children,
  onClick,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={s.button}
      data-kind={kind}
      data-size={size}
      aria-disabled={busy || undefined}
      onClick={busy ? (event) => event.preventDefault() : onClick}
    >
      {busy ? <Spinner /> : icon}
      {children}
    </button>
  );
}
