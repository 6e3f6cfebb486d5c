/** What a trace tells of a turn. The names are those of OpenTelemetry's conventions for generative AI, and our own begin with `omnia.` */
import type { AgentConfig } from "../../agent-config/agent-config.ts";
import { readTraceParent, type TraceParent } from "../../observability/tracing/trace-parent.ts";
import type { Span, Tracer } from "../../observability/tracing/tracer.ts";
import type { Usage } from "../../protocol/frames.ts";
import { modelAttributes } from "../runtime/model-span.ts";
import type { TurnOutcome } from "./turn-ending.ts";

export interface TracedTurn {
  readonly id: string;
  readonly sessionId: string;
  readonly content: string;
  readonly config: AgentConfig;
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  readonly packVersion: string | undefined;
  /** What the client said when it connected. What it says of a message counts more. */
  readonly traceParent: TraceParent | undefined;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

export function beginTurnSpan(tracer: Tracer, turn: TracedTurn): Span {
  const { metadata, config } = turn;
  const { agent, handler, provider } = config;
  const span = tracer.begin(`invoke_agent ${agent.name}`, {
    kind: "server",
    parent:
      readTraceParent(metadata?.["traceparent"], metadata?.["tracestate"]) ?? turn.traceParent,
    startedAt: turn.startedAt,
    attributes: {
      "gen_ai.operation.name": "invoke_agent",
      "gen_ai.agent.name": agent.name,
      "gen_ai.conversation.id": turn.sessionId,
      ...(handler === "runtime" && provider !== undefined
        ? modelAttributes(provider.name, provider.model)
        : {}),
      "omnia.namespace": agent.namespace,
      "omnia.handler": handler,
      "omnia.turn.id": turn.id,
      "omnia.pack.version": turn.packVersion,
    },
  });
  span.capture("gen_ai.input.messages", () => [
    { role: "user", parts: [{ type: "text", content: turn.content }] },
  ]);
  return span;
}

export function endTurnSpan(
  span: Span,
  outcome: TurnOutcome,
  used: { readonly usage: Usage | undefined; readonly answer: string },
): void {
  const { status, finishReason, code } = outcome;
  span.set({
    "gen_ai.usage.input_tokens": used.usage?.input_tokens,
    "gen_ai.usage.output_tokens": used.usage?.output_tokens,
    "gen_ai.response.finish_reasons": finishReason === undefined ? undefined : [finishReason],
    "omnia.outcome": status,
  });
  span.capture("gen_ai.output.messages", () => [
    {
      role: "assistant",
      parts: [{ type: "text", content: used.answer }],
      finish_reason: finishReason,
    },
  ]);
  span.end(code);
}
