/** Replicas that are killed in the middle of a turn, and those that go on with it. */
import { beforeEach, describe, expect, it } from "vitest";
import type { AgentConfig } from "../../../src/agent-config/agent-config.ts";
import { TURN_LEASE_MS } from "../../../src/agent/sessions/session-store.ts";
import { AgentProcess } from "../../support/agent/agent-process.ts";
import type { ChatClient } from "../../support/agent/chat-client.ts";
import { startHttpServer } from "../../support/processes/http-server.ts";
import { startModelServer, type WireBody } from "../../support/agent/model-server.ts";
import { openRedisStore, RedisProbe } from "../../support/redis/redis-sessions.ts";
import { startRedis } from "../../support/redis/redis.ts";
import { aRuntimeConfig, aTool } from "../../support/builders/agent-config.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import { timeFor } from "../../support/processes/busy-machine.ts";

const session = {
  type: "redis",
  ttlMs: 3_600_000,
  storeURLFile: "secrets/session-store/url",
} as const;

/** Bodies of the calls of the tool; the answer to the first one is held back when a test says so. */
const payments = { calls: [] as string[], isHeld: false };
beforeEach(() => void Object.assign(payments, { calls: [], isHeld: false }));

const redis = forAllTests(
  () => startRedis({ appendOnly: true }),
  (redis) => redis[Symbol.asyncDispose](),
);
const probe = forAllTests(
  () => new RedisProbe(redis().url),
  (probe) => probe.close(),
);
const model = forAllTests(
  () => startModelServer(),
  (model) => model.close(),
);
const tool = forAllTests(
  () =>
    startHttpServer(async (request, response) => {
      let body = "";
      for await (const piece of request) body += String(piece);
      payments.calls.push(body);
      if (payments.isHeld) return;
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ paid: true }));
    }),
  (tool) => tool.close(),
);

const files = () => ({
  "secrets/session-store/url": `${redis().url}\n`,
  "provider/api-key": "sk-test\n",
});

function config(): Partial<AgentConfig> {
  const provider = { baseURL: model().url, api: "chat" } as const;
  const tools = [aTool({ name: "pay", url: `${tool().url}/pay`, inputSchema: { type: "object" } })];
  return { ...aRuntimeConfig({ provider, tools }), session };
}

function aReplicaToKill(parts = config()): Promise<AgentProcess> {
  return AgentProcess.start({ config: parts, files: files() });
}

function aReplica(parts = config()): Promise<TestAgent> {
  return TestAgent.start({ config: parts, files: files() });
}

function expectOneCoherentAnswer(clients: readonly ChatClient[], sessionId: string): void {
  const frames = clients
    .flatMap((client) => client.frames)
    .filter((frame) => frame.session_id === sessionId && frame.type !== "connected");
  const seqs = frames.map((frame) => ("seq" in frame ? frame.seq : undefined));
  expect(seqs).toEqual(seqs.map((_, at) => at + 1));
  const [turnId, ...others] = new Set(frames.map((frame) => "turn_id" in frame && frame.turn_id));
  expect(turnId).toBeTypeOf("string");
  expect(others).toEqual([]);
  const chunks = frames.map((frame) => (frame.type === "chunk" ? frame.content : "")).join("");
  expect(frames.at(-1)).toMatchObject({ type: "done", content: chunks });
}

async function historyOf(sessionId: string) {
  const store = openRedisStore(redis().url);
  const history = await store.history(sessionId);
  await store.close();
  return history;
}

/** The lease of the dead, without the wait for its end. */
async function leaseEnds(sessionId: string): Promise<void> {
  await probe().passTime(sessionId, TURN_LEASE_MS);
}

const ANSWER = "The bill of the restaurant was paid, and the waiter was glad. ".repeat(3);

