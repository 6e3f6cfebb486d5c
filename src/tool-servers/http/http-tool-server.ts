/** A tool at a URL. The arguments fill the path, and what is left is sent as JSON in the body, or in the query where there is no body. */
import type { ToolConfig } from "../../agent-config/agent-config.ts";
import { pathParameters } from "../../agent-config/path-template.ts";
import type { Clock } from "../../time/clock.ts";
import { Deadline } from "../../time/deadline.ts";
import { MAX_TOOL_RETRY_WAIT_MS } from "../server/limits.ts";
import type { ReadSecret } from "../../agent-config/read-secret.ts";
import { type Attempt, GatedCalls, type ToolGate } from "../server/gated-calls.ts";
import type { GuardedTransport } from "../server/guarded-transport.ts";
import type { ToolOutcome } from "../server/tool-outcome.ts";
import type { ListedTool, ToolCallOptions, ToolServer } from "../server/tool-server.ts";
import { TransportError } from "../server/transport-error.ts";
import { readOutcome } from "./http-answer.ts";
import { buildRequest, type HttpToolRequest } from "./http-request.ts";
import { mayTryAfterFailure, mayTryAfterStatus, readRetryAfter } from "./retry-rule.ts";

const NOT_REACHED = new Set([502, 503, 504]);

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
  readonly #listed: readonly ListedTool[];

  constructor(tool: ToolConfig, context: HttpToolContext) {
    this.#tool = tool;
    this.#context = context;
    this.#calls = new GatedCalls({ ...context, retries: tool.retries });
    const { name, description, url } = tool;
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
      return "error" in request ? request : { tryOnce: () => this.#tryOnce(request, options) };
    }, options);
  }

  async #tryOnce(
    request: HttpToolRequest,
    { signal, timeoutMs }: ToolCallOptions,
  ): Promise<Attempt> {
    const { transport, clock } = this.#context;
    const { method, secrets } = request;
    using deadline = new Deadline({ ms: timeoutMs, clock, signal });
    let hasAnswered = false;
    try {
      const response = await transport.send(request, deadline.signal);
      hasAnswered = true;
      const { status, headers } = response;
      const { responseLimit } = this.#tool;
      const outcome = await readOutcome(response, { secrets, responseLimit });
      const waitMs = readRetryAfter(headers["retry-after"]?.toString(), {
        now: clock.now(),
        mostMs: MAX_TOOL_RETRY_WAIT_MS,
      });
      return {
        outcome,
        result: NOT_REACHED.has(status) ? "failed" : "answered",
        mayTryAgain: mayTryAfterStatus(method, status, waitMs),
        waitMs,
      };
    } catch (error) {
      // The tool may have carried out a call that ran out of time, so the call is not made again.
      if (deadline.isOver) {
        return failed(`the tool did not answer within ${timeoutMs / 1000} seconds`);
      }
      if (hasAnswered || !(error instanceof TransportError)) {
        return failed("the tool broke off in the middle of its answer");
      }
      return { ...failed(error.message), mayTryAgain: mayTryAfterFailure(method, error) };
    }
  }
}

function failed(error: string): Attempt {
  return { outcome: { error }, result: "failed", mayTryAgain: false };
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
