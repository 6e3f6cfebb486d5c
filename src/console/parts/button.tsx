import type { ReactNode } from "react";
import styles from "./button.module.css";

export function Button({
  children,
  onClick,
  look = "plain",
  disabled = false,
  type = "button",
  expanded,
  controls,
}: {
  children: ReactNode;
  onClick?: (() => void) | undefined;
  look?: "plain" | "primary" | "danger" | undefined;
  disabled?: boolean | undefined;
  type?: "button" | "submit" | undefined;
  /** For a button that opens and closes what has the id `controls`. */
  expanded?: boolean | undefined;
  controls?: string | undefined;
}) {
  return (
    <button
      type={type}
      className={styles.button}
      data-look={look}
      disabled={disabled}
      aria-expanded={expanded}
      aria-controls={controls}
      onClick={onClick}
    >
      {children}
    </button>
  );
}
