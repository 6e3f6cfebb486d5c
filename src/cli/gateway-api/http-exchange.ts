/** One request over HTTP and its whole answer. */
import { once } from "node:events";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export interface HttpExchange {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body?: string | undefined;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

/**
 * The request has an HTTP agent of its own, or it would go through the proxy that the environment may name, which would learn the
 * token.
 */
export async function exchange(
  url: URL,
  { method, headers, body, signal }: HttpExchange,
): Promise<HttpAnswer> {
  const send = url.protocol === "https:" ? httpsRequest : httpRequest;
  const request = send(url, { method, headers, agent: false, signal });
  request.end(body);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return await readAnswer(response);
}

export async function readAnswer(response: IncomingMessage): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error("it answered with more than 64 MiB");
    chunks.push(chunk);
  }
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() };
}
