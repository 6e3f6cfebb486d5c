import type { ReactNode } from "react";
import styles from "./button.module.css";

/** A button that shows a picture. `name` is what it says to those who do not see the picture, and in its hint. */
export function IconButton({
  name,
  onClick,
  children,
  disabled = false,
}: {
  name: string;
  onClick: () => void;
  children: ReactNode;
  disabled?: boolean | undefined;
}) {
  return (
    <button
      type="button"
      className={styles.icon}
      aria-label={name}
      title={name}
      onClick={onClick}
      disabled={disabled}
    >
      {children}
    </button>
  );
}
