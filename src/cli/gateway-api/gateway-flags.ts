import { Option } from "commander";
import type { OutputFormat } from "../terminal/streams.ts";

/** Which gateway a command asks. */
export interface GatewayFlags {
  readonly url?: string | undefined;
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
  /** Of the state of an `omnia up`. */
  readonly stateFolder?: string | undefined;
  readonly local?: boolean | undefined;
  /** A context of the kubeconfig. */
  readonly context?: string | undefined;
}

/** The flags of the commands about sessions. */
export interface SessionFlags extends GatewayFlags {
  readonly namespace?: string | undefined;
  readonly output: OutputFormat;
}

export function gatewayURLOption(): Option {
  return new Option(
    "--url <url>",
    "ask the gateway at this address, such as https://agents.example.com",
  ).conflicts(["local", "stateFolder", "context"]);
}
