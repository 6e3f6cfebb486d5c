/**
 * A model provider for tests: aimock, a third party's server of the providers' protocols, behind a recorder that keeps
 * each request as it came over the wire.
 */
import { createServer, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { json } from "node:stream/consumers";
import type { AddressInfo } from "node:net";
import { LLMock } from "@copilotkit/aimock";

/** A request's body as it came: each provider has its own shape, and tests look into it. */
// oxlint-disable-next-line typescript/no-explicit-any
export type WireBody = any;

export interface ModelRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: WireBody;
  /** How the exchange ended: whole, or because the client closed the connection before. */
  readonly ended: Promise<"answered" | "hung-up">;
}

export interface ModelServer extends AsyncDisposable {
  /** Without a path; serves `/v1/chat/completions`, `/v1/responses`, `/v1/messages` and `/v1beta/models/…`. */
  readonly url: string;
  /** Takes the answers: `mock.onMessage("hello", { content: "Hi" })`. */
  readonly mock: LLMock;
  /** In the order in which they came. */
  readonly requests: readonly ModelRequest[];
  close(): Promise<void>;
}

export async function startModelServer(): Promise<ModelServer> {
  const mock = new LLMock({ port: 0, logLevel: "silent", chunkSize: 8 });
  await mock.start();
  const requests: ModelRequest[] = [];

  const recorder = createServer((request, response) => {
    const ended = new Promise<"answered" | "hung-up">((resolve) => {
      response.once("close", () => resolve(response.writableFinished ? "answered" : "hung-up"));
    });
    const path = request.url ?? "";
    void json(request).then(
      (body) => {
        requests.push({ path, headers: request.headers, body, ended });
        const payload = JSON.stringify(body);
        const {
          "content-length": _length,
          "transfer-encoding": _encoding,
          ...headers
        } = request.headers;
        const upstream = httpRequest(
          new URL(path, mock.url),
          {
            method: request.method,
            headers: { ...headers, "content-length": Buffer.byteLength(payload) },
          },
          (answer) => {
            response.writeHead(answer.statusCode ?? 500, answer.headers);
            answer.on("data", (chunk) => response.write(chunk));
            answer.on("end", () => response.end());
            // A stream that aimock cuts is cut for the client too.
            answer.on("error", () => response.socket?.destroySoon());
          },
        );
        upstream.on("error", () => response.destroy());
        response.once("close", () => upstream.destroy());
        upstream.end(payload);
      },
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => recorder.listen(0, "127.0.0.1", resolve));

  async function close(): Promise<void> {
    recorder.closeAllConnections();
    await new Promise((resolve) => recorder.close(resolve));
    await mock.stop();
  }
  return {
    url: `http://127.0.0.1:${(recorder.address() as AddressInfo).port}`,
    mock,
    requests,
    close,
    [Symbol.asyncDispose]: close,
  };
}