describe("a replica that is killed while the model speaks", () => {
  it("leaves a turn that goes on where a client resumes, and ends as one answer", async () => {
    model().mock.onMessage(/story/, { content: ANSWER }, { latency: 40 });
    const [one, two] = [await aReplicaToKill(), await aReplica()];
    const first = await one.connect();
    first.say("Tell a story", { id: "m-1" });
    const { session_id } = await first.nextOf("chunk");
    await first.nextOf("chunk");
    await one.kill();
    await first.closed;
    const { frames } = first;
    const after = frames.length - 1;
    await leaseEnds(session_id);

    const second = await two.connect();
    second.send({ type: "resume", session_id, after });
    // The message, sent again, gets the turn that goes on.
    const third = await two.connect();
    third.say("Tell a story", { session_id, id: "m-1" });
    const done = await second.nextOf("done");
    expect(done).toMatchObject({ content: ANSWER, finish_reason: "stop", message_id: "m-1" });
    expectOneCoherentAnswer([first, second], session_id);
    expect(await third.nextOf("done")).toEqual(done);
    expectOneCoherentAnswer([third], session_id);
    expect((await historyOf(session_id)).map(({ role }) => role)).toEqual(["user", "assistant"]);

    const asked = model().requests.map(({ body }): WireBody => body);
    const again = asked.filter((body) => JSON.stringify(body.messages).includes("Tell a story"));
    expect(again).toHaveLength(2);
    expect(again[1].messages[0].content).toContain("Go on exactly where it ends");
    expect(again[1].messages.slice(1)).toEqual(again[0].messages.slice(1));
  });

  it("is noticed by a replica whose client waits for more", async () => {
    model().mock.onMessage(/epos/, { content: ANSWER }, { latency: 40 });
    const [one, two] = [await aReplicaToKill(), await aReplica()];
    const first = await one.connect();
    first.say("Tell an epos");
    const { session_id } = await first.nextOf("chunk");
    const second = await two.connect();
    second.send({ type: "resume", session_id, after: 0 });
    await second.nextOf("chunk");
    await one.kill();
    expect(await second.nextOf("done")).toMatchObject({ content: ANSWER });
    expectOneCoherentAnswer([second], session_id);
  });

  it("is taken over by one of those that see it", async () => {
    model().mock.onMessage(/saga/, { content: ANSWER }, { latency: 20 });
    const [one, ...others] = [await aReplicaToKill(), await aReplica(), await aReplica()];
    const first = await one.connect();
    first.say("Tell a saga");
    const { session_id } = await first.nextOf("chunk");
    await one.kill();
    await leaseEnds(session_id);
    const clients = await Promise.all(
      others.flatMap((agent) => [agent.connect(), agent.connect(), agent.connect()]),
    );
    for (const client of clients) client.send({ type: "resume", session_id, after: 0 });
    for (const client of clients) await client.nextOf("done");
    for (const client of clients) expectOneCoherentAnswer([client], session_id);
    const taken = others.flatMap(({ logged }) =>
      logged.filter(({ msg }) => msg === "A turn whose replica is gone was taken over"),
    );
    expect(taken).toMatchObject([{ recovery: "goes-on", takeovers: 1 }]);
    const asked = model().requests.filter(({ body }) =>
      JSON.stringify(body).includes("Tell a saga"),
    );
    expect(asked).toHaveLength(2);
  });
});

