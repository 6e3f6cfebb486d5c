/** Opens a client of an MCP server, in whichever of the two eras of the protocol the server speaks. */
import type { Client, Transport } from "@modelcontextprotocol/client";
import type { ToolConfig } from "../../agent-config/agent-config.ts";
import type { ReadSecret } from "../../agent-config/read-secret.ts";
import type { Log } from "../../observability/log.ts";
import type { Clock } from "../../time/clock.ts";
import type { GuardedTransport } from "../server/guarded-transport.ts";
import { MAX_MCP_CONNECT_MS, MAX_MCP_START_MS } from "../server/limits.ts";
import { commandTransport } from "./command-transport.ts";
import { lenientResult } from "./lenient-result.ts";
import { causeOf, McpError } from "./mcp-error.ts";
import { OpenStreams } from "./open-streams.ts";
import { untilAborted } from "../../time/until-aborted.ts";
import { within } from "../../time/within.ts";
import { createMcpFetch, RESUMPTION_MS } from "./mcp-fetch.ts";

/** The part of a tool's config that says which server it is. */
export type McpServerConfig = Pick<
  ToolConfig,
  "registryName" | "url" | "headers" | "authFile" | "authType" | "authHeader" | "forward" | "mcp"
>;

export interface McpClientOptions {
  readonly server: McpServerConfig;
  readonly transport: GuardedTransport;
  readonly readSecret: ReadSecret;
  readonly clock: Pick<Clock, "now" | "monotonic" | "setTimer">;
  readonly log: Log | undefined;
  /** Told what must not come back in an answer. */
  readonly onSecrets: (secrets: readonly string[]) => void;
  /** The server says that its tools have changed. */
  readonly onToolsChanged: () => void;
  /** The connection is of no more use. Also called after `close`. */
  readonly onClosed: () => void;
  /** The names of tools that are left out of a list. */
  readonly onUnusable: (names: readonly string[]) => void;
  readonly signal: AbortSignal;
}

export interface McpClient {
  readonly client: Client;
  /** Whether the server keeps a session, which it may lose. */
  readonly hasSession: () => boolean;
  close(): Promise<void>;
}

/** How long a connection may take, in milliseconds. */
export function connectLimit({ mcp }: Pick<McpServerConfig, "mcp">): number {
  return mcp?.transport === "stdio" ? MAX_MCP_START_MS : MAX_MCP_CONNECT_MS;
}

/** The time for the question which era a server speaks. */
const PROBE_MS = 5_000;
/** The client ends a command with the end of its input, after 2 s with SIGTERM, and after 4 s with SIGKILL. */
const COMMAND_END_MS = 5_000;
const MIN_SUBSCRIPTION_MS = 5_000;
const CLIENT = { name: "omnia-agent", version: "1" };

/** Rejects with an error behind which `causeOf` finds the cause. */
export async function openMcpClient(options: McpClientOptions): Promise<McpClient> {
  const { Client } = await import("@modelcontextprotocol/client");
  /** Reads every answer before the client judges it by its schemas, and tells when it has ended. */
  class LenientClient extends Client {
    protected override _onresponse(response: Parameters<Client["_onresponse"]>[0]): void {
      if (!("result" in response)) return super._onresponse(response);
      const { result, unusable } = lenientResult(response.result);
      if (unusable.length > 0) options.onUnusable(unusable);
      return super._onresponse({ ...response, result });
    }

    protected override _onclose(): void {
      super._onclose();
      options.onClosed();
    }
  }
  const client = new LenientClient(CLIENT, {
    versionNegotiation: { mode: "auto", probe: { timeoutMs: PROBE_MS } },
    // Answers are handed on whether they fit the tool's own schema or not: the model reads them.
    jsonSchemaValidator: {
      getValidator: () => (data) => ({ valid: true, data: data as never, errorMessage: undefined }),
    },
    listChanged: {
      tools: { autoRefresh: false, debounceMs: 0, onChanged: options.onToolsChanged },
    },
  });
  const { mcp } = options.server;
  let failure: unknown;
  const onFailure = (error: unknown): void => {
    failure = error;
  };
  const transport =
    mcp?.transport === "stdio"
      ? await commandTransport(options)
      : await urlTransport(options, onFailure);
  try {
    await connect(client, transport, options);
  } catch (error) {
    throw causeOf(error) === undefined ? (failure ?? error) : error;
  }
  const openedAt = options.clock.monotonic();
  void client.autoOpenedSubscription?.closed.then((by) => {
    const lasted = options.clock.monotonic() - openedAt >= MIN_SUBSCRIPTION_MS;
    // A new client subscribes again. To a server that ends every subscription at once it would be of no use.
    if (by !== "local" && lasted) options.onClosed();
  });
  return {
    client,
    hasSession: () => mcp?.transport === "sse" || transport.sessionId !== undefined,
    close: () => client.close(),
  };
}

/** Also ends when the server breaks off, which the client would not take for an end. */
async function connect(
  client: Client,
  transport: Transport,
  { clock, signal, server }: McpClientOptions,
): Promise<void> {
  using streams = new OpenStreams(clock, signal);
  const options = { timeout: connectLimit(server), signal: streams.signal };
  const connecting = streams.run(() => client.connect(transport, options));
  try {
    await untilAborted(connecting, streams.signal);
  } catch (error) {
    const ended = Promise.allSettled([connecting, client.close(), transport.close()]);
    // A command would live on, if this program ended before it.
    if (signal.aborted && server.mcp?.transport === "stdio") {
      await within(COMMAND_END_MS, ended, clock);
    }
    throw streams.failure ?? error;
  }
}

async function urlTransport(
  options: McpClientOptions,
  onFailure: (error: unknown) => void,
): Promise<Transport> {
  const { SSEClientTransport, StreamableHTTPClientTransport } =
    await import("@modelcontextprotocol/client");
  const { server, transport, readSecret, clock, onSecrets, onClosed } = options;
  const url = URL.parse(server.url);
  if (url === null) throw new McpError("not_usable", "the tool's url is not an http or https URL");
  const hasOneStream = server.mcp?.transport === "sse";
  const fetch = createMcpFetch({
    tool: server,
    transport,
    readSecret,
    clock,
    onSecrets,
    hasOneStream,
    onFailure,
    onStreamEnd: hasOneStream ? onClosed : () => {},
  });
  // Redirects are followed, within the origin, by the transport below `fetch`.
  if (hasOneStream) return new SSEClientTransport(url, { fetch, redirectPolicy: "follow" });
  return new StreamableHTTPClientTransport(url, {
    fetch,
    redirectPolicy: "follow",
    reconnectionOptions: {
      initialReconnectionDelay: RESUMPTION_MS,
      maxReconnectionDelay: 30_000,
      reconnectionDelayGrowFactor: 2,
      maxRetries: 2,
    },
  });
}
