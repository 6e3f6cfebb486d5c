/** A runtime that speaks AG-UI as a test says, over real sockets. */
import { once } from "node:events";
import { json } from "node:stream/consumers";
import type { ServerResponse } from "node:http";
import type { WireBody } from "../agent/model-server.ts";
import { startHttpServer, type HttpServer } from "../processes/http-server.ts";

export interface Run {
  /** The RunAgentInput as it came. */
  readonly input: WireBody;
  /** How many requests came before this one. */
  readonly number: number;
  readonly response: ServerResponse;
  /** Settles when the agent has closed the request, or has got all of it. */
  readonly closed: Promise<void>;
  /** Sends events as they are. */
  send(...events: object[]): void;
  /** Sends a whole answer: its text in pieces. */
  say(...pieces: string[]): void;
  /** Sends a whole call of a tool. */
  call(id: string, name: string, toolArguments: object): void;
  /** Ends the run well. */
  finish(more?: object): void;
}

export interface AgUiServer extends AsyncDisposable {
  readonly url: string;
  readonly inputs: readonly WireBody[];
  close(): Promise<void>;
}

export async function startAgUiServer(
  answer: (run: Run) => void | Promise<void>,
): Promise<AgUiServer> {
  const inputs: WireBody[] = [];
  const server: HttpServer = await startHttpServer(async (request, response) => {
    const closed = once(response, "close").then(() => {});
    if (request.method !== "POST") {
      response.writeHead(404).end();
      return;
    }
    const input: WireBody = await json(request);
    inputs.push(input);
    const { threadId, runId } = input;
    response.setHeader("content-type", "text/event-stream");
    const send = (...events: object[]): void => {
      for (const event of events) response.write(`data: ${JSON.stringify(event)}\n\n`);
    };
    const messageId = `message-${inputs.length}`;
    send({ type: "RUN_STARTED", threadId, runId });
    await answer({
      input,
      number: inputs.length - 1,
      response,
      closed,
      send,
      say(...pieces) {
        send({ type: "TEXT_MESSAGE_START", messageId, role: "assistant" });
        for (const delta of pieces) send({ type: "TEXT_MESSAGE_CONTENT", messageId, delta });
        send({ type: "TEXT_MESSAGE_END", messageId });
      },
      call(toolCallId, toolCallName, toolArguments) {
        send(
          { type: "TOOL_CALL_START", toolCallId, toolCallName },
          { type: "TOOL_CALL_ARGS", toolCallId, delta: JSON.stringify(toolArguments) },
          { type: "TOOL_CALL_END", toolCallId },
        );
      },
      finish(more = {}) {
        send({ type: "RUN_FINISHED", threadId, runId, ...more });
        response.end();
      },
    });
  });
  const close = (): Promise<void> => server.close();
  return { url: server.url, inputs, close, [Symbol.asyncDispose]: close };
}
