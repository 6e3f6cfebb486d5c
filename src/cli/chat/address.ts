/** Where a chat connects to. */
import { CliError, EXIT_CODES } from "../terminal/cli-error.ts";

export const DEFAULT_CHAT_URL = "ws://localhost:8080";

const SCHEMES: Readonly<Record<string, string>> = {
  "ws:": "ws:",
  "wss:": "wss:",
  "http:": "ws:",
  "https:": "wss:",
};

export interface ChatTarget {
  /** Left out of the address when it is not given, because an agent's own port needs none. */
  readonly agent?: string | undefined;
  /** Left out of the address when it is not given: an agent's own port needs none, and a gateway has a default. */
  readonly namespace?: string | undefined;
}

/** The WebSocket address of the agent. The query of `url` is kept. */
export function chatAddress(
  url: string,
  { agent, namespace }: ChatTarget,
  argument = "--url",
): URL {
  const address = URL.parse(url);
  const scheme = address === null ? undefined : SCHEMES[address.protocol];
  if (address === null || scheme === undefined || address.hostname === "") {
    throw new CliError(`${argument}: ${JSON.stringify(url)} is no WebSocket address.`, {
      cure: "Give one like ws://localhost:8080 or wss://agents.example.com.",
      exitCode: EXIT_CODES.usage,
    });
  }
  address.protocol = scheme;
  address.hash = "";
  if (agent !== undefined && !address.searchParams.has("agent"))
    address.searchParams.set("agent", agent);
  if (namespace !== undefined && !address.searchParams.has("namespace")) {
    address.searchParams.set("namespace", namespace);
  }
  return address;
}

/** The address as it may be shown: without user and password. */
export function shownAddress(address: URL): string {
  const shown = new URL(address);
  shown.username = "";
  shown.password = "";
  return shown.href;
}
