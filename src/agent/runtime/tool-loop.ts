/**
 * The tool loop: the model answers, its tool calls are run, and it is asked again with their results, until it calls no
 * more tools. When it wants more rounds or calls than a turn may have, those are refused, and it is asked once more
 * without tools, so that the user gets an answer. The turn then ends with `tool_limit`. A turn that another replica began
 * goes on after the last complete step of that replica. A turn whose budget of tokens is spent asks the model no more, and ends in an error.
 */
import type { Prices, PromptConfig } from "../../agent-config/agent-config.ts";
import type { AgentMetrics } from "../contracts/agent-metrics.ts";
import type { Log } from "../../observability/log.ts";
import type { Usage } from "../../protocol/frames.ts";
import { AnswerContinuation } from "./answer-continuation.ts";
import type { EarlierRun, Turn, TurnResult } from "../contracts/handler.ts";
import type { ShorterPrompt } from "./prompt-fit.ts";
import { BoundCalls, type BoundCallsOptions } from "./bound-calls.ts";
import { OwnCalls } from "./own-calls.ts";
import { streamInSpan } from "./model-span.ts";
import { newModelStep, type ModelStep } from "./providers/model-step.ts";
import {
  ProviderFailedError,
  providerTurnError,
  ProviderTurnError,
} from "./providers/provider-error.ts";
import type {
  AssistantMessage,
  HistoryMessage,
  ToolMessage,
  WorkflowPosition,
} from "../sessions/history-message.ts";
import { stepCost } from "./step-cost.ts";
import type { Stage, TurnStages } from "./turn-stages.ts";
import { addUsage } from "../../protocol/add-usage.ts";
import { CallIds } from "./tools/call-ids.ts";
import type { StepSource, ToolChoice } from "./steps/step-source.ts";
import { byApproval, waitingResult } from "./tools/waiting-runs.ts";
import { runCalls } from "./tools/run-calls.ts";
import { type ToolOffer, ToolRuns, type ToolRun } from "./tools/tool-runs.ts";

export type TurnMetrics = Pick<
  AgentMetrics,
  "toolCallsTotal" | "providerTokensTotal" | "providerCostTotal"
>;

export interface ToolLoopContext {
  /** Which prompt, tools and source each step has. */
  stages: Pick<TurnStages, "after" | "position">;
  log: Log;
  metrics: TurnMetrics | undefined;
  /** The ids of all calls that the session had before this turn. */
  usedCallIds: readonly string[];
  /** The messages of the turns before this one. */
  history: readonly HistoryMessage[];
  /** What the members of the pack that were asked have used since this was called last. */
  takeMemberUsage?: (() => Usage | undefined) | undefined;
}

