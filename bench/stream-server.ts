/** A model provider without a model: every chat completion is the same stream of the same words, at once. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const WORDS = Array.from({ length: 50 }, (_, index) => `word${index} `);

function event(choice: object): string {
  const chunk = { id: "c1", object: "chat.completion.chunk", created: 1, model: "m" };
  return `data: ${JSON.stringify({ ...chunk, choices: [{ index: 0, finish_reason: null, ...choice }] })}\n\n`;
}
const BODY = [
  event({ delta: { role: "assistant", content: "" } }),
  ...WORDS.map((content) => event({ delta: { content } })),
  event({ delta: {}, finish_reason: "stop" }),
  "data: [DONE]\n\n",
].join("");

const server = createServer((request, response) => {
  request.resume().on("end", () => {
    response.writeHead(200, { "content-type": "text/event-stream" }).end(BODY);
  });
});
server.listen(0, "127.0.0.1", () =>
  process.send?.({ port: (server.address() as AddressInfo).port }),
);
process.on("disconnect", () => process.exit());
