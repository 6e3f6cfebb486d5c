import type { ToolConfig } from "../../agent-config/agent-config.ts";
import type { Clock } from "../../time/clock.ts";
import { contentHash } from "../../promptpack/document/content-hash.ts";
import type { ListingServer, ListReading } from "../server/read-list.ts";
import { ToolServers } from "../tool-servers.ts";
import type { ListSource } from "./tool-list-reader.ts";

/** The credential cannot be had. Its message is for a status: it names the Secret and the cure, and nothing of its content. */
export class ListCredentialError extends Error {
  override readonly name = "ListCredentialError";
}

/** What a server is sent when its list is read. It is fetched for each reading, and kept by nobody. */
export interface ListCredential {
  /** Another one when the credential is another. It tells nothing of it. */
  readonly version: string;
  /** Rejects with a ListCredentialError, or with the reason of the signal when that is aborted. */
  readonly read: (signal: AbortSignal) => Promise<string>;
}

export interface ServerToList {
  readonly tool: ToolConfig;
  readonly isReachable: boolean;
  /** `undefined`: it is sent none. */
  readonly credential: ListCredential | undefined;
}

export interface ListSourceContext {
  readonly clock: Clock;
  readonly random: () => number;
}

/** How the list of a server is read, with the registry's own credential. */
export function listSource(
  { tool, isReachable, credential }: ServerToList,
  context: ListSourceContext,
): ListSource {
  return {
    server: JSON.stringify([tool.type, tool.url, tool.mcp?.command]),
    fingerprint: contentHash([tool, credential?.version]),
    isReachable,
    read: (signal) => readList(tool, credential, { ...context, signal }),
  };
}

async function readList(
  tool: ToolConfig,
  credential: ListCredential | undefined,
  { signal, ...context }: ListSourceContext & { readonly signal: AbortSignal },
): Promise<ListReading> {
  let secret: string;
  try {
    secret = (await credential?.read(signal)) ?? "";
  } catch (error) {
    if (!(error instanceof ListCredentialError)) throw error;
    const message = `its list of tools cannot be read: ${error.message}`;
    return { state: "failed", reason: "Unreachable", message };
  }
  const servers = new ToolServers({ ...context, readSecret: () => Promise.resolve(secret) });
  // A server that does not answer would otherwise be asked on, and a command run on.
  const close = (): void => void servers.close();
  signal.addEventListener("abort", close, { once: true });
  try {
    // All of the list is read, so that a status can say what there is in place of a tool that is not there. Only a document is too much.
    const isDocument = tool.type === "openapi";
    const allow = isDocument ? tool.allow : undefined;
    const server = servers.of({ ...tool, allow, block: undefined });
    if (!("readList" in server)) throw new TypeError(`a tool of type ${tool.type} has no list`);
    const reading = await (server as ListingServer).readList(signal);
    return isDocument ? reading : withCure(reading, tool);
  } finally {
    signal.removeEventListener("abort", close);
    await servers.close();
  }
}

/** What a server says of a failed call is for a model, and here is somebody who can do something about it. */
function withCure(reading: ListReading, { mcp }: Pick<ToolConfig, "mcp">): ListReading {
  if (reading.state === "read") return reading;
  const { message } = reading;
  const cure =
    mcp?.transport === "stdio"
      ? "See that its mcp.command is right, and runs by itself"
      : cureOf(message);
  return { ...reading, message: `its list of tools cannot be read: ${message}. ${cure}` };
}

function cureOf(message: string): string {
  return /\bHTTP 40[13]\b/.test(message)
    ? "Correct its credential: authSecretRef and authType"
    : /\bHTTP \d/.test(message)
      ? "See that its URL and type are right"
      : "See that it runs, and that its URL and type are right";
}
