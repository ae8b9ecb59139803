import { X } from "lucide-react";
import { type ReactNode, useEffect, useId, useLayoutEffect, useRef } from "react";
import s from "./Dialog.module.css";

interface DialogProps {
  title: string;
  /** A line under the title; the dialog's description for assistive technology. */
  subtitle?: ReactNode;
  /** Escape, the close button, or a press outside. Without it the dialog stays until its owner takes it away. */
  onClose?: () => void;
  children: ReactNode;
  /** What stays visible at the bottom while the content scrolls: usually the buttons. */
  footer?: ReactNode;
}

/** A modal dialog on the platform's own `<dialog>`, which keeps the focus inside and hands it back. */
export function Dialog({ title, subtitle, onClose, children, footer }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const pressedOutside = useRef(false);
  const titleId = useId();
  const subtitleId = useId();

  // A layout effect: only a dialog that is closed while it is still in the page hands the focus back.
  useLayoutEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);

  // A step that takes away the button that had the focus would leave it nowhere, and a screen reader silent.
  useEffect(() => {
    if (document.activeElement === document.body) heading.current?.focus();
  });

  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape does by keyboard what a press outside does by pointer.
    <dialog
      ref={ref}
      className={s.dialog}
      aria-labelledby={titleId}
      aria-describedby={subtitle ? subtitleId : undefined}
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
      onPointerDown={(event) => {
        pressedOutside.current = event.target === ref.current;
      }}
      onClick={(event) => {
        if (pressedOutside.current && event.target === ref.current) onClose?.();
      }}
    >
      <div className={s.panel}>
        <header className={s.header}>
          <div>
            <h2 ref={heading} id={titleId} tabIndex={-1} className={s.title}>
              {title}
            </h2>
            {subtitle && (
              <p id={subtitleId} className={s.subtitle}>
                {subtitle}
              </p>
            )}
          </div>
          {onClose && (
            <button type="button" className={s.close} aria-label="Close" onClick={onClose}>
              <X aria-hidden="true" />
            </button>
          )}
        </header>
        <div className={s.content}>{children}</div>
        {footer && <footer className={s.footer}>{footer}</footer>}
      </div>
    </dialog>
  );
}
