import { useLive, type LiveState } from "../api/live-state.ts";
import styles from "./live-dot.module.css";

const WORDS: Record<LiveState["status"], string> = {
  connecting: "connecting",
  live: "live",
  reconnecting: "reconnecting",
  "signed-out": "signed out",
};

export function LiveDot() {
  const { status } = useLive();
  return (
    <span className={styles.live} data-status={status} role="status">
      <span className={styles.dot} aria-hidden />
      {WORDS[status]}
    </span>
  );
}
