/** What a trace tells of a request to a model or a runtime. */
import { activeSpan, withSpan } from "../../observability/tracing/active-span.ts";
import type { Span, SpanAttributes } from "../../observability/tracing/tracer.ts";
import { TurnError } from "../contracts/turn-error.ts";
import type { HistoryMessage } from "../sessions/history-message.ts";
import type { ModelStep } from "./providers/model-step.ts";
import { ProviderTurnError } from "./providers/provider-error.ts";
import type { StepRequest, StepSource } from "./steps/step-source.ts";

/** As the conventions call the providers. */
const PROVIDER_NAMES: Readonly<Record<string, string>> = { google: "gcp.gemini" };

export function modelAttributes(provider: string, model: string): SpanAttributes {
  return {
    "gen_ai.provider.name": PROVIDER_NAMES[provider] ?? provider,
    "gen_ai.request.model": model === "" ? undefined : model,
  };
}

/** Does what `source.stream` does, in a span of its own where the turn is traced. */
export async function streamInSpan(
  source: StepSource,
  step: ModelStep,
  request: StepRequest,
): Promise<void> {
  const span = beginModelSpan(source, request);
  if (span === undefined) return await source.stream(step, request);
  let failure: string | undefined;
  try {
    await withSpan(span, () => source.stream(step, request));
  } catch (error) {
    failure = failureOf(error, request.signal);
    throw error;
  } finally {
    endModelSpan(span, step, failure);
  }
}

function beginModelSpan(
  { provider, modelId, countsPrompts }: StepSource,
  { messages }: StepRequest,
): Span | undefined {
  // A runtime in another framework is an agent of its own.
  const operation = countsPrompts ? "chat" : "invoke_agent";
  const span = activeSpan()?.begin(modelId === "" ? operation : `${operation} ${modelId}`, {
    kind: "client",
    attributes: {
      "gen_ai.operation.name": operation,
      ...modelAttributes(provider, modelId),
    },
  });
  span?.capture("gen_ai.input.messages", () => messages.map(messageParts));
  return span;
}

function endModelSpan(span: Span, step: ModelStep, failure: string | undefined): void {
  const { usage, end, text, toolCalls } = step;
  const reason =
    end === undefined
      ? undefined
      : end.type === "length"
        ? "length"
        : end.type === "content-filter"
          ? "content_filter"
          : toolCalls.length > 0
            ? "tool_call"
            : "stop";
  span.set({
    "gen_ai.usage.input_tokens": usage?.inputTokens.total,
    "gen_ai.usage.output_tokens": usage?.outputTokens.total,
    "gen_ai.response.finish_reasons": reason === undefined ? undefined : [reason],
  });
  span.capture("gen_ai.output.messages", () => [
    {
      role: "assistant",
      parts: [
        ...(text === "" ? [] : [{ type: "text", content: text }]),
        ...toolCalls.map(({ id, name, input }) => ({
          type: "tool_call",
          id,
          name,
          arguments: input,
        })),
      ],
      finish_reason: reason,
    },
  ]);
  span.end(failure);
}

/** A code of ours: the words of a provider may hold what was said. */
function failureOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return "cancelled";
  if (error instanceof ProviderTurnError) return error.failure.reason;
  return error instanceof TurnError ? error.code : "INTERNAL_ERROR";
}

function messageParts(message: HistoryMessage): object {
  if (message.role === "tool") {
    const { toolCallId: id, result, error } = message;
    return { role: "tool", parts: [{ type: "tool_call_response", id, response: error ?? result }] };
  }
  const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
  return {
    role: message.role,
    parts: [
      { type: "text", content: message.content },
      ...calls.map(({ id, name, arguments: toolArguments }) => ({
        type: "tool_call",
        id,
        name,
        arguments: toolArguments,
      })),
    ],
  };
}
