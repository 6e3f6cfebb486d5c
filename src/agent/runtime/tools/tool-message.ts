import type { ToolOutcome } from "../../../tool-servers/server/tool-outcome.ts";
import type { ToolMessage } from "../../sessions/history-message.ts";

/** The outcome of a call as the history keeps it. */
export function toolMessage(
  turnId: string,
  { id, name }: { readonly id: string; readonly name: string },
  outcome: ToolOutcome,
): ToolMessage {
  return { role: "tool", turnId, toolCallId: id, toolName: name, ...outcome };
}
