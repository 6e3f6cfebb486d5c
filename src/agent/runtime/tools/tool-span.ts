/** What a trace tells of a call of a tool. */
import { activeSpan, withSpan } from "../../../observability/tracing/active-span.ts";
import type { Span } from "../../../observability/tracing/tracer.ts";
import type { ToolOutcome } from "../../../tool-servers/server/tool-outcome.ts";

export interface TracedCall {
  readonly id: string;
  /** Undefined when there is no such tool: a name that the model made up tells nobody anything. */
  readonly tool: string | undefined;
  readonly arguments: () => unknown;
}

/**
 * Makes the call in a span of its own where the turn is traced. `parent` is the span of the turn: a runtime may ask for a call by a
 * request of its own, which is no work of the turn's.
 */
export async function callInSpan(
  parent: Span | undefined,
  call: TracedCall,
  make: () => Promise<ToolOutcome>,
): Promise<ToolOutcome> {
  const tool = call.tool ?? "unknown";
  const span = (activeSpan() ?? parent)?.begin(`execute_tool ${tool}`, {
    kind: "internal",
    attributes: {
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": tool,
      "gen_ai.tool.call.id": call.id,
      "gen_ai.tool.type": "function",
    },
  });
  if (span === undefined) return await make();
  span.capture("gen_ai.tool.call.arguments", call.arguments);
  let failure: string | undefined = "cancelled";
  try {
    const outcome = await withSpan(span, make);
    failure = "error" in outcome ? "tool_error" : undefined;
    span.capture("gen_ai.tool.call.result", () =>
      "error" in outcome ? outcome.error : outcome.result,
    );
    return outcome;
  } finally {
    span.end(failure);
  }
}
