import type { ToolConfig } from "../agent-config/agent-config.ts";
import type { Log } from "../observability/log.ts";
import type { Clock } from "../time/clock.ts";
import { contentHash } from "../promptpack/document/content-hash.ts";
import { MAX_TOOL_SERVERS } from "./server/limits.ts";
import type { ReadSecret } from "../agent-config/read-secret.ts";
import { HttpToolServer, type HttpToolContext } from "./http/http-tool-server.ts";
import { OpenApiToolServer } from "./openapi/openapi-tool-server.ts";
import { McpServer, McpToolServer } from "./mcp/mcp-tool-server.ts";
import type { GrpcBackend } from "./grpc/grpc-backend.ts";
import { createGrpcBackend, GrpcToolServer } from "./grpc/grpc-tool-server.ts";
import { createToolGate, type ToolGate } from "./server/gated-calls.ts";
import { createTransport, type GuardedTransport } from "./server/guarded-transport.ts";
import type { ToolServer } from "./server/tool-server.ts";

export interface ToolServersOptions {
  readonly readSecret: ReadSecret;
  readonly clock: Clock;
  /** At least 0 and below 1; spreads retries. */
  readonly random: () => number;
  readonly log?: Log | undefined;
}

/** The servers of the tools in the config. Sessions share them, and what is known of a server outlives a change of the config. */
export class ToolServers {
  readonly #options: ToolServersOptions;
  /** A tool lives as long as the agent config that it is a part of. */
  readonly #servers = new WeakMap<ToolConfig, ToolServer>();
  readonly #gates = new Map<string, ToolGate>();
  readonly #backends = new Map<string, GrpcBackend | undefined>();
  readonly #transports = new Map<string, GuardedTransport>();
  readonly #mcpServers = new Map<string, McpServer>();

  constructor(options: ToolServersOptions) {
    this.#options = options;
  }

  of(tool: ToolConfig): ToolServer {
    const known = this.#servers.get(tool);
    if (known !== undefined) return known;
    const server = this.#create(tool);
    this.#servers.set(tool, server);
    return server;
  }

  /**
   * Takes note of the tools of a new config. Lists are asked for now, so that no turn waits for them. What is open to servers that no
   * tool names any more is given up; calls that are under way come to their end.
   */
  take(tools: readonly ToolConfig[]): void {
    const backends = new Set(tools.map((tool) => JSON.stringify(grpcBackendParts(tool))));
    for (const [key, backend] of this.#backends) {
      if (backends.has(key)) continue;
      this.#backends.delete(key);
      backend?.close();
    }
    const wanted = new Set(tools.map((tool) => JSON.stringify(mcpServerParts(tool))));
    for (const [key, server] of this.#mcpServers) {
      if (wanted.has(key)) continue;
      this.#mcpServers.delete(key);
      server.connection.retire();
    }
    for (const tool of tools) if (tool.type === "mcp") this.#mcpServerOf(tool).warmUp();
  }

  /** Ends the connections that servers keep open. */
  async close(): Promise<void> {
    for (const backend of this.#backends.values()) backend?.close();
    this.#backends.clear();
    const servers = [...this.#mcpServers.values()];
    this.#mcpServers.clear();
    await Promise.all(servers.map((server) => server.close()));
  }

  #create(tool: ToolConfig): ToolServer {
    switch (tool.type) {
      case "http":
        return new HttpToolServer(tool, this.#contextOf(tool));
      case "openapi":
        return new OpenApiToolServer(tool, this.#contextOf(tool));
      case "mcp":
        return new McpToolServer(tool, {
          ...this.#options,
          gate: this.#gateOf(tool),
          server: this.#mcpServerOf(tool),
        });
      case "grpc":
        return new GrpcToolServer(tool, {
          ...this.#options,
          gate: this.#gateOf(tool),
          backend: this.#backendOf(tool),
        });
    }
  }

  #contextOf(tool: ToolConfig): HttpToolContext {
    return { ...this.#options, gate: this.#gateOf(tool), transport: this.#transportOf(tool) };
  }

  #gateOf(tool: ToolConfig): ToolGate {
    const { registryName, url, maxParallel } = tool;
    return oneOf(this.#gates, [registryName, url, maxParallel], () =>
      createToolGate(tool, this.#options.clock),
    );
  }

  /** One for all prompts that offer tools of the server. */
  #mcpServerOf(tool: ToolConfig): McpServer {
    return oneOf(this.#mcpServers, mcpServerParts(tool), () => {
      const { log } = this.#options;
      const transport = this.#transportOf(tool);
      return new McpServer({ ...this.#options, log, server: tool, transport });
    });
  }

  /** Prompts that offer the tools of one gRPC server share what is known of it. */
  #backendOf(tool: ToolConfig): GrpcBackend | undefined {
    return oneOf(this.#backends, grpcBackendParts(tool), () =>
      createGrpcBackend(tool, this.#options),
    );
  }

  /** Tools with the same rule share connections, and no tool gets one that its own rule would not allow. */
  #transportOf({ allowedAddresses = [] }: ToolConfig): GuardedTransport {
    return oneOf(this.#transports, allowedAddresses, () =>
      createTransport(allowedAddresses, this.#options.clock),
    );
  }
}

/** What a gRPC server is known by: how it is reached, and how its types are known. A set of descriptors is long. */
function grpcBackendParts(tool: ToolConfig): readonly unknown[] {
  const { type, registryName, url, allowedAddresses, grpc } = tool;
  const { headers, authFile, authType, authHeader } = tool;
  if (type !== "grpc") return [];
  const types = grpc && contentHash(grpc);
  return [registryName, url, allowedAddresses, types, headers, authFile, authType, authHeader];
}

/** What makes a server another one. */
function mcpServerParts(tool: ToolConfig): readonly unknown[] {
  const { type, registryName, url, headers, authFile, authType, authHeader } = tool;
  if (type !== "mcp") return [];
  const { forward, mcp, allowedAddresses } = tool;
  const sent = { headers, authFile, authType, authHeader, forward };
  return [registryName, url, sent, mcp, allowedAddresses];
}

/** Beyond MAX_TOOL_SERVERS the oldest is forgotten. Calls that are under way keep it. */
function oneOf<Value>(
  known: Map<string, Value>,
  parts: readonly unknown[],
  make: () => Value,
): Value {
  const key = JSON.stringify(parts);
  const value = known.get(key) ?? make();
  known.set(key, value);
  const [oldest] = known.keys();
  if (known.size > MAX_TOOL_SERVERS && oldest !== undefined) known.delete(oldest);
  return value;
}
