/** Replicas that are killed in the middle of a turn that a runtime answers, and those that go on with it. */
import { describe, expect, it, onTestFinished } from "vitest";
import type { AgentConfig } from "../../../src/agent-config/agent-config.ts";
import { TURN_LEASE_MS } from "../../../src/agent/sessions/session-store.ts";
import { AgentProcess } from "../../support/agent/agent-process.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { anAgentConfig, aPrompt, aTool } from "../../support/builders/agent-config.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import { startHttpServer } from "../../support/processes/http-server.ts";
import { RedisProbe } from "../../support/redis/redis-sessions.ts";
import { startRedis } from "../../support/redis/redis.ts";
import { startAgUiServer, type Run } from "../../support/runtimes/ag-ui-server.ts";

const redis = forAllTests(
  () => startRedis({ appendOnly: true }),
  (redis) => redis[Symbol.asyncDispose](),
);
const probe = forAllTests(
  () => new RedisProbe(redis().url),
  (probe) => probe.close(),
);

async function replicasOf(
  answer: (run: Run) => void | Promise<void>,
  tools: AgentConfig["tools"] = [],
) {
  const runtime = await startAgUiServer(answer);
  onTestFinished(() => runtime.close());
  const config = anAgentConfig({
    handler: "runtime",
    prompt: { active: aPrompt() },
    session: { type: "redis", ttlMs: 3_600_000, storeURLFile: "secrets/session-store/url" },
    tools,
  });
  const files = { "secrets/session-store/url": `${redis().url}\n` };
  const env = { OMNIA_RUNTIME_URL: runtime.url };
  return {
    runtime,
    dying: await AgentProcess.start({ config, files, env }),
    next: await TestAgent.start({ config, files, env }),
  };
}

/** The lease of the dead, without the wait for its end. */
async function leaseEnds(sessionId: string): Promise<void> {
  await probe().passTime(sessionId, TURN_LEASE_MS);
}

describe("a replica that is killed while a runtime answers", () => {
  it("leaves a turn that goes on behind the framework's last call that has ended", async () => {
    const { runtime, dying, next } = await replicasOf(async (run) => {
      if (run.number === 0) {
        run.call("own", "search", {});
        run.send({ type: "TOOL_CALL_RESULT", toolCallId: "own", content: "found" });
        run.say("The ans");
        await run.closed;
      } else {
        run.say("wer is 4.");
        run.finish();
      }
    });
    const first = await dying.connect();
    first.say("What is it?");
    const { session_id } = await first.nextOf("chunk");
    await dying.kill();
    await leaseEnds(session_id);

    const second = await next.connect();
    second.send({ type: "resume", session_id, after: 0 });
    expect(await second.nextOf("done")).toMatchObject({ content: "The answer is 4." });
    expect(runtime.inputs).toHaveLength(2);
    expect(runtime.inputs[1].messages.slice(1)).toMatchObject([
      { role: "user", content: "What is it?" },
      { role: "assistant", toolCalls: [{ id: "own" }] },
      { role: "tool", toolCallId: "own", content: "found" },
    ]);
    expect(second.frames.filter(({ type }) => type === "tool_call")).toHaveLength(1);
    expect(second.frames.filter(({ type }) => type === "tool_result")).toHaveLength(1);
  });

  it("leaves a turn that ends with TOOL_ERROR when a call of the framework had begun", async () => {
    const { runtime, dying, next } = await replicasOf(async (run) => {
      if (run.number === 0) {
        run.call("own", "transfer", { amount: 3 });
        await run.closed;
      } else {
        run.say("Well.");
        run.finish();
      }
    });
    const first = await dying.connect();
    first.say("Transfer three");
    const { session_id } = await first.nextOf("tool_call");
    await dying.kill();
    await leaseEnds(session_id);

    const second = await next.connect();
    second.send({ type: "resume", session_id, after: 0 });
    expect(await second.nextOf("error")).toMatchObject({
      error: {
        code: "TOOL_ERROR",
        details: { tool_calls: [{ id: "own", name: "transfer" }] },
      },
    });
    expect(runtime.inputs).toHaveLength(1);
    expect(await second.ask("What happened?", { session_id })).toMatchObject({ content: "Well." });
    expect(runtime.inputs[1].messages.slice(1)).toMatchObject([
      { role: "user" },
      { role: "assistant", toolCalls: [{ id: "own" }] },
      { role: "tool", toolCallId: "own", error: expect.stringContaining("not known") },
      { role: "assistant" },
      { role: "user", content: expect.stringContaining("What happened?") },
    ]);
  });

  it("has called a tool of the registry once, when it is killed during the call", async () => {
    const calls: string[] = [];
    const shop = await startHttpServer((request) => void calls.push(request.url ?? ""));
    onTestFinished(() => shop.close());
    const tool = aTool({ name: "pay", url: `${shop.url}/pay`, inputSchema: { type: "object" } });
    const { runtime, dying, next } = await replicasOf(
      (run) => {
        run.call("call-a", "pay", {});
        run.finish();
      },
      [tool],
    );
    const first = await dying.connect();
    first.say("Pay");
    const { session_id } = await first.nextOf("tool_call");
    await expect.poll(() => calls).toHaveLength(1);
    await dying.kill();
    await leaseEnds(session_id);

    const second = await next.connect();
    second.send({ type: "resume", session_id, after: 0 });
    expect(await second.nextOf("error")).toMatchObject({ error: { code: "TOOL_ERROR" } });
    expect(calls).toHaveLength(1);
    expect(runtime.inputs).toHaveLength(1);
  });

  it("leaves a result that the framework is told by the next replica", async () => {
    const shop = await startHttpServer((_, response) => {
      response.setHeader("content-type", "application/json");
      response.end('{"paid":true}');
    });
    onTestFinished(() => shop.close());
    const tool = aTool({ name: "pay", url: `${shop.url}/pay`, inputSchema: { type: "object" } });
    const { runtime, dying, next } = await replicasOf(
      async (run) => {
        if (run.number === 0) run.call("call-a", "pay", {});
        if (run.number === 1) return await run.closed;
        if (run.number === 2) run.say("Paid.");
        run.finish();
      },
      [tool],
    );
    const first = await dying.connect();
    first.say("Pay");
    const { session_id } = await first.nextOf("tool_result");
    await expect.poll(() => runtime.inputs).toHaveLength(2);
    await dying.kill();
    await leaseEnds(session_id);

    const second = await next.connect();
    second.send({ type: "resume", session_id, after: 0 });
    expect(await second.nextOf("done")).toMatchObject({ content: "Paid." });
    const told = ({ messages }: (typeof runtime.inputs)[number]) =>
      JSON.stringify(messages.map((message: object) => ({ ...message, id: "" })));
    expect(told(runtime.inputs[2])).toBe(told(runtime.inputs[1]));
    expect(runtime.inputs[2].threadId).not.toBe(runtime.inputs[1].threadId);
  });
});
