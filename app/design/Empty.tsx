import type { ReactNode } from "react";
import s from "./Empty.module.css";

/** A place where something could be, and is not: what it would be, and how it gets there. */
export function Empty({
  picture,
  title,
  children,
  actions,
}: {
  picture: ReactNode;
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
}) {
  return (
    <div className={s.empty}>
      <div className={s.picture} aria-hidden="true">
        {picture}
      </div>
      <h2 className={s.title}>{title}</h2>
      {children && <div className={s.words}>{children}</div>}
      {actions && <div className={s.actions}>{actions}</div>}
    </div>
  );
}
