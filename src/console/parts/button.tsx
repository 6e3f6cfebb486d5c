import type { ReactNode } from "react";
import styles from "./button.module.css";

export function Button({
  children,
  onClick,
  look = "plain",
  disabled = false,
  type = "button",
}: {
  children: ReactNode;
  onClick?: (() => void) | undefined;
  look?: "plain" | "primary" | "danger" | undefined;
  disabled?: boolean | undefined;
  type?: "button" | "submit" | undefined;
}) {
  return (
    <button
      type={type}
      className={styles.button}
      data-look={look}
      disabled={disabled}
      onClick={onClick}
    >
      {children}
    </button>
  );
}
