/** Steps that a runtime answers in AG-UI: each is a POST of all that the runtime has to know. */
import type { Clock } from "../../../time/clock.ts";
import type { Log } from "../../../observability/log.ts";
import { exponentialBackoff, jittered } from "../../../time/backoff.ts";
import {
  MAX_PROVIDER_RETRIES,
  MAX_PROVIDER_RETRY_WAIT_MS,
  MAX_RUNTIME_EVENT_BYTES,
} from "../../contracts/limits.ts";
import { RuntimeUnavailableError, type RuntimeEndpoint } from "../../framework/runtime-endpoint.ts";
import type { ModelStep } from "../providers/model-step.ts";
import { ProviderFailedError, providerTurnError } from "../providers/provider-error.ts";
import { ServerEvents } from "../providers/stream/server-events.ts";
import type { StepRequest, StepSource } from "../steps/step-source.ts";
import { openStepTools, type StepToolsOptions } from "../steps/step-tools.ts";
import { findTool } from "../tools/find-tool.ts";
import { readEvent, UnreadableEventError } from "./ag-ui-event.ts";
import { NotReceivedError, postRun } from "./post-run.ts";
import { runAgentInput, type RunAgentInputOptions } from "./run-agent-input.ts";
import { RunReader } from "./run-reader.ts";

export interface AgUiStepsOptions extends RunAgentInputOptions, StepToolsOptions {
  readonly endpoint: RuntimeEndpoint;
  /** Undefined: the path of the endpoint. */
  readonly path: string | undefined;
  /** The model that the agent was given for the runtime, if it was given one. */
  readonly modelId: string;
  readonly clock: Clock;
  /** At least 0 and below 1; spreads retries. */
  readonly random: () => number;
  readonly log: Log;
}

const RUNTIME = "runtime";
const BACKOFF = exponentialBackoff({ firstMs: 200, lastMs: MAX_PROVIDER_RETRY_WAIT_MS });

export function agUiSteps(options: AgUiStepsOptions): StepSource {
  return {
    provider: RUNTIME,
    modelId: options.modelId,
    countsPrompts: false,
    partsOf: () => undefined,
    async stream(step, request) {
      try {
        await runStep(step, request, options);
      } catch (error) {
        request.signal.throwIfAborted();
        const failure = failureOf(error);
        if (failure === undefined) throw error;
        const { reason, finishReason } = failure.failure;
        options.log.warn({ reason, finishReason, problem: failure.cause }, "The runtime failed");
        throw providerTurnError(failure.failure, RUNTIME);
      }
    },
  };
}

/** A request that the runtime has not got is made again: it may just be starting. */
async function runStep(
  step: ModelStep,
  request: StepRequest,
  options: AgUiStepsOptions,
): Promise<void> {
  const { endpoint, path, clock, random } = options;
  const { signal } = request;
  using stepTools = openStepTools(options, request);
  const body = JSON.stringify(runAgentInput(request, options, stepTools?.url));
  for (let attempt = 1; ; attempt += 1) {
    const base = await endpoint.whenReady(signal);
    const url = path === undefined ? base : new URL(path, base);
    try {
      return await readRun(step, request, { ...options, url, body });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof NotReceivedError) || attempt > MAX_PROVIDER_RETRIES) throw error;
      await clock.sleep(jittered(BACKOFF, random)(attempt), signal);
    }
  }
}

async function readRun(
  step: ModelStep,
  request: StepRequest,
  options: AgUiStepsOptions & { url: URL; body: string },
): Promise<void> {
  const { url, body, clock, tools } = options;
  const reader = new RunReader({
    step,
    request,
    isOffered: (name) => findTool(tools, name) !== undefined,
  });
  const events = new ServerEvents();
  const decoder = new TextDecoder();
  let unread = 0;
  let hasEnded = false;
  const { signal } = request;
  for await (const chunk of postRun(url, body, { signal, clock, hasEnded: () => hasEnded })) {
    unread += chunk.length;
    const complete = events.push(decoder.decode(chunk, { stream: true }));
    if (complete.length > 0) unread = 0;
    if (unread > MAX_RUNTIME_EVENT_BYTES) {
      throw new ProviderFailedError("too_large", "an event is larger than an agent takes");
    }
    for (const one of complete) {
      const event = readEvent(one);
      if (event !== undefined && (await reader.take(event))) {
        hasEnded = event.type === "RUN_FINISHED";
        return;
      }
    }
  }
  for (const one of events.end()) {
    const event = readEvent(one);
    if (event !== undefined && (await reader.take(event))) return;
  }
  throw events.sawField
    ? new ProviderFailedError("interrupted", "the answer broke off before its end")
    : new ProviderFailedError("malformed", "malformed answer; it is not in the protocol AG-UI");
}

function failureOf(error: unknown): ProviderFailedError | undefined {
  if (error instanceof ProviderFailedError) return error;
  if (error instanceof UnreadableEventError) {
    return withCause(
      new ProviderFailedError("malformed", "malformed answer; it is not in the protocol AG-UI"),
      error.message,
    );
  }
  if (error instanceof RuntimeUnavailableError || error instanceof NotReceivedError) {
    return withCause(
      new ProviderFailedError("unreachable", "it does not answer; try again"),
      error.message,
    );
  }
  return undefined;
}

function withCause(failed: ProviderFailedError, cause: string): ProviderFailedError {
  return Object.assign(failed, { cause });
}
