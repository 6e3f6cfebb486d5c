/** A runtime that speaks AG-UI over a real socket, and does in each run what a test says. */
import type { ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { startHttpServer, type HttpServer } from "../processes/http-server.ts";

export interface RunInput {
  readonly messages: readonly { role: string; content?: string; toolCallId?: string }[];
  readonly forwardedProps: { readonly omnia: { readonly toolsMcpUrl?: string } };
}

export type Script = (input: RunInput) => AsyncIterable<object>;

export interface ScriptedRuntime extends HttpServer {
  readonly inputs: RunInput[];
}

/** The script yields what comes between RUN_STARTED and RUN_FINISHED. */
export async function startScriptedRuntime(script: Script): Promise<ScriptedRuntime> {
  const inputs: RunInput[] = [];
  const server = await startHttpServer(async (request, response) => {
    const input = JSON.parse(await text(request)) as RunInput;
    inputs.push(input);
    response.writeHead(200, { "content-type": "text/event-stream" });
    const ids = { threadId: "thread", runId: "run" };
    send(response, { type: "RUN_STARTED", ...ids });
    try {
      for await (const event of script(input)) send(response, event);
      send(response, { type: "RUN_FINISHED", ...ids });
    } catch (error) {
      // The turn fails with it, and the test shows what it was.
      process.stderr.write(`the script failed: ${String(error)}\n`);
      send(response, { type: "RUN_ERROR", message: "the script failed" });
    }
    response.end();
  });
  return { ...server, inputs, [Symbol.asyncDispose]: () => server.close() };
}

export function says(delta: string): object {
  return { type: "TEXT_MESSAGE_CONTENT", messageId: "message", delta };
}

/** The events of a call that the runtime makes by itself. Without a result, there is no event of one. */
export function calls(
  toolCallName: string,
  toolArguments: object,
  { id = "own-1", result }: { id?: string; result?: string } = {},
): object[] {
  const delta = JSON.stringify(toolArguments);
  return [
    { type: "TOOL_CALL_START", toolCallId: id, toolCallName },
    { type: "TOOL_CALL_ARGS", toolCallId: id, delta },
    { type: "TOOL_CALL_END", toolCallId: id },
    ...(result === undefined ? [] : [resultOf(result, id)]),
  ];
}

export function resultOf(content: string, id = "own-1"): object {
  return { type: "TOOL_CALL_RESULT", toolCallId: id, messageId: `result-${id}`, content };
}

function send(response: ServerResponse, event: object): void {
  response.write(`data: ${JSON.stringify(event)}\n\n`);
}
