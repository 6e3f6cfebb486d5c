import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { startModelServer, type WireBody } from "../../../test/support/agent/model-server.ts";
import { RecordingTurn } from "../../../test/support/agent/recording-turn.ts";
import { aPrompt, aRuntimeConfig, aTool } from "../../../test/support/builders/agent-config.ts";
import { startHttpServer } from "../../../test/support/processes/http-server.ts";
import { systemClock } from "../../time/clock.ts";
import { createLog } from "../../observability/log.ts";
import type { HistoryMessage } from "../sessions/history-message.ts";
import { createRuntimeHandler } from "./runtime-handler.ts";
import { forAllTests } from "../../../test/support/builders/fixtures.ts";

const server = forAllTests(
  () => startModelServer(),
  (server) => server.close(),
);
beforeAll(async () => {
  server().mock.onMessage(/./, { content: "Hello." });
});

function handlerWith(readSecret: (path: string) => Promise<string>) {
  return createRuntimeHandler({
    readSecret,
    clock: systemClock,
    log: createLog({ level: "silent" }),
  });
}

describe("readiness", () => {
  const config = aRuntimeConfig({ provider: { baseURL: "http://127.0.0.1:1" } });

  it("needs a key, and asks no provider", async () => {
    await expect(
      handlerWith(() => Promise.resolve("sk-1\n")).ready(config),
    ).resolves.toBeUndefined();
  });

  it("says in a sentence what is missing", async () => {
    const missing = handlerWith(() => Promise.reject(new Error("ENOENT")));
    await expect(missing.ready(config)).rejects.toThrow("the provider's API key is missing");
    await expect(handlerWith(() => Promise.resolve(" \n")).ready(config)).rejects.toThrow(
      "is empty",
    );
    const { provider: _provider, ...withoutProvider } = config;
    await expect(handlerWith(() => Promise.resolve("sk-1")).ready(withoutProvider)).rejects.toThrow(
      "names no provider",
    );
    const { prompt: _prompt, ...withoutPrompt } = config;
    await expect(handlerWith(() => Promise.resolve("sk-1")).ready(withoutPrompt)).rejects.toThrow(
      "has no prompt",
    );
  });
});

