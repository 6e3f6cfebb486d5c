/**
 * The tool loop: the model answers, its tool calls are run, and it is asked again with their results, until it calls no
 * more tools. When it wants more rounds or calls than a turn may have, those are refused, and it is asked once more
 * without tools, so that the user gets an answer; the turn then ends with `tool_limit`.
 */
import type { LanguageModelV4CallOptions } from "@ai-sdk/provider";
import type { PromptConfig, ToolConfig } from "../agent-config.ts";
import type { AgentMetrics } from "../observability/agent-metrics.ts";
import type { Clock } from "../observability/clock.ts";
import type { Log } from "../observability/log.ts";
import type { Usage } from "../protocol/frames.ts";
import type { Turn, TurnEvent, TurnResult } from "./handlers/handler.ts";
import type { ModelConnection, SamplingOptions } from "./providers/model-connection.ts";
import {
  answerPartsOf,
  newModelStep,
  streamModelStep,
  type ModelStep,
} from "./providers/model-step.ts";
import { toPrompt } from "./providers/prompt.ts";
import { ProviderFailedError, providerTurnError } from "./providers/provider-error.ts";
import type { ReadSecret } from "./providers/provider-key.ts";
import type { HistoryMessage, ToolMessage } from "./sessions/history-message.ts";
import { functionTools, ToolRuns, type ToolRun } from "./tools/tool-runs.ts";

export type TurnMetrics = Pick<AgentMetrics, "toolCallsTotal" | "providerTokensTotal">;

export interface TurnContext {
  connection: ModelConnection;
  prompt: PromptConfig;
  sampling: SamplingOptions;
  tools: readonly ToolConfig[];
  readSecret: ReadSecret;
  clock: Clock;
  /** At least 0 and below 1; spreads retries. */
  random: () => number;
  log: Log;
  metrics: TurnMetrics | undefined;
  /** What the model is told of the turns before this one. */
  history: () => Promise<readonly HistoryMessage[]>;
  /** The provider has counted the tokens of a prompt with these messages. */
  onTokens: (messages: readonly HistoryMessage[], tokens: number) => void;
}

export async function runTurn(turn: Turn, context: TurnContext): Promise<TurnResult> {
  const { prompt, metrics } = context;
  const messages: HistoryMessage[] = [
    ...(await context.history()),
    { role: "user", turnId: turn.id, content: turn.content },
  ];
  // Ends what is still running when the turn ends early, for whatever reason.
  const stop = new AbortController();
  const signal = AbortSignal.any([turn.signal, stop.signal]);
  const toolRuns = new ToolRuns({
    tools: context.tools,
    maxRounds: prompt.maxRounds,
    maxCalls: prompt.maxToolCallsPerTurn,
    context: { ...context, signal },
    metrics,
  });
  let usage: Usage | undefined;
  let lastText = "";

  function remember(message: HistoryMessage): void {
    messages.push(message);
    turn.record(message);
  }

  async function answer(toolChoice: ToolChoice): Promise<ModelStep> {
    const step = newModelStep();
    const options = callOptions(messages, toolChoice, context);
    try {
      for await (const text of streamModelStep(step, { ...context, options, signal })) {
        // What the model says after its tools have run would stick to what it said before.
        const isFirst = step.text.length === text.length;
        const content = isFirst && sticksTo(lastText, text) ? `\n\n${text}` : text;
        lastText = text;
        await turn.emit({ type: "chunk", content });
      }
    } catch (error) {
      if (step.text !== "") {
        remember({ role: "assistant", turnId: turn.id, content: step.text, partial: true });
      }
      throw error;
    } finally {
      usage = addUsage(usage, step, context);
      const promptTokens = step.usage?.inputTokens.total;
      if (promptTokens !== undefined) context.onTokens(messages, promptTokens);
    }
    return step;
  }

  try {
    for (let round = 1; ; round += 1) {
      const toolChoice = toolRuns.limitReached ? "none" : toolChoiceIn(round, prompt);
      const step = await answer(toolChoice);
      // An answer that was cut off by its length may end in half a call.
      const mayCall = toolChoice !== "none" && step.finishReason !== "length";
      const runs = mayCall ? toolRuns.takeRound(step) : [];
      if (step.text !== "" || runs.length > 0)
        remember(assistantMessage(turn, step, runs, context));
      if (runs.length === 0) {
        const finishReason = toolRuns.limitReached
          ? "tool_limit"
          : finishReasonOf(step, lastText !== "");
        return { finishReason, ...(usage === undefined ? {} : { usage }) };
      }
      await runTools(turn, runs, { remember, stop });
    }
  } finally {
    stop.abort();
  }
}

