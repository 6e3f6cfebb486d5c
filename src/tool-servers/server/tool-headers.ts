/** The headers of a call: what every call of its type has, what the registry says, and the credential. */
import type { ToolConfig } from "../../agent-config/agent-config.ts";
import { headerValueProblem } from "../../agent-config/credential.ts";
import type { ReadSecret } from "../../agent-config/read-secret.ts";
import { traceHeaders } from "../../observability/tracing/active-span.ts";
import { CALLER_HEADERS } from "./tool-caller.ts";

export type HeadersConfig = Pick<ToolConfig, "headers" | "authFile" | "authType" | "authHeader">;

export interface ToolHeaders {
  readonly headers: Headers;
  /** What must not come back in an answer. */
  readonly secrets: readonly string[];
  /** Empty when the tool has none. */
  readonly credential: string;
}

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

/** `usual` are the headers that the registry may replace. */
export async function toolHeaders(
  tool: HeadersConfig,
  usual: Readonly<Record<string, string>>,
  readSecret: ReadSecret,
): Promise<ToolHeaders | { error: string }> {
  const headers = new Headers(usual);
  try {
    for (const [name, value] of Object.entries(tool.headers)) headers.set(name, value);
  } catch {
    return { error: "the tool has a header that HTTP does not allow" };
  }
  let secrets: readonly string[] = [];
  let credential = "";
  if (tool.authFile !== undefined) {
    try {
      credential = (await readSecret(tool.authFile)).trim();
      secrets = addCredential(headers, tool, credential);
    } catch {
      return { error: "the tool's credentials could not be read" };
    }
  }
  if (FRAMING_HEADERS.some((name) => headers.has(name))) {
    return { error: "the tool has a header that HTTP does not allow" };
  }
  for (const name of CALLER_HEADERS) headers.delete(name);
  for (const [name, value] of Object.entries(traceHeaders())) headers.set(name, value);
  return { headers, secrets, credential };
}

/** Answers what is secret of it. Throws on a credential that cannot be sent. */
export function addCredential(
  headers: Headers,
  { authType = "bearer", authHeader }: Pick<HeadersConfig, "authType" | "authHeader">,
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
