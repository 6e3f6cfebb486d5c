/**
 * Answers the messages of MCP with which tools are listed and called. Nothing is kept between two of them, so that a client of
 * either era is served: one that begins with `initialize`, and one that says its version in each message (2026-07-28).
 */
import { z } from "zod";
import type { ToolOutcome } from "../../tool-servers/server/tool-outcome.ts";

/** A tool as clients are told of it. */
export interface ToolForClients {
  readonly name: string;
  readonly description?: string | undefined;
  readonly inputSchema: object;
}

export interface BoundTools {
  readonly list: () => Promise<readonly ToolForClients[]>;
  /** `input` is JSON. Rejects when nobody waits for the outcome any more. */
  readonly call: (name: string, input: string) => Promise<ToolOutcome>;
}

/** Undefined for a notification, which has no answer. */
export type McpReply = { readonly status: number; readonly body: object | undefined };

const STATELESS_VERSION = "2026-07-28";
const SESSION_VERSIONS = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] as const;
const VERSION_KEY = "io.modelcontextprotocol/protocolVersion";
const SERVER_INFO = { name: "omnia", version: "1" };
const CODES = {
  parse: -32_700,
  invalidRequest: -32_600,
  methodNotFound: -32_601,
  invalidParams: -32_602,
  internal: -32_603,
  unsupportedVersion: -32_022,
} as const;

const messageSchema = z.object({
  jsonrpc: z.literal("2.0"),
  /** Absent from a notification. */
  id: z.union([z.string(), z.number()]).optional(),
  method: z.string(),
  params: z.record(z.string(), z.unknown()).default({}),
});
const metaSchema = z.object({ [VERSION_KEY]: z.string().optional() }).catch({});
const callSchema = z.object({
  name: z.string(),
  arguments: z.record(z.string(), z.unknown()).default({}),
});
const initializeSchema = z.object({ protocolVersion: z.string().optional() });

type Message = z.output<typeof messageSchema>;

class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: number;
  readonly data: object | undefined;

  constructor(code: number, message: string, data?: object) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** Rejects as a call does. */
export async function replyTo(body: string, tools: BoundTools): Promise<McpReply> {
  const message = read(body);
  if (message === undefined) {
    const error = { code: CODES.parse, message: "the body is no JSON-RPC message" };
    return { status: 400, body: { jsonrpc: "2.0", id: null, error } };
  }
  const { id } = message;
  if (id === undefined) return { status: 202, body: undefined };
  try {
    const result = await resultOf(message, tools);
    return { status: 200, body: { jsonrpc: "2.0", id, result } };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { code, data } = error;
    const told = { code, message: error.message, ...(data && { data }) };
    // A client of the stateless era learns from the status that the version is the problem.
    const status = code === CODES.unsupportedVersion ? 400 : 200;
    return { status, body: { jsonrpc: "2.0", id, error: told } };
  }
}

function read(body: string): Message | undefined {
  try {
    return messageSchema.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}

async function resultOf(message: Message, tools: BoundTools): Promise<object> {
  const version = metaSchema.parse(message.params["_meta"])[VERSION_KEY];
  if (version === undefined) return await plainResult(message, tools);
  if (version !== STATELESS_VERSION) {
    throw new Refusal(CODES.unsupportedVersion, "this version is not spoken here", {
      supported: [STATELESS_VERSION],
      requested: version,
    });
  }
  const isCacheable = message.method !== "tools/call";
  const result =
    message.method === "server/discover"
      ? { supportedVersions: [STATELESS_VERSION], capabilities: { tools: {} } }
      : await plainResult(message, tools);
  return {
    ...result,
    resultType: "complete",
    ...(isCacheable && { ttlMs: 0, cacheScope: "private" }),
    _meta: { "io.modelcontextprotocol/serverInfo": SERVER_INFO },
  };
}

async function plainResult({ method, params }: Message, tools: BoundTools): Promise<object> {
  switch (method) {
    case "initialize": {
      const { protocolVersion: wanted } = initializeSchema.parse(params);
      const protocolVersion = SESSION_VERSIONS.find((one) => one === wanted) ?? SESSION_VERSIONS[0];
      return { protocolVersion, capabilities: { tools: {} }, serverInfo: SERVER_INFO };
    }
    case "ping":
      return {};
    case "tools/list":
      return { tools: await tools.list() };
    case "tools/call": {
      const call = callSchema.safeParse(params);
      if (!call.success) throw new Refusal(CODES.invalidParams, "the call names no tool");
      const { name, arguments: toolArguments } = call.data;
      return toolResult(await tools.call(name, JSON.stringify(toolArguments)));
    }
    default:
      throw new Refusal(CODES.methodNotFound, "there is no such method here");
  }
}

/** A failed call is a result too: the model may do better. */
function toolResult(outcome: ToolOutcome): object {
  const isError = "error" in outcome;
  const value = isError ? outcome.error : outcome.result;
  const text = typeof value === "string" ? value : JSON.stringify(value ?? null);
  return { content: [{ type: "text", text }], ...(isError && { isError }) };
}
