/** Builds the request of a call: the path, the query or the body have the arguments, and the headers what the registry says. */
import type { ToolConfig } from "../../agent-config/agent-config.ts";
import { headerValueProblem } from "../../agent-config/credential.ts";
import { fillPath } from "../../agent-config/path-template.ts";
import type { ReadSecret } from "../../agent-config/read-secret.ts";
import type { TransportRequest } from "../server/guarded-transport.ts";

export interface HttpToolRequest extends TransportRequest {
  /** What must not come back in an answer. */
  readonly secrets: readonly string[];
}

type HttpToolConfig = Pick<
  ToolConfig,
  "url" | "method" | "headers" | "authFile" | "authType" | "authHeader"
>;

/** They say how a message is framed, which is the transport's own. */
const FRAMING_HEADERS: readonly string[] = [
  "connection",
  "content-length",
  "expect",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

export async function buildRequest(
  tool: HttpToolConfig,
  toolArguments: Readonly<Record<string, unknown>>,
  readSecret: ReadSecret,
): Promise<HttpToolRequest | { error: string }> {
  const filled = fillPath(tool.url, toolArguments);
  if ("error" in filled) return filled;
  const url = URL.parse(filled.url);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    return { error: "the tool's url is not an http or https URL" };
  }
  const headers = new Headers({
    accept: "application/json, text/*;q=0.9, */*;q=0.5",
    "accept-encoding": "gzip, deflate, br",
    "user-agent": "omnia-agent",
  });
  const hasBody = tool.method !== "GET" && tool.method !== "DELETE";
  if (hasBody) headers.set("content-type", "application/json");
  else addToQuery(url, filled.rest);
  try {
    for (const [name, value] of Object.entries(tool.headers)) headers.set(name, value);
  } catch {
    return { error: "the tool has a header that HTTP does not allow" };
  }
  let secrets: readonly string[] = [];
  if (tool.authFile !== undefined) {
    try {
      secrets = addCredential(headers, tool, (await readSecret(tool.authFile)).trim());
    } catch {
      return { error: "the tool's credentials could not be read" };
    }
  }
  if (FRAMING_HEADERS.some((name) => headers.has(name))) {
    return { error: "the tool has a header that HTTP does not allow" };
  }
  const body = hasBody ? JSON.stringify(filled.rest) : undefined;
  return { url, method: tool.method, headers: Object.fromEntries(headers), body, secrets };
}

/** Answers what is secret of it. Throws on a credential that cannot be sent. */
function addCredential(
  headers: Headers,
  { authType = "bearer", authHeader }: HttpToolConfig,
  credential: string,
): string[] {
  switch (authType) {
    case "bearer":
      headers.set("authorization", `Bearer ${credential}`);
      return [credential];
    case "basic": {
      const colon = credential.indexOf(":");
      if (colon < 0) throw new Error("no user and password");
      headers.set("authorization", `Basic ${Buffer.from(credential).toString("base64")}`);
      return [credential, credential.slice(colon + 1)];
    }
    case "header":
      if (authHeader === undefined || headerValueProblem(credential) !== undefined) {
        throw new Error("no header can have it");
      }
      headers.set(authHeader, credential);
      return [credential];
  }
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
