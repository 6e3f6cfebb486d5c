/**
 * A model provider without a model: every chat completion is the same stream of words. They come at once, and so do 50 of them,
 * unless the path says otherwise: below `/100x20/v1` there are 100 of them, one every 20 milliseconds.
 */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

function event(choice: object): string {
  const chunk = { id: "c1", object: "chat.completion.chunk", created: 1, model: "m" };
  return `data: ${JSON.stringify({ ...chunk, choices: [{ index: 0, finish_reason: null, ...choice }] })}\n\n`;
}
const BEGIN = event({ delta: { role: "assistant", content: "" } });
const END = `${event({ delta: {}, finish_reason: "stop" })}data: [DONE]\n\n`;

function word(index: number): string {
  return event({ delta: { content: `word${index} ` } });
}

function sendAtOnce(response: ServerResponse, words: number): void {
  response.end(
    `${BEGIN}${Array.from({ length: words }, (_, index) => word(index)).join("")}${END}`,
  );
}

/** Each stream has its own rhythm, so that those which began in one moment do not send in one moment. */
function sendByAndBy(response: ServerResponse, words: number, intervalMs: number): void {
  let index = 0;
  response.write(`${BEGIN}${word(index++)}`);
  setTimeout(() => {
    const timer = setInterval(() => {
      if (index < words) response.write(word(index++));
      else response.end(END);
      if (response.writableEnded) clearInterval(timer);
    }, intervalMs);
    response.on("close", () => clearInterval(timer));
  }, Math.random() * intervalMs);
}

const server = createServer((request, response) => {
  const [, words = "50", intervalMs = "0"] = /^\/(\d+)x(\d+)\//.exec(request.url ?? "") ?? [];
  request.resume().on("end", () => {
    response.socket?.setNoDelay(true);
    response.writeHead(200, { "content-type": "text/event-stream" });
    if (intervalMs === "0") sendAtOnce(response, Number(words));
    else sendByAndBy(response, Number(words), Number(intervalMs));
  });
});
server.listen(0, "127.0.0.1", () =>
  process.send?.({ port: (server.address() as AddressInfo).port }),
);
process.on("disconnect", () => process.exit());
