import type { AgentConfig, HandlerName } from "../../agent-config/agent-config.ts";
import type { AgentMetrics } from "../contracts/agent-metrics.ts";
import type { Clock } from "../../time/clock.ts";
import type { Log } from "../../observability/log.ts";
import { createDemoHandler } from "./demo.ts";
import { echoHandler } from "./echo.ts";
import type { Framework } from "../framework/framework.ts";
import type { ToolForClients } from "../tools-endpoint/mcp-reply.ts";
import type { ToolsEndpoint } from "../tools-endpoint/tools-endpoint.ts";
import type { Handler } from "../contracts/handler.ts";
import type { ManualCall, ManualCallResult } from "../contracts/manual-call.ts";

export interface HandlersOptions {
  /** Reads a secret file. The path is relative to the folder of the agent config. */
  readonly readSecret: (relativePath: string) => Promise<string>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: AgentMetrics;
  /** Whether the demo pauses between words, as a model would. */
  readonly demoPauses: boolean;
  /** Answers in place of a model provider, where it is set. */
  readonly framework: Framework | undefined;
  /** Serves the tools to the framework, where it can reach them. */
  readonly toolsEndpoint: ToolsEndpoint | undefined;
}

/** `ready` tells beforehand whether the handler could serve a turn. */
type RuntimeHandler = Handler & {
  ready(config: AgentConfig): Promise<void>;
  close(): Promise<void>;
  tools(config: AgentConfig, signal: AbortSignal): Promise<ToolForClients[]>;
  callTool(call: ManualCall): Promise<ManualCallResult>;
};

/** The three handlers. `runtime` needs much memory, and is loaded when a config first asks for it. */
export class Handlers {
  readonly #options: HandlersOptions;
  readonly #demo: Handler;
  #runtime: RuntimeHandler | undefined;
  #loading: Promise<RuntimeHandler> | undefined;

  constructor(options: HandlersOptions) {
    this.#options = options;
    this.#demo = createDemoHandler({ clock: options.clock, pauses: options.demoPauses });
  }

  /** Undefined when the handler is yet to be loaded. */
  loaded(name: HandlerName): Handler | undefined {
    switch (name) {
      case "echo":
        return echoHandler;
      case "demo":
        return this.#demo;
      case "runtime":
        return this.#runtime;
    }
  }

  async load(name: HandlerName): Promise<Handler> {
    return this.loaded(name) ?? (await this.#loadRuntime());
  }

  /** Rejects with a sentence for people when a turn under this config could not be served. */
  async ready(config: AgentConfig): Promise<void> {
    if (config.handler !== "runtime") return;
    const runtime = await this.#loadRuntime();
    await runtime.ready(config);
  }

  /** Ends what a handler keeps open. No turn runs any more. */
  async close(): Promise<void> {
    await this.#runtime?.close();
  }

  /** The tools of a new session under this config. */
  async tools(config: AgentConfig, signal: AbortSignal): Promise<ToolForClients[]> {
    if (config.handler !== "runtime") return [];
    const runtime = await this.#loadRuntime();
    return runtime.tools(config, signal);
  }

  /** Calls a tool for a person. Only agents that run a model have any. Rejects when the signal is aborted, with its reason. */
  async callTool(call: ManualCall): Promise<ManualCallResult> {
    if (call.config.handler !== "runtime") return { status: "unknown-tool", tools: [] };
    const runtime = await this.#loadRuntime();
    return runtime.callTool(call);
  }

  #loadRuntime(): Promise<RuntimeHandler> {
    this.#loading ??= this.#importRuntime().catch((error: unknown) => {
      this.#loading = undefined;
      throw error;
    });
    return this.#loading;
  }

  async #importRuntime(): Promise<RuntimeHandler> {
    const { createRuntimeHandler } = await import("../runtime/runtime-handler.ts");
    const { readSecret, log, clock, metrics, framework, toolsEndpoint } = this.#options;
    this.#runtime = createRuntimeHandler({
      readSecret,
      log,
      clock,
      metrics,
      framework,
      toolsEndpoint,
    });
    return this.#runtime;
  }
}
