/** The operations of an OpenAPI document, as the control plane read it. The agent never sees the document. */
import type { ToolConfig } from "../../agent-config/agent-config.ts";
import type { OpenApiOperation } from "../../agent-config/openapi-operation.ts";
import { type HttpAttemptOptions, tryRequest } from "../http/http-attempt.ts";
import type { HttpToolContext } from "../http/http-tool-server.ts";
import { chosenTools } from "../server/chosen-tools.ts";
import { GatedCalls } from "../server/gated-calls.ts";
import type { ToolOutcome } from "../server/tool-outcome.ts";
import type { ListedTool, ToolCallOptions, ToolServer } from "../server/tool-server.ts";
import { buildOperationRequest } from "./build-request.ts";

export class OpenApiToolServer implements ToolServer {
  readonly #tool: ToolConfig;
  readonly #context: HttpToolContext;
  readonly #calls: GatedCalls;
  readonly #attempt: Omit<HttpAttemptOptions, "takesHTML">;
  readonly #listed: readonly ListedTool[];
  readonly #operations: ReadonlyMap<string, OpenApiOperation>;

  constructor(tool: ToolConfig, context: HttpToolContext) {
    this.#tool = tool;
    this.#context = context;
    this.#calls = new GatedCalls({ ...context, retries: tool.retries });
    const { transport, clock } = context;
    const { responseLimit, operations = [] } = tool;
    this.#attempt = { transport, clock, responseLimit };
    const offered = chosenTools(operations, tool);
    this.#operations = new Map(offered.map((operation) => [operation.name, operation]));
    this.#listed = offered.map(({ name, description, inputSchema }) => ({
      name,
      description,
      inputSchema,
    }));
  }

  list(): Promise<readonly ListedTool[]> {
    return Promise.resolve(this.#listed);
  }

  async call(
    name: string,
    toolArguments: Readonly<Record<string, unknown>>,
    options: ToolCallOptions,
  ): Promise<ToolOutcome> {
    const operation = this.#operations.get(name);
    if (operation === undefined) return { error: "not called: the tool is not offered any more" };
    const attempt = { ...this.#attempt, takesHTML: operation.answersHTML === true };
    return await this.#calls.call(async () => {
      const { readSecret, clock } = this.#context;
      const request = await buildOperationRequest(operation, this.#tool, toolArguments, {
        readSecret,
        caller: options.caller,
        now: clock.now(),
      });
      if ("error" in request) return request;
      return { tryOnce: () => tryRequest(request, attempt, options) };
    }, options);
  }
}
