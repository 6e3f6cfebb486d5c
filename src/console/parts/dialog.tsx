import { useEffect, useId, useRef, type ReactNode } from "react";
import { X } from "lucide-react";
import { IconButton } from "./icon-button.tsx";
import styles from "./dialog.module.css";

/**
 * A dialog of the browser's own: it keeps the focus, and Escape closes it. It is open as long as it is rendered. What in it has the attribute `data-first`
 * has the focus at first.
 */
export function Dialog({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: () => void;
  children: ReactNode;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    shown?.querySelector<HTMLElement>("[data-first]")?.focus();
    return () => shown?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className={styles.dialog}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        // What surrounds the dialog belongs to it, and the content does not.
        if (event.target === dialog.current) onClose();
      }}
    >
      <div className={styles.content}>
        <div className={styles.head}>
          <h2 id={titleId}>{title}</h2>
          <IconButton name="Close" onClick={onClose}>
            <X aria-hidden size={16} />
          </IconButton>
        </div>
        {children}
      </div>
    </dialog>
  );
}
