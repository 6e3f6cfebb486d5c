/** What the calls of all types of tools have in common: so many at a time, a server that fails is left alone, and a call is tried again. */
import type { ToolConfig } from "../../agent-config/agent-config.ts";
import { exponentialBackoff, jittered } from "../../time/backoff.ts";
import type { Clock } from "../../time/clock.ts";
import { CallSlots } from "./call-slots.ts";
import { type CallResult, CircuitBreaker } from "./circuit-breaker.ts";
import {
  MAX_TOOL_FAILURES,
  MAX_TOOL_RETRY_WAIT_MS,
  MAX_WAITING_TOOL_CALLS,
  TOOL_REST_MS,
} from "./limits.ts";
import type { ToolOutcome } from "./tool-outcome.ts";
import type { ToolCallOptions } from "./tool-server.ts";

const BACKOFF = exponentialBackoff({ firstMs: 200, lastMs: MAX_TOOL_RETRY_WAIT_MS });

export interface Attempt {
  readonly outcome: ToolOutcome;
  readonly result: CallResult;
  readonly mayTryAgain: boolean;
  /** The tool asked for so many milliseconds. */
  readonly waitMs?: number | undefined;
}

/** What the calls of one tool have in common, in whichever prompt it is offered. */
export interface ToolGate {
  readonly breaker: CircuitBreaker;
  /** `undefined`: any number of calls may run at a time. */
  readonly slots: CallSlots | undefined;
}

export function createToolGate(
  { maxParallel }: Pick<ToolConfig, "maxParallel">,
  clock: Clock,
): ToolGate {
  return {
    breaker: new CircuitBreaker({ clock, maxFailures: MAX_TOOL_FAILURES, restMs: TOOL_REST_MS }),
    slots:
      maxParallel === undefined
        ? undefined
        : new CallSlots({ clock, maxParallel, maxWaiting: MAX_WAITING_TOOL_CALLS }),
  };
}

export interface GatedCallsOptions {
  readonly gate: ToolGate;
  readonly retries: ToolConfig["retries"];
  readonly clock: Clock;
  /** At least 0 and below 1; spreads retries. */
  readonly random: () => number;
}

/** Makes a call ready, or says why it cannot be made. `tryOnce` makes one attempt. Rejects only when the signal is aborted. */
export type PrepareCall = () => Promise<
  { readonly tryOnce: () => Promise<Attempt> } | { readonly error: string }
>;

export class GatedCalls {
  readonly #options: GatedCallsOptions;

  constructor(options: GatedCallsOptions) {
    this.#options = options;
  }

  /** Rejects only when the signal is aborted, with its reason. */
  async call(prepare: PrepareCall, options: ToolCallOptions): Promise<ToolOutcome> {
    const { slots } = this.#options.gate;
    if (slots === undefined) return await this.#callNow(prepare, options);
    if (!(await slots.enter(options.timeoutMs, options.signal))) {
      return { error: "not called: the tool has as many calls as it takes; try again later" };
    }
    try {
      return await this.#callNow(prepare, options);
    } finally {
      slots.leave();
    }
  }

  async #callNow(prepare: PrepareCall, { signal }: ToolCallOptions): Promise<ToolOutcome> {
    const prepared = await prepare();
    if ("error" in prepared) return prepared;
    signal.throwIfAborted();
    const { breaker } = this.#options.gate;
    if (!breaker.mayCall()) {
      const rest = `${TOOL_REST_MS / 1000} seconds`;
      return {
        error: `not called: the tool failed ${MAX_TOOL_FAILURES} times in a row, and is left alone for ${rest}; go on without it, or try again later`,
      };
    }
    let result: CallResult = "unknown";
    try {
      const last = await this.#tryRepeatedly(prepared.tryOnce, signal);
      result = last.result;
      return last.outcome;
    } finally {
      breaker.ended(result);
    }
  }

  async #tryRepeatedly(tryOnce: () => Promise<Attempt>, signal: AbortSignal): Promise<Attempt> {
    const { clock, random, retries } = this.#options;
    const backoff = jittered(BACKOFF, random);
    for (let attempts = 1; ; attempts += 1) {
      const attempt = await tryOnce();
      signal.throwIfAborted();
      if (!attempt.mayTryAgain || attempts > retries) return attempt;
      await clock.sleep(Math.max(backoff(attempts), attempt.waitMs ?? 0), signal);
    }
  }
}
