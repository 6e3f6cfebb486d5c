let lastTime = Number.NaN;
let lastText = "";

/** RFC 3339 in UTC. Many frames share a millisecond, so the last text is kept. */
export function timestamp(milliseconds: number): string {
  if (milliseconds !== lastTime) {
    lastTime = milliseconds;
    lastText = new Date(milliseconds).toISOString();
  }
  return lastText;
}
