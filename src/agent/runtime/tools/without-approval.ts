import { needsApproval } from "./needs-approval.ts";
import { APPROVAL_NEEDED } from "./approval-needed.ts";
import type { OfferedTool } from "./offered-tool.ts";

/** The tool for a caller that cannot wait for a person: a call that needs an approval is not made. */
export function withoutApproval(tool: OfferedTool): OfferedTool {
  const { approval, server } = tool;
  if (approval === undefined || approval === "never") return tool;
  return {
    ...tool,
    approval: undefined,
    server: {
      list: (signal) => server.list(signal),
      async call(name, toolArguments, options) {
        if (await needsApproval(approval, toolArguments)) return { error: APPROVAL_NEEDED };
        return await server.call(name, toolArguments, options);
      },
    },
  };
}
