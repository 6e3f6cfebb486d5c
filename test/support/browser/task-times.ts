import type { Page } from "playwright-core";

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** In microseconds of the processor. */
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

const CATEGORIES = ["toplevel", "__metadata"];
const TASKS: readonly string[] = ["RunTask", "ThreadControllerImpl::RunTask"];

/**
 * Measures the tasks of the page's main thread in time of the processor, which a machine that has much else to do leaves as it is. Answers a
 * function that ends the measurement, and gives the longest one in milliseconds.
 */
export async function measureTasks(page: Page): Promise<() => Promise<number>> {
  const browser = page.context().browser();
  if (browser === null) throw new Error("the page has no browser");
  await browser.startTracing(page, { categories: CATEGORIES });
  return async () => {
    const trace = JSON.parse((await browser.stopTracing()).toString()) as {
      traceEvents: readonly TraceEvent[];
    };
    const threadOf = ({ pid, tid }: TraceEvent): string => `${pid}:${tid}`;
    const names = trace.traceEvents.filter(
      ({ name, args }) => name === "thread_name" && args.name === "CrRendererMain",
    );
    const mainThreads = new Set(names.map(threadOf));
    const tasks = trace.traceEvents.filter(
      (event) => TASKS.includes(event.name) && mainThreads.has(threadOf(event)),
    );
    return Math.max(0, ...tasks.map(({ tdur = 0 }) => tdur / 1_000));
  };
}
