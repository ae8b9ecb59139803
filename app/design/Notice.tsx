import { CircleAlert, CircleCheck, Info, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import s from "./Notice.module.css";

const ICONS = { info: Info, ok: CircleCheck, warn: TriangleAlert, danger: CircleAlert };

interface NoticeProps {
  kind?: keyof typeof ICONS;
  title?: ReactNode;
  children?: ReactNode;
  /** Buttons that lead out. */
  actions?: ReactNode;
  /** Read it out when it appears: at once (`alert`) or when there is a pause (`status`). */
  role?: "alert" | "status";
}

/** Something to know, with the way out where there is one. */
export function Notice({ kind = "info", title, children, actions, role }: NoticeProps) {
  const Icon = ICONS[kind];
  return (
    <div className={s.notice} data-kind={kind} role={role}>
      <Icon className={s.icon} aria-hidden="true" />
      <div className={s.words}>
        {title && <p className={s.title}>{title}</p>}
        {children && <div className={s.body}>{children}</div>}
      </div>
      {actions && <div className={s.actions}>{actions}</div>}
    </div>
  );
}
