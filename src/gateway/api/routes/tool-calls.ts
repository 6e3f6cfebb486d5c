import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import { toolCallAnswerSchema, toolCallRequestSchema } from "../../../http-api/tool-views.ts";
import type { ApiApp, ApiParts } from "../requests/api-parts.ts";
import { objectParameters } from "../requests/parameters.ts";
import { answers, ERRORS, FORBIDDEN, named } from "../requests/responses.ts";
import { openAgent } from "./open-agent.ts";

/** The agent gives up after 10 minutes itself, and says so. */
const TIMEOUT_MS = 10 * 60_000 + 5_000;
/** As long as an agent's names of tools may be. */
const MAX_TOOL_NAME_LENGTH = 256;

const call = createRoute({
  method: "post",
  path: "/agents/{namespace}/{name}/tools/{tool}/call",
  summary: "Calls a tool of an agent by hand, as the agent would",
  request: {
    params: objectParameters.extend({
      tool: z.string().min(1).max(MAX_TOOL_NAME_LENGTH).describe("The name of the tool"),
    }),
    body: {
      content: { "application/json": { schema: named("ToolCallRequest", toolCallRequestSchema) } },
      required: true,
    },
  },
  responses: {
    200: answers(
      named("ToolCallAnswer", toolCallAnswerSchema),
      "What the tool answered, or its error",
    ),
    ...ERRORS,
    ...FORBIDDEN,
  },
});

export function addToolCalls(app: ApiApp, parts: ApiParts): void {
  app.openapi(call, async (context) => {
    const { tool, ...agent } = context.req.valid("param");
    const body = context.req.valid("json");
    const { replicas } = await openAgent(parts, context, agent, {
      verb: "create",
      subresource: "toolcalls",
    });
    const answer = await replicas.askAny(
      {
        verb: "toolcalls:create",
        method: "POST",
        path: `/tools/${encodeURIComponent(tool)}/call`,
        body,
        timeoutMs: TIMEOUT_MS,
      },
      toolCallAnswerSchema,
    );
    return context.json(answer, 200);
  });
}
