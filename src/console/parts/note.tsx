import type { ReactNode } from "react";
import styles from "./note.module.css";

export function Note({
  children,
  tone = "quiet",
}: {
  children: ReactNode;
  tone?: "quiet" | "warn" | "bad" | undefined;
}) {
  return (
    <div className={styles.note} data-tone={tone}>
      {children}
    </div>
  );
}
