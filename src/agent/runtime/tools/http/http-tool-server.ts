/** Calls a tool at a URL. The arguments are sent as JSON in the body, or in the query when the method has no body. */
import { isTooDeep } from "../../../../promptpack/document/json-depth.ts";
import type { ToolConfig } from "../../../../agent-config/agent-config.ts";
import { exponentialBackoff, jittered } from "../../../../time/backoff.ts";
import type { Clock } from "../../../../time/clock.ts";
import { Deadline } from "../../../../time/deadline.ts";
import {
  MAX_TOOL_ERROR_BYTES,
  MAX_TOOL_OUTPUT_BYTES,
  MAX_TOOL_REDIRECTS,
  MAX_TOOL_RETRY_WAIT_MS,
} from "../../../contracts/limits.ts";
import type { ReadSecret } from "../../providers/provider-key.ts";
import { wellFormedJSON } from "../../providers/stream/well-formed-json.ts";
import type { ToolOutcome } from "../server/tool-outcome.ts";
import { SecretFilter } from "../../../../observability/secrets/secret-filter.ts";
import { SecretValues } from "../../../../observability/secrets/secret-values.ts";

const BACKOFF = exponentialBackoff({ firstMs: 200, lastMs: MAX_TOOL_RETRY_WAIT_MS });
/** A tool that answers with one of these may take the call later. */
const RETRIED_STATUSES = new Set([502, 503, 504]);

export interface HttpToolContext {
  readSecret: ReadSecret;
  clock: Pick<Clock, "setTimer" | "sleep">;
  random: () => number;
  signal: AbortSignal;
}

interface Attempt {
  outcome: ToolOutcome;
  retryable: boolean;
}

/** Rejects only when the signal is aborted, with its reason. */
export async function callHttpTool(
  tool: ToolConfig,
  toolArguments: Readonly<Record<string, unknown>>,
  context: HttpToolContext,
): Promise<ToolOutcome> {
  const request = await buildRequest(tool, toolArguments, context.readSecret);
  if ("error" in request) return request;
  const backoff = jittered(BACKOFF, context.random);
  for (let attempt = 1; ; attempt += 1) {
    const { outcome, retryable } = await tryOnce(tool, request, context);
    context.signal.throwIfAborted();
    if (!retryable || attempt > tool.retries) return outcome;
    await context.clock.sleep(backoff(attempt), context.signal);
  }
}

interface HttpRequest {
  url: URL;
  method: string;
  headers: Headers;
  body: string | undefined;
  /** The content of the tool's Secret. */
  credential: string | undefined;
}

async function buildRequest(
  tool: ToolConfig,
  toolArguments: Readonly<Record<string, unknown>>,
  readSecret: ReadSecret,
): Promise<HttpRequest | { error: string }> {
  const url = URL.parse(tool.url);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    return { error: "the tool's url is not an http or https URL" };
  }
  const headers = new Headers({
    accept: "application/json, text/*;q=0.9, */*;q=0.5",
    "user-agent": "omnia-agent",
  });
  const hasBody = tool.method !== "GET" && tool.method !== "DELETE";
  if (hasBody) headers.set("content-type", "application/json");
  else addToQuery(url, toolArguments);
  try {
    for (const [name, value] of Object.entries(tool.headers)) headers.set(name, value);
  } catch {
    return { error: "the tool has a header that HTTP does not allow" };
  }
  let credential: string | undefined;
  if (tool.authFile !== undefined) {
    try {
      credential = (await readSecret(tool.authFile)).trim();
      headers.set("authorization", `Bearer ${credential}`);
    } catch {
      return { error: "the tool's credentials could not be read" };
    }
  }
  const body = hasBody ? JSON.stringify(toolArguments) : undefined;
  return { url, method: tool.method, headers, body, credential };
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

