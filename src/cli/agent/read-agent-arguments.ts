/**
 * Reads the arguments of `omnia agent`, which the operator and local mode start many times over. The command-line library would
 * cost each of these processes 12 MB, so it is loaded only for its help and its messages, when something is not plainly right.
 */
import { parseArgs } from "node:util";
import { parsePort } from "../terminal/port.ts";

export interface AgentOptions {
  config?: string | undefined;
  host?: string | undefined;
  port?: number | undefined;
  managementPort?: number | undefined;
}

/** Returns `undefined` when help is asked for or something is wrong. */
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
