/** Calls of tools that wait until a user approves them: over replicas that die, and with more than one who answers. */
import { beforeEach, describe, expect, it } from "vitest";
import type { AgentConfig, ToolConfig } from "../../../src/agent-config/agent-config.ts";
import { FRAME_RETENTION_MS, TURN_LEASE_MS } from "../../../src/agent/sessions/session-store.ts";
import { approvalChecks } from "../../../src/conformance/checks/approvals.ts";
import { CHECKS, runSuite } from "../../../src/conformance/run-suite.ts";
import { AgentProcess } from "../../support/agent/agent-process.ts";
import type { ChatClient } from "../../support/agent/chat-client.ts";
import { startModelServer, type WireBody } from "../../support/agent/model-server.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { aRuntimeConfig, aTool } from "../../support/builders/agent-config.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import { startHttpServer } from "../../support/processes/http-server.ts";
import { openRedisStore, RedisProbe } from "../../support/redis/redis-sessions.ts";
import { startRedis } from "../../support/redis/redis.ts";

const HOUR_MS = 3_600_000;
const session = {
  type: "redis",
  ttlMs: 24 * HOUR_MS,
  storeURLFile: "secrets/session-store/url",
} as const;

/** Paths and bodies of the calls of tools; answers are held back when a test says so. */
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
      payments.calls.push(`${request.url} ${body}`);
      if (payments.isHeld) return;
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ done: request.url }));
    }),
  (tool) => tool.close(),
);

const files = () => ({
  "secrets/session-store/url": `${redis().url}\n`,
  "provider/api-key": "sk-test\n",
});

const inputSchema = {
  type: "object",
  properties: { amount: { type: "integer" } },
  required: ["amount"],
};

function pay(more: Partial<ToolConfig> = {}): ToolConfig {
  return aTool({ name: "pay", url: `${tool().url}/pay`, inputSchema, approval: "always", ...more });
}

function look(): ToolConfig {
  return aTool({ name: "look", url: `${tool().url}/look`, inputSchema: { type: "object" } });
}

function config(
  tools: ToolConfig[] = [pay(), look()],
  prompt: Parameters<typeof aRuntimeConfig>[0]["prompt"] = {},
): Partial<AgentConfig> {
  const provider = { baseURL: model().url, api: "chat" } as const;
  return { ...aRuntimeConfig({ provider, tools, prompt }), session };
}

function aReplica(parts: Partial<AgentConfig> = config()): Promise<TestAgent> {
  return TestAgent.start({ config: parts, files: files() });
}

interface Call {
  readonly name: string;
  readonly id: string;
  readonly arguments: string;
}

const PAY: Call = { name: "pay", id: "call_pay", arguments: '{"amount":7}' };

/** The model calls tools when it is told `message`, and says `then` when it has the results. */
function callsWhenTold(message: RegExp, calls: readonly Call[], then = "All is done."): void {
  const toolCalls = [...calls];
  model().mock.on(
    { userMessage: message, hasToolResult: false },
    { content: "I am about to. ", toolCalls },
  );
  model().mock.on({ userMessage: message, hasToolResult: true }, { content: then });
}

async function historyOf(sessionId: string) {
  const store = openRedisStore(redis().url, { ttlMs: session.ttlMs });
  const history = await store.history(sessionId);
  await store.close();
  return history;
}

/** What the model was told the last time, from the user's last message on. */
function lastTold(): WireBody[] {
  const messages: WireBody[] = model().requests.at(-1)?.body.messages;
  return messages.slice(messages.findLastIndex(({ role }) => role === "user"));
}

async function waits(client: ChatClient, message: string, more: object = {}) {
  client.say(message, more);
  const request = await client.nextOf("approval_request");
  const done = await client.nextOf("done");
  return { request, done, sessionId: request.session_id };
}

