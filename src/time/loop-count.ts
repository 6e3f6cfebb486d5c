import { performance } from "node:perf_hooks";

const { nodeTiming } = performance;

/** How often the event loop has gone round so far. All that one round handles was there when it began. */
export function loopCount(): number {
  return nodeTiming.uvMetricsInfo.loopCount;
}

/** Calls back at the end of the round, before the loop waits for anything. */
export function atEndOfLoop(callback: () => void): void {
  setImmediate(callback);
}
