/** Times, durations and counts as a terminal and a document show them. */

/** `2026-03-01 12:00`, UTC. */
export function minute(at: string): string {
  return at.slice(0, 16).replace("T", " ");
}

/** `2026-03-01 12:00:01`, UTC. */
export function second(at: string): string {
  return at.slice(0, 19).replace("T", " ");
}

/** `85 ms`, `1.2 s`, `3 min 5 s`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1_000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

export function between(from: string, to: string): string {
  return duration(Math.max(0, Date.parse(to) - Date.parse(from)));
}

/** `12,345`. */
export function tokens(count: number): string {
  return count.toLocaleString("en-US");
}