describe("a call that needs an approval", () => {
  it("waits though its replicas are killed, and runs once when it is approved an hour later on a third", async () => {
    callsWhenTold(/Pay the rent/, [PAY], "It is paid.");
    const [one, two] = await Promise.all(
      [1, 2].map(() => AgentProcess.start({ config: config(), files: files() })),
    );
    if (one === undefined || two === undefined) throw new Error("no replicas");
    const first = await one.connect();
    const { request, done, sessionId } = await waits(first, "Pay the rent", { id: "m-1" });
    expect(first.frames.map(({ type }) => type)).toEqual([
      "connected",
      "chunk",
      "approval_request",
      "done",
    ]);
    const expires = Date.parse(request.timestamp) + session.ttlMs;
    expect(Math.abs(Date.parse(request.approval.expires_at) - expires)).toBeLessThan(1_000);
    expect(request.approval).toMatchObject({
      id: "call_pay",
      name: "pay",
      arguments: { amount: 7 },
    });
    expect(done).toMatchObject({
      content: "I am about to. ",
      finish_reason: "awaiting_approval",
      message_id: "m-1",
    });
    const second = await two.connect(`/?session_id=${sessionId}`);
    expect([await second.next(), await second.next()]).toMatchObject([
      { type: "connected" },
      request,
    ]);
    await Promise.all([one.kill(), two.kill()]);
    expect(payments.calls).toEqual([]);

    await probe().passTime(sessionId, HOUR_MS);
    const three = await aReplica();
    const third = await three.connect(`/?session_id=${sessionId}`);
    expect(await third.next()).toMatchObject({ type: "connected", seq: done.seq, resumed: true });
    expect(await third.next()).toEqual(request);
    third.send({ type: "approve", id: "call_pay" });
    const call = await third.nextOf("tool_call");
    expect(call).toMatchObject({ seq: done.seq + 1, tool_call: { id: "call_pay" } });
    expect(call.turn_id).not.toBe(done.turn_id);
    expect(await third.nextOf("tool_result")).toMatchObject({ tool_result: { id: "call_pay" } });
    const end = await third.nextOf("done");
    expect(end).toMatchObject({ content: "It is paid.", finish_reason: "stop" });
    expect(end).not.toHaveProperty("message_id");
    expect(payments.calls).toEqual(['/pay {"amount":7}']);
    expect((await historyOf(sessionId)).map(({ role, turnId }) => [role, turnId])).toEqual(
      ["user", "assistant", "tool", "assistant"].map((role) => [role, done.turn_id]),
    );

    for (const type of ["approve", "deny"]) {
      third.send({ type, id: "call_pay" });
      expect(await third.nextOf("error")).toMatchObject({
        error: { code: "INVALID_MESSAGE", details: { id: "call_pay" } },
      });
    }
    expect(payments.calls).toHaveLength(1);
  });

  it("is not made when it is denied, and the model is told why", async () => {
    callsWhenTold(/Pay the fine/, [PAY], "As you wish.");
    const agent = await aReplica();
    const client = await agent.connect();
    await waits(client, "Pay the fine");
    client.send({ type: "deny", id: "call_pay", reason: "too dear" });
    const done = await client.nextOf("done");
    for (const state of ["asked", "denied"]) {
      expect(await agent.metric("omnia_agent_approvals_total", { state })).toBe(1);
    }
    expect(done).toMatchObject({ content: "As you wish.", finish_reason: "stop" });
    expect(client.frames.filter(({ type }) => type.startsWith("tool_"))).toEqual([]);
    expect(lastTold().at(-1)).toMatchObject({
      role: "tool",
      content: expect.stringContaining("the user denied the call: too dear"),
    });
    expect(payments.calls).toEqual([]);
  });

  it("is made with edited arguments, which must fit", async () => {
    callsWhenTold(/Pay the tax/, [PAY]);
    const client = await (await aReplica()).connect();
    await waits(client, "Pay the tax");
    for (const edit of [{ amount: "much" }, {}, { amount: 1.5 }]) {
      client.send({ type: "approve", id: "call_pay", arguments: edit });
      expect(await client.nextOf("error")).toMatchObject({
        error: { code: "INVALID_MESSAGE", message: expect.stringContaining("waits still") },
      });
    }
    client.send({ type: "approve", id: "call_pay", arguments: { amount: 3 } });
    expect(await client.nextOf("tool_call")).toMatchObject({
      tool_call: { arguments: { amount: 3 } },
    });
    await client.nextOf("done");
    expect(payments.calls).toEqual(['/pay {"amount":3}']);
    expect(JSON.parse(lastTold()[1].tool_calls[0].function.arguments)).toEqual({ amount: 3 });
  });

  it("takes one of two answers that come at once to two replicas", async () => {
    callsWhenTold(/Pay the bet/, [PAY]);
    const [one, two] = [await aReplica(), await aReplica()];
    const first = await one.connect();
    const { sessionId } = await waits(first, "Pay the bet");
    const second = await two.connect(`/?session_id=${sessionId}`);
    await second.nextOf("approval_request");
    first.send({ type: "approve", id: "call_pay" });
    second.send({ type: "approve", id: "call_pay" });
    const results = await Promise.all([first, second].map((client) => nextEnd(client)));
    expect(results.toSorted()).toEqual(["done", "error INVALID_MESSAGE"]);
    expect(payments.calls).toHaveLength(1);
  });

  it("does not hold up the other calls of its step, whose results stay", async () => {
    const other = { name: "look", id: "call_look", arguments: "{}" };
    callsWhenTold(/Look and pay/, [other, PAY, { ...PAY, id: "call_more" }]);
    const client = await (await aReplica()).connect();
    client.say("Look and pay");
    await client.nextOf("done");
    expect(client.frames.map(({ type }) => type)).toEqual([
      "connected",
      "chunk",
      "tool_call",
      "tool_result",
      "approval_request",
      "approval_request",
      "done",
    ]);
    expect(payments.calls).toEqual(["/look {}"]);
    client.send({ type: "deny", id: "call_more" });
    client.send({ type: "approve", id: "call_pay" });
    await client.nextOf("done");
    expect(payments.calls).toEqual(["/look {}", '/pay {"amount":7}']);
    const told = lastTold();
    expect(told[1].tool_calls.map(({ id }: { id: string }) => id)).toEqual([
      "call_look",
      "call_pay",
      "call_more",
    ]);
    const results = told.filter(({ role }) => role === "tool");
    expect(results.map(({ tool_call_id }) => String(tool_call_id)).toSorted()).toEqual([
      "call_look",
      "call_more",
      "call_pay",
    ]);
  });

  it("is denied by a message, which the model is told", async () => {
    callsWhenTold(/Pay the bail/, [PAY]);
    model().mock.onMessage(/Let it be/, { content: "I let it be." });
    const client = await (await aReplica()).connect();
    await waits(client, "Pay the bail");
    expect(await client.ask("Let it be")).toMatchObject({ content: "I let it be." });
    const asked: WireBody[] = model().requests.at(-1)?.body.messages;
    expect(asked.find(({ role }) => role === "tool")).toMatchObject({
      tool_call_id: "call_pay",
      content: expect.stringContaining("counts as a denial"),
    });
    client.send({ type: "approve", id: "call_pay" });
    expect(await client.nextOf("error")).toMatchObject({ error: { code: "INVALID_MESSAGE" } });
    expect(payments.calls).toEqual([]);
  });

  it("is asked about only where its arguments match", async () => {
    const approval = { arguments: { properties: { amount: { exclusiveMinimum: 100 } } } };
    const small = { ...PAY, arguments: '{"amount":100}' };
    const large = { ...PAY, id: "call_large", arguments: '{"amount":101}' };
    const wrong = { ...PAY, id: "call_wrong", arguments: '{"amount":"1000"}' };
    callsWhenTold(/Pay some/, [small, large, wrong]);
    const client = await (await aReplica(config([pay({ approval })]))).connect();
    const { request } = await waits(client, "Pay some");
    expect(request.approval.id).toBe("call_large");
    expect(payments.calls).toEqual(['/pay {"amount":100}']);
    expect(client.frames.filter(({ type }) => type === "approval_request")).toHaveLength(1);
  });

  it("is shown once to a client that resumes, at its place, and also when its frame is no longer kept", async () => {
    callsWhenTold(/Pay the dues/, [PAY]);
    const agent = await aReplica();
    const { request, done, sessionId } = await waits(await agent.connect(), "Pay the dues");
    const typesAfter = async (after: number, count: number) => {
      const client = await agent.connect();
      await client.next();
      client.send({ type: "resume", session_id: sessionId, after });
      const frames = [];
      while (frames.length < count) frames.push(await client.next());
      expect(frames.find(({ type }) => type === "approval_request")).toEqual(request);
      // What comes next is the answer to this.
      client.send({ type: "approve", id: "no such call" });
      await client.nextOf("error");
      expect(client.frames).toHaveLength(1 + count + 1);
      return frames.map(({ type }) => type);
    };
    expect(await typesAfter(0, 4)).toEqual(["connected", "chunk", "approval_request", "done"]);
    expect(await typesAfter(request.seq, 3)).toEqual(["connected", "approval_request", "done"]);
    expect(await typesAfter(done.seq, 2)).toEqual(["connected", "approval_request"]);
    await probe().passTime(sessionId, FRAME_RETENTION_MS);
    expect(await typesAfter(0, 3)).toEqual(["connected", "error", "approval_request"]);
    expect(await typesAfter(done.seq, 2)).toEqual(["connected", "approval_request"]);
  });

  it("ends its turn in TOOL_ERROR when its replica is killed while it runs, and is not made again", async () => {
    payments.isHeld = true;
    callsWhenTold(/Pay the toll/, [PAY]);
    const one = await AgentProcess.start({ config: config(), files: files() });
    const first = await one.connect();
    const { sessionId } = await waits(first, "Pay the toll");
    first.send({ type: "approve", id: "call_pay" });
    await expect.poll(() => payments.calls).toHaveLength(1);
    await one.kill();
    await probe().passTime(sessionId, TURN_LEASE_MS);
    const second = await (await aReplica()).connect(`/?session_id=${sessionId}`);
    expect(await second.nextOf("error")).toMatchObject({
      error: { code: "TOOL_ERROR", details: { tool_calls: [{ id: "call_pay", name: "pay" }] } },
    });
    second.send({ type: "approve", id: "call_pay" });
    expect(await second.nextOf("error")).toMatchObject({ error: { code: "INVALID_MESSAGE" } });
    expect(payments.calls).toHaveLength(1);
    expect(await historyOf(sessionId)).toMatchObject([
      { role: "user" },
      { role: "assistant" },
      { role: "tool", error: expect.stringContaining("is not known") },
    ]);
  });

  it("has an error as its result when its tool is gone, and is not made without the answer when it needs none any more", async () => {
    callsWhenTold(/Pay the vet/, [PAY], "I see.");
    const agent = await aReplica();
    const client = await agent.connect();
    await waits(client, "Pay the vet");
    const { sessionId } = await waits(await agent.connect(), "Pay the vet");
    const other = await (
      await aReplica(config([pay({ approval: "never" })]))
    ).connect(`/?session_id=${sessionId}`);
    await other.nextOf("approval_request");
    expect(payments.calls).toEqual([]);
    other.send({ type: "approve", id: "call_pay" });
    await other.nextOf("done");
    expect(payments.calls).toHaveLength(1);

    const without = await aReplica(config([look()]));
    const third = await without.connect(`/?session_id=${client.frames[0]?.session_id}`);
    await third.nextOf("approval_request");
    third.send({ type: "approve", id: "call_pay", arguments: { amount: 5 } });
    expect(await third.nextOf("tool_result")).toMatchObject({
      tool_result: { error: expect.stringContaining("there is no tool") },
    });
    expect(await third.nextOf("done")).toMatchObject({ content: "I see." });
    expect(payments.calls).toHaveLength(1);
  });

  it("counts towards the limits of its turn", async () => {
    model().mock.on({ userMessage: /Pay for ever/, hasToolResult: false }, { toolCalls: [PAY] });
    model().mock.on(
      { userMessage: /Pay for ever/, hasToolResult: true },
      { content: "Enough.", toolCalls: [PAY] },
    );
    const client = await (await aReplica(config([pay()], { maxRounds: 2 }))).connect();
    await waits(client, "Pay for ever");
    client.send({ type: "approve", id: "call_pay" });
    const again = await client.nextOf("approval_request");
    expect(again.approval.id).toBe("call_pay-2");
    await client.nextOf("done");
    client.send({ type: "approve", id: "call_pay-2" });
    expect(await client.nextOf("done")).toMatchObject({ finish_reason: "tool_limit" });
    expect(payments.calls).toHaveLength(2);
  });

  it("is answered in the session that the client names, and in none that is not there", async () => {
    callsWhenTold(/Pay the duty/, [PAY]);
    const agent = await aReplica();
    const { sessionId } = await waits(await agent.connect(), "Pay the duty");
    const other = await agent.connect();
    other.send({ type: "approve", id: "call_pay" });
    expect(await other.nextOf("error")).toMatchObject({ error: { code: "INVALID_MESSAGE" } });
    other.send({ type: "approve", id: "call_pay", session_id: "no-such-session" });
    expect(await other.nextOf("error")).toMatchObject({ error: { code: "SESSION_NOT_FOUND" } });
    other.send({ type: "approve", id: "call_pay", session_id: sessionId });
    expect(await other.nextOf("done")).toMatchObject({ session_id: sessionId });
    expect(payments.calls).toHaveLength(1);
  });

  it("waits in the memory of a replica too", async () => {
    callsWhenTold(/Pay the cook/, [PAY]);
    const memory = { ...config(), session: { type: "memory", ttlMs: HOUR_MS } } as const;
    const agent = await TestAgent.start({ config: memory, files: files() });
    const { sessionId } = await waits(await agent.connect(), "Pay the cook");
    const other = await agent.connect(`/?session_id=${sessionId}`);
    await other.nextOf("approval_request");
    other.send({ type: "approve", id: "call_pay" });
    expect(await other.nextOf("done")).toMatchObject({ content: "All is done." });
    expect(payments.calls).toHaveLength(1);
  });
});

