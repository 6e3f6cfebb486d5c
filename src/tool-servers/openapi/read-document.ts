/** Fetches an OpenAPI document by the guarded way of tools, within limits, and reads it as JSON or YAML. */
import type { Readable } from "node:stream";
import { MIN_SECRET_CHARACTERS } from "../../observability/secrets/secret-values.ts";
import type { Clock } from "../../time/clock.ts";
import { Deadline } from "../../time/deadline.ts";
import type { GuardedTransport } from "../server/guarded-transport.ts";
import {
  MAX_OPENAPI_BYTES,
  MAX_OPENAPI_MARKS,
  MAX_OPENAPI_YAML_BYTES,
  OPENAPI_READ_TIMEOUT_MS,
} from "../server/limits.ts";
import type { ListReading } from "../server/read-list.ts";
import { addCredential, type HeadersConfig } from "../server/tool-headers.ts";
import { TransportError } from "../server/transport-error.ts";

export interface DocumentRequest extends Omit<HeadersConfig, "authFile"> {
  readonly url: string;
  readonly credential?: string | undefined;
}

type FailedReading = Extract<ListReading, { state: "failed" }>;

/** A document that could not be read. The message names neither an address nor what the server said. */
export class DocumentError extends Error {
  override readonly name = "DocumentError";
  readonly reason: FailedReading["reason"];

  constructor(reason: DocumentError["reason"], message: string, cause?: unknown) {
    super(message, { cause });
    this.reason = reason;
  }

  get reading(): FailedReading {
    return { state: "failed", reason: this.reason, message: this.message };
  }
}

const MEBIBYTE = 1024 * 1024;
const COMMA = 0x2c;
const BRACKET = 0x5b;
const BRACE = 0x7b;

/** Rejects with a DocumentError, or when the signal is aborted. */
export async function fetchDocument(
  request: DocumentRequest,
  {
    transport,
    clock,
    signal,
  }: { transport: GuardedTransport; clock: Pick<Clock, "setTimer">; signal: AbortSignal },
): Promise<string> {
  const url = URL.parse(request.url);
  if (url === null) throw new DocumentError("InvalidTool", "its url is no URL; correct it");
  const { headers, secrets } = headersOf(request);
  using deadline = new Deadline({ ms: OPENAPI_READ_TIMEOUT_MS, clock, signal });
  try {
    const response = await transport.send(
      { url, method: "GET", headers, body: undefined },
      deadline.signal,
    );
    const { status, body } = response;
    if (status !== 200) {
      body.destroy();
      throw new DocumentError("Unreachable", statusMessage(status));
    }
    const text = await readWhole(body);
    if (secrets.some((secret) => secret.length >= MIN_SECRET_CHARACTERS && text.includes(secret))) {
      const message = "its document has the credential in it that it was asked with; take it out";
      throw new DocumentError("InvalidTool", message);
    }
    return text;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof DocumentError) throw error;
    const why = deadline.isOver
      ? `it took longer than ${OPENAPI_READ_TIMEOUT_MS / 1000} seconds`
      : error instanceof TransportError
        ? error.message
        : "the server broke off in the middle of it";
    throw new DocumentError("Unreachable", `its document could not be read: ${why}`, error);
  }
}

function headersOf(request: DocumentRequest): {
  headers: Record<string, string>;
  secrets: readonly string[];
} {
  const { credential } = request;
  try {
    const headers = new Headers({
      accept: "application/json, application/yaml;q=0.9, text/*;q=0.8, */*;q=0.5",
      "accept-encoding": "gzip, deflate, br",
      "user-agent": "omnia",
      ...request.headers,
    });
    const secrets =
      credential === undefined ? [] : addCredential(headers, request, credential.trim());
    return { headers: Object.fromEntries(headers), secrets };
  } catch (error) {
    const message =
      "its document could not be asked for with the headers and the credential of its entry; correct them";
    throw new DocumentError("InvalidTool", message, error);
  }
}

function statusMessage(status: number): string {
  const cure =
    status === 401 || status === 403
      ? "see that the credential of its entry is right"
      : "see that its URL leads to an OpenAPI document";
  return `its document could not be read: the server answered HTTP ${status}; ${cure}`;
}

async function readWhole(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop early destroys the stream.
  for await (const chunk of body) {
    size += (chunk as Buffer).length;
    if (size > MAX_OPENAPI_BYTES) {
      const limit = `${MAX_OPENAPI_BYTES / MEBIBYTE} MiB`;
      throw new DocumentError("InvalidTool", `its document is larger than ${limit}`);
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks)
    .toString("utf8")
    .replace(/^\uFEFF/, "");
}

/** Rejects with a DocumentError. */
export async function parseDocument(text: string): Promise<unknown> {
  const begin = text.trimStart()[0];
  if (begin === "{") {
    if (marksOf(text) > MAX_OPENAPI_MARKS) {
      throw new DocumentError(
        "InvalidTool",
        "its document has too many values; give a smaller one",
      );
    }
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new DocumentError("InvalidTool", "its document is no whole JSON", error);
    }
  }
  if (begin === undefined || begin === "<") {
    throw new DocumentError("InvalidTool", "its document is neither JSON nor YAML");
  }
  if (text.length > MAX_OPENAPI_YAML_BYTES) {
    const limit = `${MAX_OPENAPI_YAML_BYTES / MEBIBYTE} MiB`;
    throw new DocumentError(
      "InvalidTool",
      `its document is YAML of more than ${limit}; give it as JSON`,
    );
  }
  const { parse } = await import("yaml");
  try {
    return parse(text, {
      schema: "core",
      merge: true,
      stringKeys: true,
      // The parser would compare every key with every other.
      uniqueKeys: false,
      prettyErrors: false,
      logLevel: "error",
    });
  } catch (error) {
    throw new DocumentError("InvalidTool", "its document is neither JSON nor YAML", error);
  }
}

/** Parsing JSON cannot be broken off when it takes too much memory, not even in a thread. So its values are counted before, about. */
function marksOf(text: string): number {
  let marks = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === COMMA || code === BRACKET || code === BRACE) marks += 1;
  }
  return marks;
}
