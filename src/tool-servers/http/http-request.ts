/** Builds the request of a call: the path, the query or the body have the arguments, and the headers what the registry says. */
import type { ToolConfig } from "../../agent-config/agent-config.ts";
import { fillPath } from "../../agent-config/path-template.ts";
import type { ReadSecret } from "../../agent-config/read-secret.ts";
import type { TransportRequest } from "../server/guarded-transport.ts";
import { addCallerHeaders, type ToolCaller } from "../server/tool-caller.ts";
import { type HeadersConfig, toolHeaders } from "../server/tool-headers.ts";

export interface HttpToolRequest extends TransportRequest {
  /** What must not come back in an answer. */
  readonly secrets: readonly string[];
}

type HttpToolConfig = Pick<ToolConfig, "url" | "method" | "forward"> & HeadersConfig;

export interface RequestContext {
  readonly readSecret: ReadSecret;
  readonly caller: ToolCaller | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Every request has them, unless the registry says otherwise. */
export const USUAL_HEADERS: Readonly<Record<string, string>> = {
  accept: "application/json, text/*;q=0.9, */*;q=0.5",
  "accept-encoding": "gzip, deflate, br",
  "user-agent": "omnia-agent",
};

export async function buildRequest(
  tool: HttpToolConfig,
  toolArguments: Readonly<Record<string, unknown>>,
  { readSecret, caller, now }: RequestContext,
): Promise<HttpToolRequest | { error: string }> {
  const filled = fillPath(tool.url, toolArguments);
  if ("error" in filled) return filled;
  const url = URL.parse(filled.url);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    return { error: "the tool's url is not an http or https URL" };
  }
  const hasBody = tool.method !== "GET" && tool.method !== "DELETE";
  if (!hasBody) addToQuery(url, filled.rest);
  const usual = {
    ...USUAL_HEADERS,
    ...(hasBody && { "content-type": "application/json" }),
  };
  const made = await toolHeaders(tool, usual, readSecret);
  if ("error" in made) return made;
  const { headers, credential } = made;
  const body = hasBody ? JSON.stringify(filled.rest) : undefined;
  const told = addCallerHeaders(headers, tool, { caller, credential, body, now });
  if ("error" in told) return told;
  const secrets = [...made.secrets, ...told.secrets];
  return { url, method: tool.method, headers: Object.fromEntries(headers), body, secrets };
}

/**
 * Lists are repeated, what is no string goes as JSON, and what is null is left out. So is an argument with the name of a
 * parameter that the tool's URL has already: who declares a tool with `?customer=42` means this customer and no other.
 */
function addToQuery(url: URL, toolArguments: Readonly<Record<string, unknown>>): void {
  const fixed = new Set([...url.searchParams.keys()].flatMap(queryNamesAsRead));
  for (const [name, value] of Object.entries(toolArguments)) {
    if (queryNamesAsRead(name).some((read) => fixed.has(read))) continue;
    for (const item of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (item === null || item === undefined) continue;
      url.searchParams.append(name, typeof item === "string" ? item : JSON.stringify(item));
    }
  }
}

/**
 * The names under which some server or other reads a query parameter, as letters and digits alone: there are servers to which
 * `Customer`, `customer[]`, ` customer` and `[customer]` are further values of `customer`, and `customer id` and `customer[id` of
 * `customer_id`.
 */
function queryNamesAsRead(name: string): string[] {
  const plain = name.normalize("NFKC").toLowerCase();
  const outermost = plain.split(/[[\]]/).find((part) => part.trim() !== "") ?? "";
  return [plain, outermost].map((read) => read.replaceAll(/[^\p{L}\p{N}]/gu, "") || name);
}