describe("an agent whose calls wait", () => {
  it("passes the checks of conformance on them, none of which has an effect", async () => {
    callsWhenTold(/Pay twice at once/, [PAY, { ...PAY, id: "call_other" }]);
    model().mock.onMessage("hello", { content: "Hello." });
    const agent = await aReplica();
    const approvalMessage = "Pay twice at once";
    const results = await runSuite(
      { url: new URL(agent.url), token: undefined, handler: "unknown", approvalMessage },
      { timeoutMs: 10_000, signal: new AbortController().signal, onResult: () => {} },
    );
    const names = approvalChecks(approvalMessage).map(({ name }) => name);
    const ofApprovals = results.filter(({ name }) => names.includes(name));
    expect(ofApprovals.map(({ name, result, reason }) => ({ name, result, reason }))).toEqual(
      names.map((name) => ({ name, result: "pass" })),
    );
    expect(results).toHaveLength(CHECKS.length + names.length);
    expect(payments.calls).toEqual([]);
  });
});

/** How the next turn, or the answer to a call, ends for a client. */
async function nextEnd(client: ChatClient): Promise<string> {
  for (;;) {
    const frame = await client.next();
    if (frame.type === "error") return `error ${frame.error.code}`;
    if (frame.type === "done") return "done";
  }
}
