/** A call of one of the agent's tools that a person makes, and no model. */
import type { AgentConfig } from "../../agent-config/agent-config.ts";
import type { ToolCaller } from "../../tool-servers/server/tool-caller.ts";
import type { ToolOutcome } from "../../tool-servers/server/tool-outcome.ts";

export interface ManualCall {
  readonly config: AgentConfig;
  /** The name of the tool, as the model is told it. */
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Whether the person approves the call, should it need that. */
  readonly isApproved: boolean;
  readonly caller: ToolCaller;
  readonly callId: string;
  readonly signal: AbortSignal;
}

export type ManualCallResult =
  /** `ms`: how long it took, in milliseconds. */
  | { readonly status: "called"; readonly outcome: ToolOutcome; readonly ms: number }
  | { readonly status: "unknown-tool"; readonly tools: readonly string[] }
  | { readonly status: "invalid-arguments"; readonly problem: string }
  | { readonly status: "approval-needed" };
