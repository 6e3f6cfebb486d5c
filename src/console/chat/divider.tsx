import type { ReactNode } from "react";
import styles from "./chat.module.css";

/** A line across the conversation, which says what changed there. */
export function Divider({ children }: { children: ReactNode }) {
  return (
    <p className={styles.divider} role="note">
      <span>{children}</span>
    </p>
  );
}
