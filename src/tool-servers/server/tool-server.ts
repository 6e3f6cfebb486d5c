import type { ToolCaller } from "./tool-caller.ts";
import type { ToolOutcome } from "./tool-outcome.ts";

/** What a server says of one of its tools. */
export interface ListedTool {
  /** The name under which the server is called. */
  readonly name: string;
  readonly description: string;
  /** A JSON Schema of an object, as its author wrote it. Arguments are checked against it. */
  readonly inputSchema: Readonly<Record<string, unknown>>;
}

export interface ToolCallOptions {
  readonly signal: AbortSignal;
  /** How long one attempt may take, in milliseconds. */
  readonly timeoutMs: number;
  /** On whose behalf the call is made. Only a tool whose registry says so is told. */
  readonly caller?: ToolCaller | undefined;
  /** The id of the call within its session. */
  readonly callId?: string | undefined;
}

/** Whatever has tools: one URL, or a server of many. It lives as long as its part of the config, and serves all sessions. */
export interface ToolServer {
  /** Rejects only when the signal is aborted, with its reason. */
  list(signal: AbortSignal): Promise<readonly ListedTool[]>;
  /** The arguments fit the tool's schema. Rejects only when the signal is aborted: what goes wrong in a tool is its outcome. */
  call(
    name: string,
    toolArguments: Readonly<Record<string, unknown>>,
    options: ToolCallOptions,
  ): Promise<ToolOutcome>;
}
