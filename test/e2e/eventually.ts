import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 25;
const TIMEOUT_MS = 60_000;

/** Settles with the first answer that is not `undefined`; asks again and again until then. */
export async function eventually<T>(
  what: string,
  ask: () => T | undefined | Promise<T | undefined>,
  timeoutMs = TIMEOUT_MS,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`this did not come: ${what}`);
    await delay(POLL_MS);
  }
}
