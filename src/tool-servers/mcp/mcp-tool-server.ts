/** The tools of an MCP server. */
import type { ToolConfig } from "../../agent-config/agent-config.ts";
import { traceMeta } from "../../observability/tracing/active-span.ts";
import { SecretValues } from "../../observability/secrets/secret-values.ts";
import type { Clock } from "../../time/clock.ts";
import { Deadline } from "../../time/deadline.ts";
import { GatedCalls, type Attempt, type ToolGate } from "../server/gated-calls.ts";
import type { ListingServer, ListReading } from "../server/read-list.ts";
import { chosenTools } from "../server/chosen-tools.ts";
import type { ToolOutcome } from "../server/tool-outcome.ts";
import type { ListedTool, ToolCallOptions } from "../server/tool-server.ts";
import { callOutcome } from "./call-outcome.ts";
import { connectLimit, type McpClient } from "./mcp-client.ts";
import { McpConnection, type McpConnectionOptions } from "./mcp-connection.ts";
import { reportFailure } from "./mcp-failure.ts";
import { McpToolList } from "./mcp-tool-list.ts";

/** Milliseconds that the client's own limit is beyond ours, by which a call ends. */
const CLIENT_TIMEOUT_MARGIN_MS = 10_000;
const UNKNOWN_TOOL =
  /\b(unknown|no such) tool\b|\btool\b.{0,300}\b(not found|not known|unknown)\b/is;

/** What all prompts that offer tools of a server share. */
export class McpServer {
  readonly connection: McpConnection;
  readonly list: McpToolList;
  readonly #isCommand: boolean;
  #secrets: { readonly of: readonly string[]; readonly values: SecretValues } | undefined;

  constructor(options: Omit<McpConnectionOptions, "onToolsChanged" | "onUnusable">) {
    const { server, clock, log } = options;
    this.#isCommand = server.mcp?.transport === "stdio";
    this.list = new McpToolList({
      registryName: server.registryName,
      connectMs: connectLimit(server),
      clock,
      log,
      describe: (error) => this.failure(error).message,
    });
    this.connection = new McpConnection({
      ...options,
      onToolsChanged: () => this.list.changed(),
      onUnusable: (names) => this.list.leftOut(names),
    });
  }

  failure(error: unknown): ReturnType<typeof reportFailure> {
    return reportFailure(error, { isCommand: this.#isCommand, clean: this.clean });
  }

  /** Takes out of a text what must not come back. */
  readonly clean = (text: string): string => {
    const { secrets } = this.connection;
    if (secrets.length === 0) return text;
    if (this.#secrets?.of.join("\n") !== secrets.join("\n")) {
      this.#secrets = { of: secrets, values: new SecretValues(secrets) };
    }
    return this.#secrets.values.hide(text);
  };

  /** Reads the list, if that was not done yet. */
  warmUp(): void {
    void this.list.refresh(this.connection);
  }

  close(): Promise<void> {
    return this.connection.close();
  }
}

export interface McpToolServerContext {
  readonly gate: ToolGate;
  readonly server: McpServer;
  readonly clock: Clock;
  /** At least 0 and below 1; spreads retries. */
  readonly random: () => number;
}

export class McpToolServer implements ListingServer {
  readonly #tool: ToolConfig;
  readonly #context: McpToolServerContext;
  readonly #calls: GatedCalls;

  constructor(tool: ToolConfig, context: McpToolServerContext) {
    this.#tool = tool;
    this.#context = context;
    this.#calls = new GatedCalls({ ...context, retries: tool.retries });
  }

  async list(signal: AbortSignal): Promise<readonly ListedTool[]> {
    const { list, connection } = this.#context.server;
    return chosenTools(await list.known(connection, signal), this.#tool);
  }

  async readList(signal: AbortSignal): Promise<ListReading> {
    const { list, connection } = this.#context.server;
    signal.throwIfAborted();
    const reading = await list.read(connection);
    signal.throwIfAborted();
    if (reading.state === "failed") return reading;
    return { ...reading, tools: chosenTools(reading.tools, this.#tool) };
  }

  async call(
    name: string,
    toolArguments: Readonly<Record<string, unknown>>,
    options: ToolCallOptions,
  ): Promise<ToolOutcome> {
    const tryOnce = (): Promise<Attempt> => this.#tryOnce(name, toolArguments, options);
    const outcome = await this.#calls.call(() => Promise.resolve({ tryOnce }), options);
    if ("error" in outcome && UNKNOWN_TOOL.test(outcome.error)) this.#context.server.list.changed();
    return outcome;
  }

  /** A server behind a URL is told of the trace in headers. */
  #meta(): { _meta?: Record<string, string> } {
    const meta = this.#tool.mcp?.transport === "stdio" ? traceMeta() : undefined;
    return meta === undefined ? {} : { _meta: meta };
  }

  async #tryOnce(
    name: string,
    toolArguments: Readonly<Record<string, unknown>>,
    { signal, timeoutMs, caller }: ToolCallOptions,
  ): Promise<Attempt> {
    const { clock, server } = this.#context;
    const { responseLimit } = this.#tool;
    const calledFor = caller && { caller, signatures: [] };
    const clean = (text: string): string => {
      const signatures = calledFor?.signatures ?? [];
      const cleaned = server.clean(text);
      return signatures.length === 0 ? cleaned : new SecretValues(signatures).hide(cleaned);
    };
    using deadline = new Deadline({ ms: timeoutMs, clock, signal });
    try {
      const answer = await server.connection.run(
        deadline.signal,
        ({ client }, signal) =>
          client.callTool(
            { name, arguments: { ...toolArguments }, ...this.#meta() },
            {
              signal,
              timeout: timeoutMs + CLIENT_TIMEOUT_MARGIN_MS,
              ...definitionOf(server.list.find(name)),
            },
          ),
        calledFor,
      );
      const outcome = callOutcome(answer, { responseLimit, clean });
      return { outcome, result: "answered", mayTryAgain: false };
    } catch (error) {
      signal.throwIfAborted();
      // The tool may have carried out a call that ran out of time, so the call is not made again.
      const { message, result, mayTryAgain } = deadline.isOver
        ? {
            message: `the tool did not answer within ${timeoutMs / 1000} seconds`,
            result: "failed" as const,
            mayTryAgain: false,
          }
        : server.failure(error);
      return { outcome: { error: clean(message) }, result, mayTryAgain };
    }
  }
}

/** The client reads from it which arguments are sent as headers too. */
function definitionOf(
  tool: ListedTool | undefined,
): Pick<NonNullable<Parameters<McpClient["client"]["callTool"]>[1]>, "toolDefinition"> {
  if (tool === undefined) return {};
  return {
    toolDefinition: { name: tool.name, inputSchema: { ...tool.inputSchema, type: "object" } },
  };
}
