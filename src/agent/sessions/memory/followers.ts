/** Those who follow the frames of a session, and wait for its next change. */
import type { Clock } from "../../../time/clock.ts";
import type { MemorySession } from "./memory-session.ts";

/** Resolves when frames came, a turn ended or the session is gone, and after the wait or when the signal aborts. */
export function nextChange(
  session: MemorySession,
  { clock, waitMs, signal }: { clock: Clock; waitMs: number; signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.setTimer(waitMs, wake);
    function wake(): void {
      timer.cancel();
      session.followers?.delete(wake);
      signal.removeEventListener("abort", wake);
      resolve();
    }
    (session.followers ??= new Set()).add(wake);
    signal.addEventListener("abort", wake, { once: true });
  });
}

export function wakeFollowers(session: MemorySession): void {
  const { followers } = session;
  if (followers === undefined) return;
  session.followers = undefined;
  for (const wake of followers) wake();
}
