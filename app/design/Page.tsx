import { type ReactNode, useEffect, useRef } from "react";
import s from "./Page.module.css";

/** Whether a page was shown before: the very first one leaves the focus where the browser puts it. */
let shownBefore = false;

interface PageProps {
  title: string;
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/** A page with its heading, which takes the focus when one page follows another. */
export function Page({ title, lead, actions, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);

  useEffect(() => {
    window.scrollTo(0, 0);
    if (shownBefore) heading.current?.focus({ preventScroll: true });
    shownBefore = true;
  }, []);

  return (
    <div className={s.page}>
      <title>{`${title} · ExamKey`}</title>
      <header className={s.header}>
        <div>
          <h1 ref={heading} tabIndex={-1} className={s.title}>
            {title}
          </h1>
          {lead && <p className={s.lead}>{lead}</p>}
        </div>
        {actions && <div className={s.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}