export async function runTurn(turn: Turn, context: ToolLoopContext): Promise<TurnResult> {
  const { stages, metrics } = context;
  const prices = turn.config.provider?.prices;
  let stage = await stages.after([]);
  /** The messages of this turn, and what the model is told of those before it. */
  const own: HistoryMessage[] = [{ role: "user", turnId: turn.id, content: turn.content }];
  let told = stage.fit.toldOf(context.history, own);
  // Stops the tools and the request that still run when the turn ends, for whatever reason.
  const stop = new AbortController();
  const signal = AbortSignal.any([turn.signal, stop.signal]);
  const toolRuns = new ToolRuns(
    {
      callIds: new CallIds(context.usedCallIds),
      caller: { subject: turn.callerSubject, sessionId: turn.sessionId },
      signal,
      metrics,
    },
    offerOf(stage),
  );
  const { earlier } = turn;
  let usage = earlier?.usage;
  /** What members have used, and no step of the journal tells yet. */
  let untold: Usage | undefined;
  let lastText = earlier?.said ?? "";
  let continuation = continuationOf(earlier);

  /** The answer of the step that runs. */
  let heard = newModelStep();
  /** Whether the message that is heard has no text yet. */
  let isFirst = true;
  const callsOfStep: Omit<BoundCallsOptions, "openCall"> = {
    turn,
    toolRuns,
    remember: (message) => own.push(message),
    closeMessage(toolCalls) {
      const content = continuation?.wholeOf(heard.text) ?? heard.text;
      continuation = undefined;
      heard.text = "";
      isFirst = true;
      const workflow = stages.position;
      return {
        role: "assistant",
        turnId: turn.id,
        content,
        ...(toolCalls && { toolCalls }),
        ...(workflow && { workflow }),
      };
    },
  };
  const boundCalls = new BoundCalls({ ...callsOfStep, openCall: () => ownCalls.open });
  const ownCalls = new OwnCalls({
    ...callsOfStep,
    async isMade(call) {
      await boundCalls.whenIdle();
      return boundCalls.claim(call);
    },
  });

  /** Begins a step, which may have another prompt than the one before it. */
  async function beginStep(): Promise<void> {
    const next = await stages.after(own.slice(1));
    if (next === stage) return;
    stage = next;
    told = stage.fit.toldOf(context.history, own);
    toolRuns.offer(offerOf(stage));
  }

  function remember(message: ToolMessage): void {
    own.push(message);
    turn.record(message);
  }

  /** Asks the model, again with fewer of the earlier turns when it says that the conversation is too long. */
  async function answer(toolChoice: ToolChoice): Promise<ModelStep> {
    let shorter: ShorterPrompt | undefined;
    for (let refusals = 1; ; refusals += 1) {
      const step = (heard = newModelStep());
      try {
        await hear(step, toolChoice);
        shorter?.answered();
        return step;
      } catch (error) {
        await ownCalls.failed();
        shorter = step.hasBegun ? undefined : shorterAfter(error, refusals);
        if (shorter === undefined) {
          const content = continuation?.wholeOf(step.text) ?? step.text;
          if (content !== "")
            turn.record({ role: "assistant", turnId: turn.id, content, partial: true });
          throw error;
        }
        told = shorter.told;
      }
    }
  }

  function shorterAfter(error: unknown, refusals: number): ShorterPrompt | undefined {
    if (!(error instanceof ProviderTurnError)) return undefined;
    const { failure } = error;
    const shorter = stage.fit.shorterThan({ told, own, failure, refusals });
    if (shorter === undefined) return undefined;
    const { provider, modelId: model } = stage.source;
    const { reason, status, contextRefusal } = failure;
    const messages = { left: shorter.told.length, leftOut: told.length - shorter.told.length };
    context.log.warn(
      { provider, model, reason, status, ...contextRefusal, messages },
      "The conversation is longer than the model takes; it is asked again with fewer of the earlier turns",
    );
    return shorter;
  }

  /** Passes on what the model says. */
  async function hear(step: ModelStep, toolChoice: ToolChoice): Promise<void> {
    const messages = [...told, ...own];
    const instruction = continuation?.instruction;
    isFirst = continuation === undefined;
    const onText = (text: string): Promise<void> | undefined => {
      const fresh = continuation === undefined ? text : continuation.take(text);
      if (fresh === "") return undefined;
      // Without a break, the text after a tool call would run into the text before it.
      const content = isFirst && runsInto(lastText, text) ? `\n\n${text}` : fresh;
      isFirst = false;
      lastText = fresh;
      return turn.emit({ type: "chunk", content });
    };
    try {
      const tokensLeft = turn.budget?.left;
      const request = {
        messages,
        toolChoice,
        instruction,
        tokensLeft,
        signal,
        onText,
        ownCalls,
        boundCalls,
      };
      await streamInSpan(stage.source, step, request);
    } finally {
      // A runtime may have ended its step while a call that it made was under way.
      await boundCalls.whenIdle();
      boundCalls.removeFrom(step);
      const used = usageOf(step, prices);
      usage = addUsage(usage, used);
      turn.budget?.use(used);
      countTokens(step, stage, { metrics, prices });
      const promptTokens = step.usage?.inputTokens.total;
      if (promptTokens !== undefined && stage.source.countsPrompts)
        stage.fit.counted(messages, promptTokens);
    }
  }

  /**
   * Runs the calls that need no approval, and answers those that wait for one. Each is stored as begun before it is made, and all
   * outcomes are stored when this settles.
   */
  async function run(runs: readonly ToolRun[]): Promise<readonly ToolRun[]> {
    const { ready, waiting } = await byApproval(runs);
    await runCalls(turn, ready, { remember, stop });
    const asked = context.takeMemberUsage?.();
    usage = addUsage(usage, asked);
    untold = addUsage(untold, asked);
    await turn.stored();
    return waiting;
  }

  try {
    for (const step of earlier?.steps ?? []) {
      if (step.calls.some(({ outcome }) => outcome === undefined)) await beginStep();
      own.push(step.message, ...step.calls.flatMap(({ outcome }) => outcome ?? []));
      const waiting = await run(toolRuns.takeEarlier(step));
      if (waiting.length > 0) return waitingResult(waiting, usage);
    }
    const finished = earlier?.steps.at(-1)?.finishReason;
    if (finished !== undefined) return resultOf(finished, usage);
    for (let round = 1 + (earlier?.steps.length ?? 0); ; round += 1) {
      turn.budget?.check();
      await beginStep();
      const { source } = stage;
      const toolChoice = toolRuns.limitReached ? "none" : toolChoiceIn(round, stage.prompt);
      const step = await answer(toolChoice);
      // An answer that was cut off may end in an incomplete call.
      const mayCall = toolChoice !== "none" && step.end?.type === "complete";
      const runs = mayCall ? toolRuns.takeRound(step) : [];
      const message = assistantMessage(turn, step, runs, {
        source,
        continuation,
        workflow: stages.position,
      });
      continuation = undefined;
      const isLast = !ownCalls.takeAskedAgain(mayCall) && runs.length === 0;
      const finishReason = !isLast
        ? undefined
        : toolRuns.limitReached
          ? "tool_limit"
          : finishReasonOf(step, {
              hasSpoken: lastText !== "",
              provider: source.provider,
            });
      if (message.content !== "" || runs.length > 0) {
        own.push(message);
        const stepUsage = addUsage(untold, usageOf(step, prices));
        untold = undefined;
        turn.record(message, { usage: stepUsage, inputs: inputsOf(step, runs), finishReason });
      }
      // An answer that the budget cut off is not whole.
      if (finishReason === "length") turn.budget?.check();
      if (finishReason !== undefined) return resultOf(finishReason, usage);
      const waiting = await run(runs);
      if (waiting.length > 0) return waitingResult(waiting, usage);
    }
  } finally {
    stop.abort();
  }
}

