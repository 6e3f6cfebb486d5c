/** The examples with a model, with a third party's server in place of the provider. */
import { readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { startHttpServer } from "../support/processes/http-server.ts";
import { startModelServer } from "../support/agent/model-server.ts";
import { startRedis } from "../support/redis/redis.ts";
import { eventually } from "./eventually.ts";
import { Manifests, OmniaUp } from "./omnia-up.ts";
import { OrderService } from "./order-service.ts";
import { forAllTests } from "../support/builders/fixtures.ts";

const model = forAllTests(
  () => startModelServer(),
  (model) => model.close(),
);
const redis = forAllTests(
  () => startRedis({ password: "p@ss/word" }),
  (redis) => redis[Symbol.asyncDispose](),
);

beforeEach(async () => {
  model().mock.reset();
  model().mock.on(
    { userMessage: "A-1042", hasToolResult: false },
    {
      content: "Let me look.",
      usage,
      toolCalls: [{ id: "call_1", name: "order-status", arguments: '{"order":"A-1042"}' }],
    },
  );
  model().mock.on(
    { userMessage: "A-1042", hasToolResult: true },
    { content: "Your order was shipped, and arrives tomorrow.", usage },
    // Pieces that come at once may reach the client as one.
    { latency: 20 },
  );
  model().mock.onMessage("which order", { content: "You asked about A-1042." });
});

/** In the words of each protocol. */
const usage = {
  prompt_tokens: 11,
  completion_tokens: 5,
  input_tokens: 11,
  output_tokens: 5,
  promptTokenCount: 11,
  candidatesTokenCount: 5,
};
const MODEL_OF_ANTHROPIC = /model: claude-.*/;

const PROVIDERS = [
  {
    provider: "openai",
    model: "gpt-4-turbo",
    key: "OPENAI_API_KEY",
    header: "authorization",
    sent: "Bearer key-1",
  },
  {
    provider: "anthropic",
    model: "claude-sonnet-5-5",
    key: "ANTHROPIC_API_KEY",
    header: "x-api-key",
    sent: "key-1",
  },
  {
    provider: "google",
    model: "gemini-flash-latest",
    key: "GOOGLE_GENERATIVE_AI_API_KEY",
    header: "x-goog-api-key",
    sent: "key-1",
  },
] as const;

describe.each(PROVIDERS)(
  "examples/production with $provider",
  ({ provider, model: name, key, header, sent }) => {
    it("streams, calls a tool over HTTP, and remembers after every process was restarted", async () => {
      await using orders = await OrderService.start();
      await using manifests = await production(provider, name, orders.url);
      const env = { [key]: "key-1", REDIS_URL: redis().url };
      let sessionId: string;
      {
        await using up = await OmniaUp.start({ files: [manifests.folder], env });
        await up.runs("production-agent", 3);
        const client = await up.connect("production-agent", { namespace: "agents" });
        const done = await client.ask("Where is my order A-1042?");
        sessionId = done.session_id;
        expect(done).toMatchObject({
          content: "Let me look.\n\nYour order was shipped, and arrives tomorrow.",
          finish_reason: "stop",
        });
        expect(done.usage).toEqual({ input_tokens: 22, output_tokens: 10 });
        const types = client.frames.map(({ type }) => type);
        expect(types.filter((type) => type === "chunk").length).toBeGreaterThan(3);
        expect(client.frames).toContainEqual(
          expect.objectContaining({
            type: "tool_result",
            tool_result: expect.objectContaining({
              result: {
                order: "A-1042",
                status: "shipped",
                carrier: "Example Post",
                arrives: "tomorrow",
              },
            }) as unknown,
          }),
        );
        expect(model().requests.at(-1)?.headers[header]).toBe(sent);
        expect(JSON.stringify(model().requests.at(-1)?.body)).toMatch(
          /You work in the customer service of Example Shop/,
        );

        const { code } = await up.interrupt();
        expect(code).toBe(0);
        await expect(client.closed).resolves.toMatchObject({ code: 1001 });
      }

      await using up = await OmniaUp.start({ files: [manifests.folder], env });
      await up.runs("production-agent", 3);
      const client = await up.connect("production-agent", {
        namespace: "agents",
        session_id: sessionId,
      });
      expect(await client.next()).toMatchObject({
        type: "connected",
        session_id: sessionId,
        resumed: true,
      });
      const done = await client.ask("Do you know which order I meant?");
      expect(done).toMatchObject({ session_id: sessionId, content: "You asked about A-1042." });
      const said = JSON.stringify(model().requests.at(-1)?.body);
      expect(said).toMatch(/Where is my order A-1042\?/);
      expect(said).toMatch(/Your order was shipped/);
    });
  },
);

describe.each(PROVIDERS.slice(1))("examples/$provider", ({ provider, model: name, key }) => {
  it("answers with nothing but a key in the environment", async () => {
    await using manifests = await Manifests.copyOf(provider);
    await manifests.edit(
      "agent.yaml",
      `model: ${name}`,
      `model: ${name}\n    baseURL: ${model().url}`,
    );
    await using up = await OmniaUp.start({ files: [manifests.folder], env: { [key]: "key-1" } });
    await up.runs(provider);
    const client = await up.connect(provider);
    expect(await client.ask("Do you know which order I meant?")).toMatchObject({
      content: "You asked about A-1042.",
    });
  });
});

describe("two replicas with one Redis", () => {
  it("go on with each other's sessions", async () => {
    await using orders = await OrderService.start();
    await using manifests = await production("openai", "gpt-4-turbo", orders.url);
    await manifests.edit("agent.yaml", "replicas: 3", "replicas: 2");
    await using up = await OmniaUp.start({
      files: [manifests.folder],
      env: { OPENAI_API_KEY: "key-1", REDIS_URL: redis().url },
    });
    await up.runs("production-agent", 2);
    const pids = await up.replicaPids();
    expect(pids).toHaveLength(2);
    const before = await Promise.all(pids.map(openSockets));

    const first = await up.connect("production-agent", { namespace: "agents" });
    const { session_id } = await first.ask("Where is my order A-1042?");
    // The one that serves it is stopped: whatever answers now is the other one.
    const after = await Promise.all(pids.map(openSockets));
    const serving = pids.filter((_, index) => (after[index] ?? 0) > (before[index] ?? 0));
    expect(serving).toHaveLength(1);
    process.kill(serving[0] as number, "SIGSTOP");
    try {
      const second = await up.connect("production-agent", { namespace: "agents", session_id });
      expect(await second.ask("Do you know which order I meant?")).toMatchObject({
        session_id,
        content: "You asked about A-1042.",
      });
    } finally {
      process.kill(serving[0] as number, "SIGCONT");
    }
  });
});

async function openSockets(pid: number): Promise<number> {
  const folder = `/proc/${pid}/fd`;
  const links = (await readdir(folder)).map((name) => readlink(join(folder, name)).catch(() => ""));
  return (await Promise.all(links)).filter((target) => target.startsWith("socket:")).length;
}

describe("a provider that fails", () => {
  it("gives an error that helps and leaks nothing, and the session goes on", async () => {
    await using failing = await startHttpServer((_request, response) => {
      response.writeHead(401, { "content-type": "application/json" });
      response.end(JSON.stringify({ error: { message: "key-1 is not known at 10.1.2.3" } }));
    });
    await using manifests = await Manifests.copyOf("anthropic");
    await manifests.edit("agent.yaml", MODEL_OF_ANTHROPIC, `$&\n    baseURL: ${failing.url}`);
    await using up = await OmniaUp.start({
      files: [manifests.folder],
      env: { ANTHROPIC_API_KEY: "key-1" },
    });
    await up.runs("anthropic");
    const client = await up.connect("anthropic");
    client.say("which order?");
    const { error, session_id } = await client.nextOf("error");
    expect(error).toMatchObject({
      code: "PROVIDER_ERROR",
      message: "anthropic: authentication (HTTP 401); the API key was refused",
    });
    expect(JSON.stringify(error)).not.toMatch(/key-1|10\.1\.2\.3|127\.0\.0\.1/);

    await manifests.edit("agent.yaml", failing.url, model().url);
    const done = await eventually("an answer of the other provider", async () => {
      client.say("Do you know which order I meant?");
      for (;;) {
        const frame = await client.next();
        if (frame.type === "done") return frame;
        if (frame.type === "error") return undefined;
      }
    });
    expect(done).toMatchObject({ session_id, content: "You asked about A-1042." });
  });
});

/** The production example, with the provider and the tool at addresses of this test. */
async function production(
  provider: string,
  modelName: string,
  toolURL: string,
): Promise<Manifests> {
  const manifests = await Manifests.copyOf("production");
  await manifests.edit(
    "agent.yaml",
    "name: openai\n    model: gpt-4-turbo",
    `name: ${provider}\n    model: ${modelName}\n    baseURL: ${model().url}`,
  );
  await manifests.edit("tools.yaml", "http://127.0.0.1:8090", toolURL);
  return manifests;
}
