import { useLive, type LiveState } from "../api/live-state.ts";
import { useNow } from "../parts/now.ts";
import styles from "./live-dot.module.css";

const WORDS: Record<LiveState["status"], string> = {
  connecting: "connecting",
  live: "live",
  reconnecting: "reconnecting",
  "signed-out": "signed out",
};

/** Whether the page shows what is: a dot and a word. */
export function LiveDot() {
  const live = useLive();
  return (
    <span className={styles.live} data-status={live.status}>
      <span className={styles.dot} aria-hidden />
      <span role="status">{WORDS[live.status]}</span>
      {live.status === "reconnecting" ? <Countdown until={live.retryAt} /> : undefined}
    </span>
  );
}

function Countdown({ until }: { until: number }) {
  const now = useNow();
  return <span>{Math.max(0, Math.ceil((until - now) / 1_000))} s</span>;
}
