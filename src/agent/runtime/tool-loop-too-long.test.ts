import { json } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import type { WireBody } from "../../../test/support/agent/model-server.ts";
import { RecordingTurn } from "../../../test/support/agent/recording-turn.ts";
import { aRuntimeConfig, aTool } from "../../../test/support/builders/agent-config.ts";
import { rejectionOf } from "../../../test/support/builders/rejection-of.ts";
import { startHttpServer } from "../../../test/support/processes/http-server.ts";
import { createLog } from "../../observability/log.ts";
import { systemClock } from "../../time/clock.ts";
import type { HistoryMessage } from "../sessions/history-message.ts";
import { createRuntimeHandler } from "./runtime-handler.ts";

const REFUSAL = { error: { code: "context_length_exceeded", message: "Too long." } };
const answer = (content: string): object[] => [
  { choices: [{ index: 0, delta: { content } }] },
  { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
];
const called = { id: "c", function: { name: "get-weather", arguments: '{"city":"Oslo"}' } };
const call = [
  { choices: [{ index: 0, delta: { tool_calls: [{ index: 0, ...called }] } }] },
  { choices: [{ index: 0, delta: {}, finish_reason: "tool_calls" }] },
];

/** The handler, and a model that takes so many messages; how it refuses more is up to the test. */
async function aForgetfulModel(
  limit: number,
  refusal: { status: number; events: object[] } = { status: 400, events: [] },
) {
  const asked: WireBody[][] = [];
  const model = await startHttpServer(async (request, response) => {
    const { messages } = (await json(request)) as { messages: WireBody[] };
    asked.push(messages);
    const isTooLong = messages.length > limit;
    const status = isTooLong ? refusal.status : 200;
    const type = status === 200 ? "text/event-stream" : "application/json";
    response.writeHead(status, { "content-type": type });
    if (status !== 200) return void response.end(JSON.stringify(REFUSAL));
    const last = messages.at(-1);
    const wantsTool = last.role === "user" && last.content === "How is the weather?";
    const events = isTooLong ? refusal.events : wantsTool ? call : answer("Fine.");
    for (const event of events) response.write(`data: ${JSON.stringify(event)}\n\n`);
    response.end();
  });
  onTestFinished(() => model.close());
  let calls = 0;
  const tool = await startHttpServer((_request, response) => {
    calls += 1;
    response.end("sunny");
  });
  onTestFinished(() => tool.close());
  const handler = createRuntimeHandler({
    readSecret: () => Promise.resolve("sk-test"),
    clock: systemClock,
    log: createLog({ level: "silent" }),
  });
  const config = aRuntimeConfig({
    provider: { baseURL: model.url },
    prompt: { system: "" },
    tools: [aTool({ url: tool.url })],
  });
  function run(history: HistoryMessage[], content: string) {
    const turn = new RecordingTurn(config, { history, content });
    return { turn, running: handler.run(turn) };
  }
  return { asked, run, calls: () => calls };
}

function turns(count: number): HistoryMessage[] {
  return Array.from({ length: count }, (_, index): HistoryMessage[] => [
    { role: "user", turnId: `turn-${index}`, content: `question ${index}` },
    { role: "assistant", turnId: `turn-${index}`, content: "yes" },
  ]).flat();
}

describe("a conversation that is too long", () => {
  it("is told again with fewer turns, and the call of this turn with its result stays", async () => {
    const { asked, run, calls } = await aForgetfulModel(9);
    const { turn, running } = run(turns(4), "How is the weather?");
    await running;
    expect(turn.text).toBe("Fine.");
    expect(calls()).toBe(1);
    expect(asked.map((messages) => messages.length)).toEqual([9, 11, 7]);
    expect(asked.at(-1)?.slice(-3)).toMatchObject([
      { role: "user", content: "How is the weather?" },
      { role: "assistant", tool_calls: [{ id: "c" }] },
      { role: "tool", tool_call_id: "c" },
    ]);
    expect(turn.recorded.map(({ role }) => role)).toEqual(["assistant", "tool", "assistant"]);
  });

  it("is told again also where the server says so in a stream", async () => {
    const { asked, run } = await aForgetfulModel(5, { status: 200, events: [REFUSAL] });
    const { turn, running } = run(turns(4), "hi");
    await running;
    expect(turn.text).toBe("Fine.");
    expect(asked.map((messages) => messages.length)).toEqual([9, 5]);
  });

  it("is not told again once the model has spoken", async () => {
    const [said] = answer("Let me");
    const events = [said as object, REFUSAL];
    const { asked, run } = await aForgetfulModel(5, { status: 200, events });
    const { turn, running } = run(turns(4), "hi");
    expect(await rejectionOf(running)).toMatchObject({ details: { reason: "context_too_long" } });
    expect(asked).toHaveLength(1);
    expect(turn.recorded).toMatchObject([{ content: "Let me", partial: true }]);
  });

  it("is an error when the message alone is too long", async () => {
    const { asked, run } = await aForgetfulModel(0);
    const { turn, running } = run(turns(8), "hi");
    expect(await rejectionOf(running)).toMatchObject({
      code: "PROVIDER_ERROR",
      message: expect.stringContaining("context length (HTTP 400)") as string,
    });
    expect(asked.map((messages) => messages.length)).toEqual([17, 9, 5, 1]);
    expect(turn.recorded).toEqual([]);
  });
});
