/** Calls a tool of the agent by hand, for a caller of the HTTP API. */
import { toolCallRequestSchema, type ToolCallAnswer } from "../../http-api/tool-views.ts";
import type { Log } from "../../observability/log.ts";
import type { ManualCall, ManualCallResult } from "../contracts/manual-call.ts";
import { ApiFailure } from "./api-failure.ts";
import { readBody } from "./read-body.ts";
import type { ApiAnswer, RequestContext } from "./request-context.ts";

export interface ToolCallOptions {
  readonly callTool: (call: ManualCall) => Promise<ManualCallResult>;
  /** The name of this replica. */
  readonly replica: string;
  /** Makes ids of calls. */
  readonly newId: () => string;
  readonly log: Log;
}

/** Who calls a tool that wants an approval approves the call by giving a reason for it, which is logged with their name. */
export async function callTool(
  name: string,
  { request, config, subject, signal }: RequestContext,
  { callTool: call, replica, newId, log }: ToolCallOptions,
): Promise<ApiAnswer> {
  const { arguments: toolArguments, reason = "" } = await readBody(request, toolCallRequestSchema);
  const callId = `manual-${newId()}`;
  const result = await call({
    config,
    name,
    arguments: toolArguments,
    isApproved: reason.trim() !== "",
    // A call by hand belongs to no conversation, and is told from those that do.
    caller: { subject, sessionId: callId },
    callId,
    signal,
  });
  switch (result.status) {
    case "called": {
      const { outcome, ms } = result;
      const failed = "error" in outcome;
      log.info(
        { tool: name, callId, subject, reason, failed, ms },
        "A tool was called by hand through a gateway",
      );
      const body: ToolCallAnswer = failed
        ? { error: outcome.error, ms, replica }
        : { result: outcome.result, ms, replica };
      return { status: 200, body };
    }
    case "unknown-tool":
      throw new ApiFailure("NotFound", `the agent has no tool ${JSON.stringify(name)}`, {
        cure: `the tools are: ${result.tools.join(", ") || "none"}`,
      });
    case "invalid-arguments":
      throw new ApiFailure("InvalidRequest", result.problem);
    case "approval-needed":
      throw new ApiFailure("Conflict", "a call with these arguments needs an approval", {
        cure: "give a reason: the call is then approved in your name, and both are logged",
      });
  }
}