/** A tool is required in the first round only: a model that had to call one in every round could never answer. */
function toolChoiceIn(round: number, { toolChoice }: PromptConfig): ToolChoice {
  return toolChoice === "required" && round > 1 ? "auto" : toolChoice;
}

function assistantMessage(
  turn: Turn,
  step: ModelStep,
  runs: readonly ToolRun[],
  {
    source,
    continuation,
    workflow,
  }: {
    source: StepSource;
    continuation: AnswerContinuation | undefined;
    workflow: WorkflowPosition | undefined;
  },
): AssistantMessage {
  const metadata = new Map(step.toolCalls.map((call) => [call.id, call.providerMetadata]));
  const toolCalls = runs.map(({ id, name, arguments: toolArguments }) => {
    const providerMetadata = metadata.get(id);
    return { id, name, arguments: toolArguments, ...(providerMetadata && { providerMetadata }) };
  });
  const parts = source.partsOf(step);
  const providerMetadata = continuation === undefined ? parts : continuation.partsOf(parts);
  return {
    role: "assistant",
    turnId: turn.id,
    content: continuation?.wholeOf(step.text) ?? step.text,
    ...(toolCalls.length > 0 && { toolCalls }),
    ...(providerMetadata && { providerMetadata }),
    ...(workflow && { workflow }),
  };
}

function offerOf({ tools, prompt }: Stage): ToolOffer {
  return { tools, maxRounds: prompt.maxRounds, maxCalls: prompt.maxToolCallsPerTurn };
}

/** Throws when there is nothing to tell the user. */
function finishReasonOf(
  { end }: ModelStep,
  { hasSpoken, provider }: { hasSpoken: boolean; provider: string },
): "stop" | "length" | "content_filter" {
  if (end?.type === "length") return "length";
  if (end?.type === "content-filter") {
    if (hasSpoken) return "content_filter";
    throw providerTurnError(
      new ProviderFailedError("content_filter", "content filter; the answer was withheld").failure,
      provider,
    );
  }
  if (hasSpoken) return "stop";
  throw providerTurnError(
    new ProviderFailedError("empty", "empty answer; the model said nothing").failure,
    provider,
  );
}

function runsInto(before: string, after: string): boolean {
  return before !== "" && !/\s$/.test(before) && !/^\s/.test(after);
}

/** Set when the earlier replica died in the middle of a step. */
function continuationOf(earlier: EarlierRun | undefined): AnswerContinuation | undefined {
  const unfinished = earlier?.unfinished ?? "";
  return unfinished === "" ? undefined : new AnswerContinuation(unfinished);
}

/** The arguments as the model wrote them, of those calls where they cannot be written again from the message. */
function inputsOf(step: ModelStep, runs: readonly ToolRun[]): Record<string, string> | undefined {
  const written = new Map(step.toolCalls.map(({ id, input }) => [id, input]));
  const inputs = runs.flatMap(({ id, arguments: toolArguments }): [string, string][] => {
    const input = written.get(id) ?? "";
    return input === JSON.stringify(toolArguments) ? [] : [[id, input]];
  });
  return inputs.length === 0 ? undefined : Object.fromEntries(inputs);
}

function resultOf(finishReason: TurnResult["finishReason"], usage: Usage | undefined): TurnResult {
  return { finishReason, usage };
}

function usageOf(step: ModelStep, prices: Prices | undefined): Usage | undefined {
  if (step.usage === undefined) return undefined;
  const input = step.usage.inputTokens.total;
  const output = step.usage.outputTokens.total;
  if (input === undefined && output === undefined) return undefined;
  const tokens = { input_tokens: input ?? 0, output_tokens: output ?? 0 };
  return prices === undefined ? tokens : { ...tokens, cost: stepCost(step.usage, prices) };
}

function countTokens(
  step: ModelStep,
  { source, prompt }: Stage,
  { metrics, prices }: { metrics: TurnMetrics | undefined; prices: Prices | undefined },
): void {
  const usage = usageOf(step, prices);
  if (usage === undefined || metrics === undefined) return;
  const { provider, modelId: model } = source;
  const labels = { provider, model, version: prompt.version };
  metrics.providerTokensTotal.add(usage.input_tokens, { ...labels, direction: "input" });
  metrics.providerTokensTotal.add(usage.output_tokens, { ...labels, direction: "output" });
  if (usage.cost === undefined) return;
  const { amount, currency } = usage.cost;
  metrics.providerCostTotal.add(amount, { provider, model, currency });
}
