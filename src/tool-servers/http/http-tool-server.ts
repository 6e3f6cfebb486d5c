/** A tool at a URL. The arguments fill the path, and what is left is sent as JSON in the body, or in the query where there is no body. */
import type { ToolConfig } from "../../agent-config/agent-config.ts";
import { pathParameters } from "../../agent-config/path-template.ts";
import type { Clock } from "../../time/clock.ts";
import type { ReadSecret } from "../../agent-config/read-secret.ts";
import { GatedCalls, type ToolGate } from "../server/gated-calls.ts";
import type { GuardedTransport } from "../server/guarded-transport.ts";
import type { ToolOutcome } from "../server/tool-outcome.ts";
import type { ListedTool, ToolCallOptions, ToolServer } from "../server/tool-server.ts";
import { type HttpAttemptOptions, tryRequest } from "./http-attempt.ts";
import { buildRequest } from "./http-request.ts";

export interface HttpToolContext {
  readonly gate: ToolGate;
  readonly transport: GuardedTransport;
  readonly readSecret: ReadSecret;
  readonly clock: Clock;
  /** At least 0 and below 1; spreads retries. */
  readonly random: () => number;
}

export class HttpToolServer implements ToolServer {
  readonly #tool: ToolConfig;
  readonly #context: HttpToolContext;
  readonly #calls: GatedCalls;
  readonly #attempt: HttpAttemptOptions;
  readonly #listed: readonly ListedTool[];

  constructor(tool: ToolConfig, context: HttpToolContext) {
    this.#tool = tool;
    this.#context = context;
    this.#calls = new GatedCalls({ ...context, retries: tool.retries });
    const { transport, clock } = context;
    const { name, description, url, responseLimit } = tool;
    // A page of HTML may well be what the author of the tool wants the model to read.
    this.#attempt = { transport, clock, responseLimit, takesHTML: true };
    const inputSchema = withPathParameters(tool.inputSchema, pathParameters(url));
    this.#listed = [{ name, description, inputSchema }];
  }

  list(): Promise<readonly ListedTool[]> {
    return Promise.resolve(this.#listed);
  }

  async call(
    _name: string,
    toolArguments: Readonly<Record<string, unknown>>,
    options: ToolCallOptions,
  ): Promise<ToolOutcome> {
    return await this.#calls.call(async () => {
      const { readSecret, clock } = this.#context;
      const request = await buildRequest(this.#tool, toolArguments, {
        readSecret,
        caller: options.caller,
        now: clock.now(),
      });
      if ("error" in request) return request;
      return { tryOnce: () => tryRequest(request, this.#attempt, options) };
    }, options);
  }
}

/** The path must be filled, so the model is told of its arguments where the schema does not. */
function withPathParameters(
  inputSchema: ListedTool["inputSchema"],
  names: readonly string[],
): ListedTool["inputSchema"] {
  if (names.length === 0) return inputSchema;
  const { properties = {}, required = [] } = inputSchema as {
    properties?: Record<string, unknown>;
    required?: readonly string[];
  };
  const missing = names.filter((name) => !Object.hasOwn(properties, name));
  return {
    ...inputSchema,
    properties: {
      ...properties,
      ...Object.fromEntries(missing.map((name) => [name, { type: "string" }])),
    },
    required: [...new Set([...required, ...names])],
  };
}
