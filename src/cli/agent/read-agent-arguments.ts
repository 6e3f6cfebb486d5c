/**
 * `omnia agent` as the operator and local mode start it, many times over: read here without the command-line library, which
 * costs each process 12 MB. What is not plainly right goes to the library, for its help and its messages.
 */
import { parseArgs } from "node:util";
import { parsePort } from "../terminal/port.ts";

export interface AgentOptions {
  config?: string;
  host?: string;
  port?: number;
  managementPort?: number;
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
      ...(values.config === undefined ? {} : { config: values.config }),
      ...(values.host === undefined ? {} : { host: values.host }),
      ...(values.port === undefined ? {} : { port: parsePort(values.port) }),
      ...(values["management-port"] === undefined
        ? {}
        : { managementPort: parsePort(values["management-port"]) }),
    };
  } catch {
    return undefined;
  }
}
