/** Runs checks, a few at a time, because each check stands alone. */
import { systemClock } from "../../time/clock.ts";
import { Deadline } from "../../time/deadline.ts";
import { CheckSkipped } from "./check-failed.ts";

const AT_ONCE = 8;

/** What every check has, whatever it checks. */
export interface NamedCheck {
  readonly name: string;
  readonly section: string;
}

export interface CheckResult extends NamedCheck {
  readonly result: "pass" | "fail" | "skip";
  /** Why the check did not pass. */
  readonly reason?: string;
  readonly milliseconds: number;
}

export interface SuiteOptions {
  /** The time that each check may take. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Called in the order of the checks. */
  readonly onResult: (result: CheckResult) => void;
}

/**
 * Settles with the results in the order of the checks. `run` rejects when its check does not pass; its signal aborts when the
 * time of the check is over. Rejects with the reason of the suite's signal, and never because of a check.
 */
export async function runChecks<Check extends NamedCheck>(
  checks: readonly Check[],
  run: (check: Check, signal: AbortSignal) => Promise<void>,
  options: SuiteOptions,
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  const running: Promise<CheckResult>[] = [];
  const waiting = [...checks];
  while (running.length > 0 || waiting.length > 0) {
    const next = waiting.splice(0, AT_ONCE - running.length);
    running.push(...next.map((check) => runCheck(check, run, options)));
    const result = await running.shift();
    options.signal.throwIfAborted();
    if (result === undefined) break;
    options.onResult(result);
    results.push(result);
  }
  return results;
}

async function runCheck<Check extends NamedCheck>(
  check: Check,
  run: (check: Check, signal: AbortSignal) => Promise<void>,
  { timeoutMs, signal }: SuiteOptions,
): Promise<CheckResult> {
  const { name, section } = check;
  const started = systemClock.monotonic();
  using limit = new Deadline({ ms: timeoutMs, clock: systemClock, signal });
  const verdict = await judge(() => run(check, limit.signal));
  return { name, section, ...verdict, milliseconds: Math.round(systemClock.monotonic() - started) };
}

/** Settles with how the work ended. */
export async function judge(
  run: () => Promise<void>,
): Promise<Pick<CheckResult, "result"> & { reason?: string }> {
  try {
    await run();
    return { result: "pass" };
  } catch (error) {
    if (error instanceof CheckSkipped) return { result: "skip", reason: error.message };
    const reason = error instanceof Error ? error.message : String(error);
    return { result: "fail", reason };
  }
}
