import type { Page } from "playwright-core";

/** Something that kept the page from answering for 50 ms or more, which is what browsers call a long task. */
export interface LongTask {
  /** Since the page began to load. */
  startMs: number;
  durationMs: number;
}

export interface LongTaskRecorder {
  /** The tasks since the recording began. Asking ends the recording. */
  stop(): Promise<LongTask[]>;
}

const BEGIN = `(() => {
  const begin = performance.now();
  const entries = [];
  const observer = new PerformanceObserver((list) => entries.push(...list.getEntries()));
  observer.observe({ type: "longtask" });
  globalThis.longTasks = async () => {
    // The browser tells of a task once it is over, in a later one.
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 100)));
    entries.push(...observer.takeRecords());
    observer.disconnect();
    return entries
      .filter(({ startTime }) => startTime >= begin)
      .map(({ startTime, duration }) => ({ startMs: startTime, durationMs: duration }));
  };
})()`;

/** Records what happens on the page from now on, until it goes to another address. */
export async function recordLongTasks(page: Page): Promise<LongTaskRecorder> {
  await page.evaluate(BEGIN);
  return { stop: () => page.evaluate<LongTask[]>("globalThis.longTasks()") };
}
