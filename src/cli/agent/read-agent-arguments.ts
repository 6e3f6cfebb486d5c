/**
 * `omnia agent` as the operator and local mode start it, many times over: read here without the command-line library, which
 * costs each process 12 MB. What is not plainly right goes to the library, for its help and its messages.
 */
import { parseArgs } from "node:util";
import { parsePort } from "../terminal/port.ts";

export interface AgentOptions {
  config?: string | undefined;
  host?: string | undefined;
  port?: number | undefined;
  managementPort?: number | undefined;
}

/** `undefined`: help was asked for, or something is wrong. */
export function readAgentArguments(args: readonly string[]): AgentOptions | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        config: { type: "string" },
        host: { type: "string" },
        port: { type: "string" },
        "management-port": { type: "string" },
      },
      strict: true,
      allowPositionals: false,
    });
    return {
      config: values.config,
      host: values.host,
      port: portOf(values.port),
      managementPort: portOf(values["management-port"]),
    };
  } catch {
    return undefined;
  }
}

function portOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parsePort(text);
}
