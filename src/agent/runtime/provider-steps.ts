/** Steps that a model provider answers. */
import type { LanguageModelV4CallOptions } from "@ai-sdk/provider";
import type { PromptConfig } from "../../agent-config/agent-config.ts";
import type { Clock } from "../../time/clock.ts";
import type { Log } from "../../observability/log.ts";
import type { ModelConnection } from "./providers/model-connection.ts";
import { answerPartsOf, streamModelStep } from "./providers/model-step.ts";
import { toPrompt } from "./providers/prompt.ts";
import { withinBudget } from "./providers/within-budget.ts";
import type { SamplingOptions } from "./providers/sampling-options.ts";
import type { StepRequest, StepSource } from "./steps/step-source.ts";
import { functionTools, type OfferedTool } from "./tools/offered-tool.ts";

export interface ProviderStepsOptions {
  readonly connection: ModelConnection;
  readonly prompt: PromptConfig;
  readonly sampling: SamplingOptions;
  readonly tools: readonly OfferedTool[];
  readonly clock: Clock;
  /** At least 0 and below 1; spreads retries. */
  readonly random: () => number;
  readonly log: Log;
  /** Is called when a request failed that is made again. */
  readonly onAskedAgain: () => void;
}

export function providerSteps(options: ProviderStepsOptions): StepSource {
  const { connection, clock, random, log, onAskedAgain } = options;
  return {
    provider: connection.provider,
    modelId: connection.modelId,
    countsPrompts: true,
    stream: (step, request) =>
      streamModelStep(step, {
        connection,
        options: callOptions(request, options),
        signal: request.signal,
        onText: request.onText,
        clock,
        random,
        log,
        onAskedAgain,
      }),
    partsOf: (step) => answerPartsOf(step, connection),
  };
}

function callOptions(
  { messages, toolChoice, instruction, tokensLeft }: StepRequest,
  { connection, prompt, sampling, tools }: ProviderStepsOptions,
): LanguageModelV4CallOptions {
  const { provider, modelId } = connection;
  const system = instruction === undefined ? prompt.system : `${prompt.system}\n\n${instruction}`;
  const offersTools = tools.length > 0;
  return {
    ...withinBudget(sampling, tokensLeft),
    prompt: toPrompt(system, messages, { provider, model: modelId, offersTools }),
    ...(offersTools ? { tools: functionTools(tools), toolChoice: { type: toolChoice } } : {}),
  };
}