/** Runs the calls of one step side by side; remembers their results in the order of the calls. */
async function runTools(
  turn: Turn,
  runs: readonly ToolRun[],
  { remember, stop }: { remember: (message: ToolMessage) => void; stop: AbortController },
): Promise<void> {
  const emit = oneAtATime(turn);
  for (const { isCall, id, name, arguments: toolArguments } of runs) {
    if (isCall) await emit({ type: "tool-call", id, name, arguments: toolArguments });
  }
  const ended = await Promise.allSettled(
    runs.map(async (run): Promise<ToolMessage> => {
      try {
        const outcome = await run.start();
        if (run.isCall) await emit({ type: "tool-result", id: run.id, ...outcome });
        return {
          role: "tool",
          turnId: turn.id,
          toolCallId: run.id,
          toolName: run.name,
          ...outcome,
        };
      } catch (error) {
        stop.abort(error);
        throw error;
      }
    }),
  );
  for (const end of ended) if (end.status === "fulfilled") remember(end.value);
  turn.signal.throwIfAborted();
  for (const end of ended) if (end.status === "rejected") throw end.reason;
}

/** Results come side by side, and a turn takes one event after the other. */
function oneAtATime(turn: Turn): (event: TurnEvent) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return (event) => (last = last.then(() => turn.emit(event)));
}

type ToolChoice = PromptConfig["toolChoice"];

/** A tool is required once: a model that had to call one in every round could never answer. */
function toolChoiceIn(round: number, { toolChoice }: PromptConfig): ToolChoice {
  return toolChoice === "required" && round > 1 ? "auto" : toolChoice;
}

function callOptions(
  messages: readonly HistoryMessage[],
  toolChoice: ToolChoice,
  { connection, prompt, sampling, tools }: TurnContext,
): LanguageModelV4CallOptions {
  const { provider, modelId } = connection;
  const offersTools = tools.length > 0;
  return {
    ...sampling,
    prompt: toPrompt(prompt.system, messages, { provider, model: modelId, offersTools }),
    ...(offersTools ? { tools: functionTools(tools), toolChoice: { type: toolChoice } } : {}),
  };
}

function assistantMessage(
  turn: Turn,
  step: ModelStep,
  runs: readonly ToolRun[],
  { connection }: TurnContext,
): HistoryMessage {
  const metadata = new Map(step.toolCalls.map((call) => [call.id, call.providerMetadata]));
  const toolCalls = runs.map(({ id, name, arguments: toolArguments }) => {
    const providerMetadata = metadata.get(id);
    return { id, name, arguments: toolArguments, ...(providerMetadata && { providerMetadata }) };
  });
  const providerMetadata = answerPartsOf(step, connection);
  return {
    role: "assistant",
    turnId: turn.id,
    content: step.text,
    ...(toolCalls.length > 0 && { toolCalls }),
    ...(providerMetadata && { providerMetadata }),
  };
}

/** The protocol has no word for an answer that a filter cut short; it ends like any other, unless nothing is left of it. */
function finishReasonOf(step: ModelStep, hasSpoken: boolean): "stop" | "length" {
  if (step.finishReason === "length") return "length";
  if (hasSpoken) return "stop";
  const error =
    step.finishReason === "content-filter"
      ? new ProviderFailedError(
          "content_filter",
          "the provider's content filter withheld the answer",
        )
      : new ProviderFailedError("empty", "the provider sent an empty answer");
  throw providerTurnError(error.failure);
}

function sticksTo(before: string, after: string): boolean {
  return before !== "" && !/\s$/.test(before) && !/^\s/.test(after);
}

function addUsage(
  sum: Usage | undefined,
  step: ModelStep,
  { connection, metrics }: TurnContext,
): Usage | undefined {
  const input = step.usage?.inputTokens.total;
  const output = step.usage?.outputTokens.total;
  if (input === undefined && output === undefined) return sum;
  const labels = { provider: connection.provider, model: connection.modelId };
  metrics?.providerTokensTotal.add(input ?? 0, { ...labels, direction: "input" });
  metrics?.providerTokensTotal.add(output ?? 0, { ...labels, direction: "output" });
  return {
    input_tokens: (sum?.input_tokens ?? 0) + (input ?? 0),
    output_tokens: (sum?.output_tokens ?? 0) + (output ?? 0),
  };
}
