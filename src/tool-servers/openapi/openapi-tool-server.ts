/** The operations of an OpenAPI document. Control planes read it, and agents have in their config what became of it. */
import type { ToolConfig } from "../../agent-config/agent-config.ts";
import type { OpenApiOperation } from "../../agent-config/openapi-operation.ts";
import { type HttpAttemptOptions, tryRequest } from "../http/http-attempt.ts";
import type { HttpToolContext } from "../http/http-tool-server.ts";
import { chosenTools } from "../server/chosen-tools.ts";
import { GatedCalls } from "../server/gated-calls.ts";
import type { ToolOutcome } from "../server/tool-outcome.ts";
import type { ListingServer } from "../server/read-list.ts";
import type { ListedTool, ToolCallOptions } from "../server/tool-server.ts";
import { buildOperationRequest } from "./build-request.ts";
import type { OpenApiReading } from "./openapi-list.ts";

export class OpenApiToolServer implements ListingServer {
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
    const { responseLimit, openapi: { operations = [] } = {} } = tool;
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

  /** Reads the document itself, as control planes do. */
  async readList(signal: AbortSignal): Promise<OpenApiReading> {
    const { transport, clock, readSecret } = this.#context;
    const { authFile, openapi, allowedAddresses = [], ...source } = this.#tool;
    const credential = authFile === undefined ? undefined : await readSecret(authFile);
    // Agents never read a document, and the parts that do are many.
    const { readOpenApiList } = await import("./read-openapi-list.ts");
    return await readOpenApiList(
      {
        ...source,
        server: openapi?.server,
        allowedAddresses,
        hasCredential: credential !== undefined,
      },
      { transport, clock, credential, signal },
    );
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