describe("the runtime handler", () => {
  it("uses a rotated key in the next turn", async () => {
    const config = aRuntimeConfig({ provider: { baseURL: server().url } });
    const keys = ["sk-old", "sk-new", "sk-new"];
    const handler = handlerWith(() => Promise.resolve(keys.shift() ?? ""));
    for (let turns = 0; turns < 3; turns += 1) await handler.run(new RecordingTurn(config));
    const sent = server()
      .requests.slice(-3)
      .map(({ headers }) => headers.authorization);
    expect(sent).toEqual(["Bearer sk-old", "Bearer sk-new", "Bearer sk-new"]);
  });

  it("says that a provider answered only when it was asked again", async () => {
    let requests = 0;
    const provider = await startHttpServer((request, response) => {
      request.resume();
      requests += 1;
      if (requests === 1) {
        response.writeHead(500).end();
        return;
      }
      const answer = { choices: [{ index: 0, delta: { content: "Hi." }, finish_reason: "stop" }] };
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(`data: ${JSON.stringify(answer)}\n\ndata: [DONE]\n\n`);
    });
    onTestFinished(() => provider.close());
    const handler = handlerWith(() => Promise.resolve("sk-1"));
    const config = aRuntimeConfig({ provider: { baseURL: provider.url } });
    expect(await handler.run(new RecordingTurn(config))).toMatchObject({ wasAskedAgain: true });
    expect(await handler.run(new RecordingTurn(config))).not.toHaveProperty("wasAskedAgain");
  });

  it("ends a turn without a key in an error for people", async () => {
    const config = aRuntimeConfig({ provider: { baseURL: server().url } });
    const turn = handlerWith(() => Promise.resolve("")).run(new RecordingTurn(config));
    await expect(turn).rejects.toMatchObject({
      code: "PROVIDER_ERROR",
      message: "openai: the provider's API key is empty",
      details: { reason: "key_missing" },
    });
  });

  it("follows the config of each turn: model, prompt and parameters", async () => {
    const handler = handlerWith(() => Promise.resolve("sk-1"));
    const before = aRuntimeConfig({
      provider: { baseURL: server().url, parameters: { temperature: 0.1 } },
      prompt: { system: "Be terse.", parameters: { temperature: 0.9, topP: 0.5, maxTokens: 100 } },
    });
    const after = aRuntimeConfig({
      provider: { baseURL: server().url, model: "gpt-4o-mini" },
      prompt: { system: "Be kind.", parameters: { temperature: 0.9 } },
    });
    for (const config of [before, after]) await handler.run(new RecordingTurn(config));
    const [first, second] = server().requests.slice(-2);
    expect(first?.body).toMatchObject({
      model: "gpt-4o",
      temperature: 0.1,
      top_p: 0.5,
      max_tokens: 100,
      messages: [{ role: "system", content: "Be terse." }, { role: "user" }],
    });
    expect(second?.body).toMatchObject({
      model: "gpt-4o-mini",
      temperature: 0.9,
      messages: [{ role: "system", content: "Be kind." }, { role: "user" }],
    });
    expect(second?.body).not.toHaveProperty("top_p");
  });

  it("gives a session of the canary its prompt, with its parameters", async () => {
    const config = aRuntimeConfig({
      provider: { baseURL: server().url },
      canary: { weight: 100, prompt: aPrompt({ system: "Be new.", parameters: { topP: 0.2 } }) },
    });
    await handlerWith(() => Promise.resolve("sk-1")).run(new RecordingTurn(config));
    expect(server().requests.at(-1)?.body).toMatchObject({
      top_p: 0.2,
      messages: [{ role: "system", content: "Be new." }, { role: "user" }],
    });
  });

  it("offers a canary its own tools", async () => {
    const handler = handlerWith(() => Promise.resolve("sk-1"));
    const url = "http://127.0.0.1:1";
    const tools = [aTool({ url, name: "look-up" })];
    const prompt = aPrompt({ tools: [aTool({ url, name: "look-up-better" })] });
    const config = aRuntimeConfig({
      provider: { baseURL: server().url },
      tools,
      canary: { weight: 100, prompt },
    });
    await handler.run(new RecordingTurn(config));
    await handler.run(new RecordingTurn({ ...config, prompt: { active: aPrompt() } }));
    const offered = server()
      .requests.slice(-2)
      .map(({ body }) => body.tools.map((tool: WireBody) => tool.function.name));
    expect(offered).toEqual([["look-up-better"], ["look-up"]]);
  });

  it("tells the model the newest turns that fit the budget", async () => {
    const handler = handlerWith(() => Promise.resolve("sk-1"));
    const history = Array.from({ length: 20 }, (_, index): HistoryMessage[] => {
      const turnId = `turn-${index}`;
      return [
        { role: "user", turnId, content: `question ${index} ${"x".repeat(400)}` },
        { role: "assistant", turnId, content: "yes" },
      ];
    }).flat();
    const config = {
      ...aRuntimeConfig({ provider: { baseURL: server().url } }),
      limits: { maxHistoryTokens: 500 },
    };
    await handler.run(new RecordingTurn(config, { history }));
    const told = () =>
      ((server().requests.at(-1)?.body.messages ?? []) as { content: string }[])
        .filter(({ content }) => content.startsWith("question"))
        .map(({ content }) => content.split(" ")[1]);
    expect(told()).toEqual(["16", "17", "18", "19"]);
    const whole = { ...config, limits: { maxHistoryTokens: 100_000 } };
    await handler.run(new RecordingTurn(whole, { history }));
    expect(told()).toHaveLength(20);
  });
});
