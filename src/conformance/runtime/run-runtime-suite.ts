/** Runs the checks of the contract of runtimes, which is AG-UI over HTTP, against an address. */
import { CheckFailed, ensure } from "../harness/check-failed.ts";
import { judge, runChecks, type CheckResult, type SuiteOptions } from "../harness/run-checks.ts";
import { systemClock } from "../../time/clock.ts";
import { Deadline } from "../../time/deadline.ts";
import { Run } from "./run.ts";
import { RUNTIME_CHECKS } from "./runtime-checks.ts";
import type { PostAnswer, RuntimeCheckContext } from "./runtime-check.ts";

/** Tells why no check could say anything about the runtime, or settles with `undefined` when something answers there. */
export async function whyRuntimeUnreachable(
  url: URL,
  { timeoutMs, signal }: Pick<SuiteOptions, "timeoutMs" | "signal">,
): Promise<string | undefined> {
  using limit = new Deadline({ ms: timeoutMs, clock: systemClock, signal });
  const { reason } = await judge(async () => {
    const { status } = await withContext(url, limit.signal, ({ postBody }) => postBody("{}"));
    ensure(status !== 404 && status !== 405, `a POST was answered with ${status}`);
  });
  signal.throwIfAborted();
  return reason;
}

/** Rejects with the reason of the signal, and never because of the runtime. */
export function runRuntimeSuite(url: URL, options: SuiteOptions): Promise<CheckResult[]> {
  return runChecks(
    RUNTIME_CHECKS,
    (check, signal) => withContext(url, signal, (context) => check.run(context)),
    options,
  );
}

/** Closes all requests of the work when it ends. */
async function withContext<T>(
  url: URL,
  signal: AbortSignal,
  work: (context: RuntimeCheckContext) => Promise<T>,
): Promise<T> {
  const end = new AbortController();
  const both = AbortSignal.any([signal, end.signal]);
  const postBody = (body: string): Promise<PostAnswer> => post(url, body, both);
  try {
    return await work({
      postBody,
      post: async (input) => {
        const { status, run } = await postBody(JSON.stringify(input));
        ensure(status === 200, `it answered with ${status}`);
        ensure(run !== undefined, "its answer is no text/event-stream");
        return run;
      },
    });
  } finally {
    end.abort();
  }
}

async function post(url: URL, body: string, signal: AbortSignal): Promise<PostAnswer> {
  const closing = new AbortController();
  let response: Response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream" },
      body,
      // An agent follows no redirect either: it would repeat the conversation to another address.
      redirect: "manual",
      signal: AbortSignal.any([signal, closing.signal]),
    });
  } catch (error) {
    if (signal.aborted) throw new CheckFailed("it did not answer in time");
    throw new CheckFailed(`it cannot be reached: ${causeOf(error)}`);
  }
  const { status, headers } = response;
  const isStream = /^text\/event-stream\b/i.test(headers.get("content-type") ?? "");
  if (response.ok && isStream && response.body !== null) {
    return { status, run: new Run(response.body, { signal, close: () => closing.abort() }) };
  }
  closing.abort();
  return { status, run: undefined };
}

/** `fetch` says why it failed in the cause of its error only. */
function causeOf(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error && cause.message !== "" ? cause.message : message;
}
