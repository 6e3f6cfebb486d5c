/** Runs a command as an MCP server. */
import type { Transport } from "@modelcontextprotocol/client";
import type { ToolConfig } from "../../agent-config/agent-config.ts";
import type { Log } from "../../observability/log.ts";
import { SecretValues } from "../../observability/secrets/secret-values.ts";
import { CommandOutput } from "./command-output.ts";
import { logLines } from "./log-lines.ts";

export interface CommandTransportOptions {
  readonly server: Pick<ToolConfig, "registryName" | "mcp">;
  readonly log: Log | undefined;
}

/** Its environment is a small one: what finds programs and the home folder, and what the registry gives. */
export async function commandTransport({
  server,
  log,
}: CommandTransportOptions): Promise<Transport> {
  const { deserializeMessage } = await import("@modelcontextprotocol/client");
  const { StdioClientTransport } = await import("@modelcontextprotocol/client/stdio");
  /** The client makes another one of it to ask for the era, which is as good only if it is made and disposed of in the same way. */
  class CommandTransport extends StdioClientTransport {
    static {
      const dispose: unknown = Reflect.get(StdioClientTransport.prototype, "_dispose");
      Object.defineProperty(this.prototype, "_dispose", { value: dispose });
    }

    constructor(parameters: ConstructorParameters<typeof StdioClientTransport>[0]) {
      super(parameters);
      Reflect.set(this, "_readBuffer", new CommandOutput(deserializeMessage));
    }
  }
  const { command: [command = "", ...args] = [], env = {} } = server.mcp ?? {};
  const transport = new CommandTransport({ command, args, env, stderr: "pipe" });
  const secrets = new SecretValues(Object.values(env));
  if (transport.stderr !== null) {
    logLines(transport.stderr, (line) =>
      log?.info({ tool: server.registryName, line: secrets.hide(line) }, "An MCP server says"),
    );
  }
  return transport;
}
