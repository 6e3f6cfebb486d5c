/** The `fetch` of the MCP client: over the guarded transport, with the headers of the registry, and with a limit on what comes back. */
import type { Readable } from "node:stream";
import type { ToolConfig } from "../../agent-config/agent-config.ts";
import type { ReadSecret } from "../../agent-config/read-secret.ts";
import type { Clock } from "../../time/clock.ts";
import type { GuardedTransport, TransportResponse } from "../server/guarded-transport.ts";
import { MAX_MCP_ANSWER_BYTES } from "../server/limits.ts";
import { addCallerHeaders, type CallerSignature } from "../server/tool-caller.ts";
import { type HeadersConfig, toolHeaders } from "../server/tool-headers.ts";
import { McpError, McpStatusError } from "./mcp-error.ts";
import { OpenStreams } from "./open-streams.ts";

export interface McpFetchOptions {
  readonly tool: HeadersConfig & Pick<ToolConfig, "forward">;
  readonly transport: GuardedTransport;
  readonly readSecret: ReadSecret;
  readonly clock: Pick<Clock, "now">;
  /** Told what must not come back in an answer. */
  readonly onSecrets: (secrets: readonly string[]) => void;
  /** Whether every answer comes over one stream that stays open. The streams of a call then say nothing about the call. */
  readonly hasOneStream: boolean;
  /** Told why a request failed: the client passes on what it was told itself over the stream, and nothing of its requests. */
  readonly onFailure: (error: unknown) => void;
  /** Called when a stream has ended that belongs to no call. */
  readonly onStreamEnd: () => void;
}

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/** What of an answer the client looks at. */
const USED_HEADERS = ["content-type", "mcp-session-id"];
const WITHOUT_BODY = new Set([204, 205, 304]);

export function createMcpFetch(options: McpFetchOptions): Fetch {
  const { tool, transport, readSecret, clock, hasOneStream } = options;
  /** What a client asks by itself, such as for the list of tools, it asks for nobody. */
  function tellOfCaller(headers: Headers, signature: CallerSignature): { error?: string } {
    const calledFor = OpenStreams.current()?.calledFor;
    if (calledFor === undefined) return {};
    const { caller, signatures } = calledFor;
    const told = addCallerHeaders(headers, tool, { caller, ...signature });
    if ("error" in told) return told;
    signatures.push(...told.secrets);
    return {};
  }

  return async (url, init = {}) => {
    const streams = hasOneStream ? undefined : OpenStreams.current();
    const made = await toolHeaders(tool, { "user-agent": "omnia-agent" }, readSecret);
    if ("error" in made) throw new McpError("not_usable", made.error);
    const { headers, secrets } = made;
    options.onSecrets(secrets);
    const own = new Headers(init.headers);
    own.forEach((value, name) => headers.set(name, value));
    const body = init.body as string | undefined;
    const told = tellOfCaller(headers, { credential: made.credential, body, now: clock.now() });
    if (told.error !== undefined) throw new McpError("not_usable", told.error);
    streams?.opened();
    try {
      const response = await transport.send(
        {
          url: new URL(url),
          method: init.method ?? "GET",
          headers: Object.fromEntries(headers),
          body,
        },
        init.signal ?? new AbortController().signal,
      );
      if (hasOneStream && (response.status < 200 || response.status > 299)) {
        response.body.destroy();
        throw new McpStatusError(response.status);
      }
      return await toResponse(
        response,
        isStanding(init.method, own) ? undefined : streams,
        options,
      );
    } catch (error) {
      streams?.ended();
      options.onFailure(error);
      throw error;
    }
  };
}

/** A stream that stays open for what the server has to say. While a client connects, it is as good as any other sign of life. */
function isStanding(method: string | undefined, headers: Headers): boolean {
  if (method === "POST") return headers.get("mcp-method") === "subscriptions/listen";
  return !headers.has("last-event-id");
}

async function toResponse(
  { status, headers, body }: TransportResponse,
  streams: OpenStreams | undefined,
  { onStreamEnd }: McpFetchOptions,
): Promise<Response> {
  const type = String(headers["content-type"] ?? "");
  const used = USED_HEADERS.flatMap((name): [string, string][] => {
    const value = headers[name];
    return value === undefined ? [] : [[name, String(value)]];
  });
  const isOk = status >= 200 && status < 300;
  if (isOk && /^\s*text\/event-stream\b/i.test(type)) {
    return new Response(eventStream(body, streams, onStreamEnd), { status, headers: used });
  }
  if (status < 200 || status > 599) {
    body.destroy();
    throw new McpError("no_answer");
  }
  const text = await wholeText(body);
  streams?.ended();
  return new Response(WITHOUT_BODY.has(status) ? null : text, { status, headers: used });
}

async function wholeText(body: Readable): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of body) {
    bytes += (chunk as Uint8Array).length;
    // Leaving the loop destroys the stream.
    if (bytes > MAX_MCP_ANSWER_BYTES) throw new McpError("too_large");
    text += decoder.decode(chunk as Uint8Array, { stream: true });
  }
  return text + decoder.decode();
}

/** A stream of a call is limited as a whole. One that stays open is limited from one event to the next. */
function eventStream(
  body: Readable,
  streams: OpenStreams | undefined,
  onStreamEnd: () => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array<ArrayBuffer>>;
  let bytes = 0;
  let resumesInMs: number | undefined;
  streams?.keep(body);
  const ended = (): void =>
    streams === undefined ? onStreamEnd() : streams.ended(body, resumesInMs);
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        let next: IteratorResult<Uint8Array<ArrayBuffer>>;
        try {
          next = await chunks.next();
        } catch (error) {
          controller.error(error);
          resumesInMs = undefined;
          ended();
          return;
        }
        if (next.done === true) {
          controller.close();
          ended();
          return;
        }
        const chunk = next.value;
        const eventEnd = streams === undefined ? lastEventEnd(chunk) : -1;
        bytes = eventEnd < 0 ? bytes + chunk.length : chunk.length - eventEnd;
        if (bytes > MAX_MCP_ANSWER_BYTES) {
          const failure = new McpError("too_large");
          body.destroy();
          streams?.fail(failure);
          controller.error(failure);
          ended();
          return;
        }
        resumesInMs = resumption(chunk) ?? resumesInMs;
        controller.enqueue(chunk);
      },
      cancel: () => {
        body.destroy();
        ended();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Where the last whole event of the chunk ends. -1: none does. */
function lastEventEnd(chunk: Uint8Array): number {
  const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
  return Math.max(buffer.lastIndexOf("\n\n"), buffer.lastIndexOf("\r\n\r\n"));
}

/** The time after which the client takes a stream up again whose events have ids, where the server names none. */
export const RESUMPTION_MS = 500;
const MAX_RESUMPTION_CHUNK_BYTES = 4_096;

/** Servers may end a stream whose events have ids, and send the answer when the client takes the stream up again. */
function resumption(chunk: Uint8Array): number | undefined {
  if (chunk.length > MAX_RESUMPTION_CHUNK_BYTES) return undefined;
  const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString("latin1");
  const retry = /^retry: ?(\d{1,6})\r?$/m.exec(text)?.[1];
  if (retry !== undefined) return Number(retry) + RESUMPTION_MS;
  return /^id:/m.test(text) ? 2 * RESUMPTION_MS : undefined;
}
