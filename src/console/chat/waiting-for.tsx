import { useNow } from "../parts/now.ts";
import styles from "./chat.module.css";

/** A shorter wait needs no number. */
const QUIET_MS = 2_000;

export function WaitingFor({ since }: { since: number | undefined }) {
  const now = useNow();
  const ms = since === undefined ? 0 : now - since;
  return (
    <p className={styles.waiting}>
      <span className={styles.dots} aria-hidden />
      Waiting for the answer{ms >= QUIET_MS ? ` (${Math.floor(ms / 1_000)} s)` : "…"}
    </p>
  );
}