describe("a replica that is killed when a tool was called", () => {
  it("and its result has come, leaves a turn that goes on without another call", async () => {
    model().mock.on(
      { userMessage: /Pay and tell/, hasToolResult: false },
      { content: "", toolCalls: [{ id: "call_pay", name: "pay", arguments: '{"amount": 7}' }] },
    );
    model().mock.on(
      { userMessage: /Pay and tell/, hasToolResult: true },
      { content: ANSWER },
      { latency: 40 },
    );
    const [one, two] = [await aReplicaToKill(), await aReplica()];
    const first = await one.connect();
    first.say("Pay and tell");
    await first.nextOf("tool_result");
    const { session_id } = await first.nextOf("chunk");
    await one.kill();
    await first.closed;
    await leaseEnds(session_id);
    const second = await two.connect();
    second.send({ type: "resume", session_id, after: first.frames.length - 1 });
    expect(await second.nextOf("done")).toMatchObject({ content: ANSWER });
    expectOneCoherentAnswer([first, second], session_id);
    expect(payments.calls).toEqual(['{"amount":7}']);
    expect((await historyOf(session_id)).map(({ role }) => role)).toEqual([
      "user",
      "assistant",
      "tool",
      "assistant",
    ]);
  });

  it("and it is in doubt what it did, leaves a turn that ends, names the call, and calls nothing again", async () => {
    payments.isHeld = true;
    model().mock.on(
      { userMessage: /Pay the bill/, hasToolResult: false },
      { content: "I pay.", toolCalls: [{ id: "call_bill", name: "pay", arguments: "{}" }] },
    );
    model().mock.onMessage(/Was it paid/, { content: "I do not know." });
    const [one, two] = [await aReplicaToKill(), await aReplica()];
    const first = await one.connect();
    first.say("Pay the bill", { id: "m-1" });
    const { session_id } = await first.nextOf("tool_call");
    await expect.poll(() => payments.calls).toHaveLength(1);
    await one.kill();
    payments.isHeld = false;
    await leaseEnds(session_id);

    const second = await two.connect();
    second.send({ type: "resume", session_id, after: 0 });
    expect(await second.nextOf("tool_result")).toMatchObject({
      tool_result: { id: "call_bill", error: expect.stringContaining("is not known") },
    });
    const error = await second.nextOf("error");
    expect(error).toMatchObject({
      message_id: "m-1",
      error: {
        code: "TOOL_ERROR",
        message: expect.stringMatching(/call_bill of the tool pay/),
        details: { tool_calls: [{ id: "call_bill", name: "pay" }] },
      },
    });
    // The message, sent again, is not run again; the next one is, and the provider accepts the history.
    second.say("Pay the bill", { id: "m-1" });
    expect(await second.nextOf("error")).toEqual(error);
    expect(await second.ask("Was it paid?")).toMatchObject({ content: "I do not know." });
    expect(payments.calls).toHaveLength(1);
    expect(await historyOf(session_id)).toMatchObject([
      { role: "user" },
      { role: "assistant", content: "I pay.", toolCalls: [{ id: "call_bill" }] },
      { role: "tool", toolCallId: "call_bill", error: expect.stringContaining("is not known") },
      { role: "user" },
      { role: "assistant" },
    ]);
  });

  it("leaves a turn that a new message ends first, when it cannot go on", async () => {
    payments.isHeld = true;
    model().mock.on(
      { userMessage: /Pay twice/, hasToolResult: false },
      { toolCalls: [{ id: "call_twice", name: "pay", arguments: "{}" }] },
    );
    model().mock.onMessage(/Never mind/, { content: "As you wish." });
    const [one, two] = [await aReplicaToKill(), await aReplica()];
    const first = await one.connect();
    first.say("Pay twice");
    const { session_id } = await first.nextOf("tool_call");
    await expect.poll(() => payments.calls).toHaveLength(1);
    await one.kill();
    payments.isHeld = false;
    const second = await two.connect();
    second.say("Never mind", { session_id });
    expect(await second.nextOf("error")).toMatchObject({ error: { code: "TURN_IN_PROGRESS" } });
    await leaseEnds(session_id);
    expect(await second.ask("Never mind", { session_id })).toMatchObject({
      content: "As you wish.",
    });
    expect(payments.calls).toHaveLength(1);
  });
});

describe("a replica that is killed in a turn of another handler", () => {
  it("leaves a demo that goes on with its words", async () => {
    const demo = { handler: "demo", session } as const;
    const one = await aReplicaToKill(demo);
    const two = await aReplica(demo);
    const first = await one.connect();
    first.say("I forgot my password");
    const { session_id } = await first.nextOf("tool_call");
    await one.kill();
    await leaseEnds(session_id);
    const second = await two.connect(`/?session_id=${session_id}`);
    expect((await second.nextOf("done")).content).toMatch(/^I found your account/);
    expectOneCoherentAnswer([first, second], session_id);
  });
});

describe("a replica that is told to end in the middle of a turn", () => {
  it("leaves it to another one, which goes on at once", async () => {
    const demo = { handler: "demo", session } as const;
    const one = await TestAgent.start({ config: demo, files: files(), env: {} });
    const two = await aReplica(demo);
    const first = await one.connect();
    first.say("hello");
    const { session_id } = await first.nextOf("chunk");
    await one.running.close();
    await first.closed;
    expect(first.frames.map(({ type }) => type)).not.toContain("error");
    const second = await two.connect();
    second.send({ type: "resume", session_id, after: first.frames.length - 1 });
    expect(await second.nextOf("done")).toMatchObject({ finish_reason: "stop" });
    expectOneCoherentAnswer([first, second], session_id);
  });
});