async function tryOnce(
  tool: ToolConfig,
  request: HttpRequest,
  context: HttpToolContext,
): Promise<Attempt> {
  const { clock, signal } = context;
  using deadline = new Deadline({ ms: tool.timeoutMs, clock, signal });
  let response: Response | undefined;
  try {
    const sent = await send(request, deadline.signal);
    if ("error" in sent) return { outcome: sent, retryable: false };
    response = sent;
    return {
      outcome: await readOutcome(response, request.credential),
      retryable: RETRIED_STATUSES.has(response.status),
    };
  } catch (error) {
    // The tool may have carried out a call that ran out of time, so the call is not made again.
    if (deadline.isOver) {
      return {
        outcome: { error: `the tool did not answer within ${tool.timeoutMs / 1000} seconds` },
        retryable: false,
      };
    }
    if (response !== undefined) {
      return {
        outcome: { error: "the tool broke off in the middle of its answer" },
        retryable: false,
      };
    }
    return {
      outcome: { error: `the tool could not be reached: ${connectionProblem(error)}` },
      retryable: true,
    };
  }
}

/** Follows redirects only within the tool's own origin: another one must not see the credential and the arguments. */
async function send(
  request: HttpRequest,
  signal: AbortSignal,
): Promise<Response | { error: string }> {
  let { url, method, body } = request;
  for (let redirects = 0; redirects <= MAX_TOOL_REDIRECTS; redirects += 1) {
    const response = await fetch(url, {
      method,
      headers: request.headers,
      body: body ?? null,
      redirect: "manual",
      signal,
    });
    const location = REDIRECTS.has(response.status) ? response.headers.get("location") : null;
    if (location === null) return response;
    await response.body?.cancel();
    const target = URL.parse(location, url);
    if (target?.origin !== url.origin) {
      return { error: "the tool redirects to another address, which is not followed" };
    }
    url = target;
    if (response.status === 303 || (method === "POST" && response.status < 303)) {
      method = "GET";
      body = undefined;
    }
  }
  return { error: "the tool redirects again and again" };
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

async function readOutcome(
  response: Response,
  credential: string | undefined,
): Promise<ToolOutcome> {
  const limit = response.ok ? MAX_TOOL_OUTPUT_BYTES : MAX_TOOL_ERROR_BYTES;
  // Some servers echo their request, and what a tool answers goes to the model and to the client.
  const filter = new SecretFilter(new SecretValues(credential === undefined ? [] : [credential]));
  const { text, truncated } = await readText(response, limit, filter);
  const content = truncated ? `${text}\n[cut off after ${limit} bytes]` : text;
  if (!response.ok) {
    const said = content.trim() === "" ? "" : `: ${content.trim()}`;
    return { error: `the tool answered HTTP ${response.status}${said}` };
  }
  if (truncated) return { result: content };
  if (text === "") return { result: null };
  const type = response.headers.get("content-type");
  return { result: type === null || /\bjson\b/i.test(type) ? parsedOrText(text) : text };
}

/** What is nested too deep stays text, since the provider's package and the stores walk through a result by recursion. */
function parsedOrText(text: string): unknown {
  try {
    const value = JSON.parse(wellFormedJSON(text)) as unknown;
    return isTooDeep(value) ? text : value;
  } catch {
    return text;
  }
}

async function readText(
  response: Response,
  limit: number,
  filter: SecretFilter,
): Promise<{ text: string; truncated: boolean }> {
  const decoder = new TextDecoder();
  let text = "";
  let bytesLeft = limit;
  if (response.body === null) return { text, truncated: false };
  for await (const chunk of response.body) {
    const taken = (chunk as Uint8Array).subarray(0, bytesLeft);
    text += filter.add(decoder.decode(taken, { stream: true }));
    // This cancels the rest of the stream. Half a character at the cut is left out.
    if (taken.length < (chunk as Uint8Array).length) {
      filter.cut();
      return { text, truncated: true };
    }
    bytesLeft -= taken.length;
  }
  return { text: text + filter.add(decoder.decode()) + filter.end(), truncated: false };
}

const CONNECTION_PROBLEMS: Record<string, string | undefined> = {
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was broken off",
  UND_ERR_SOCKET: "the connection was broken off",
  ENOTFOUND: "its host name is not known",
  EAI_AGAIN: "its host name could not be looked up",
  ETIMEDOUT: "connecting took too long",
  UND_ERR_CONNECT_TIMEOUT: "connecting took too long",
};

/** The words of the network contain addresses, so other words stand in for them. */
function connectionProblem(error: unknown): string {
  const { cause } = error as { cause?: { code?: string; errors?: { code?: string }[] } };
  const code = cause?.code ?? cause?.errors?.[0]?.code ?? "";
  return CONNECTION_PROBLEMS[code] ?? "the connection failed";
}