describe("a replica that stood still while another one took its turn", () => {
  it("shows its clients what the other one makes of it", async () => {
    const demo = { handler: "demo", session } as const;
    const [one, two] = [await aReplicaToKill(demo), await aReplica(demo)];
    const first = await one.connect();
    first.say("hello");
    const { session_id } = await first.nextOf("chunk");
    one.child.kill("SIGSTOP");
    await leaseEnds(session_id);
    const second = await two.connect();
    second.send({ type: "resume", session_id, after: 0 });
    const done = await second.nextOf("done");
    one.child.kill("SIGCONT");
    expect(await first.nextOf("done")).toEqual(done);
    expectOneCoherentAnswer([first], session_id);
    expectOneCoherentAnswer([second], session_id);
  });
});

describe("a cancel", () => {
  it("stops a turn that runs on another replica, at once", async () => {
    model().mock.onMessage(/long/, { content: "word ".repeat(2_000) }, { latency: 20 });
    const [one, two] = [await aReplica(), await aReplica()];
    const first = await one.connect();
    first.say("Be long");
    const { session_id } = await first.nextOf("chunk");
    const second = await two.connect();
    const asked = performance.now();
    second.send({ type: "cancel", session_id });
    const done = await first.nextOf("done");
    expect(performance.now() - asked).toBeLessThan(timeFor(2_000));
    expect(done.finish_reason).toBe("cancelled");
    expectOneCoherentAnswer([first], session_id);
    expect(await historyOf(session_id)).toMatchObject([
      { role: "user" },
      { role: "assistant", content: done.content, partial: true },
    ]);
  });

  it("stops a tool that runs on another replica, and nothing is written meanwhile", async () => {
    payments.isHeld = true;
    model().mock.on(
      { userMessage: /Pay slowly/, hasToolResult: false },
      { toolCalls: [{ id: "call_slow", name: "pay", arguments: "{}" }] },
    );
    const [one, two] = [await aReplica(), await aReplica()];
    const first = await one.connect();
    first.say("Pay slowly");
    const { session_id } = await first.nextOf("tool_call");
    await expect.poll(() => payments.calls).toHaveLength(1);
    const second = await two.connect(`/?session_id=${session_id}`);
    await second.nextOf("connected");
    const asked = performance.now();
    second.send({ type: "cancel" });
    expect(await second.nextOf("done")).toMatchObject({ finish_reason: "cancelled" });
    expect(performance.now() - asked).toBeLessThan(timeFor(1_500));
    payments.isHeld = false;
    expect(await historyOf(session_id)).toMatchObject([
      { role: "user" },
      { role: "assistant", toolCalls: [{ id: "call_slow" }] },
      { role: "tool", error: expect.stringContaining("cancelled") },
    ]);
  });

  it("ends a turn whose replica is gone, and nothing is asked again", async () => {
    model().mock.onMessage(/ballad/, { content: ANSWER }, { latency: 40 });
    const [one, two] = [await aReplicaToKill(), await aReplica()];
    const first = await one.connect();
    first.say("Sing a ballad");
    const { session_id } = await first.nextOf("chunk");
    await one.kill();
    await first.closed;
    await leaseEnds(session_id);
    const second = await two.connect();
    second.send({ type: "cancel", session_id });
    await expect
      .poll(async () => (await historyOf(session_id)).at(-1))
      .toMatchObject({ role: "assistant", partial: true });
    second.send({ type: "resume", session_id, after: first.frames.length - 1 });
    expect(await second.nextOf("done")).toMatchObject({ finish_reason: "cancelled" });
    expectOneCoherentAnswer([first, second], session_id);
    const asked = model().requests.filter(({ body }) => JSON.stringify(body).includes("a ballad"));
    expect(asked).toHaveLength(1);
  });
});
