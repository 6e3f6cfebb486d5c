/** The line that an agent writes for each turn: exactly one at `info`, in whichever way the turn ends. */
import { describe, expect, it, vi } from "vitest";
import type { AgentConfig } from "../../../src/agent-config/agent-config.ts";
import { startModelServer } from "../../support/agent/model-server.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { aRuntimeConfig, aTool } from "../../support/builders/agent-config.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import { startHttpServer } from "../../support/processes/http-server.ts";
import { startRedis } from "../../support/redis/redis.ts";

const PRIVATE = "private-words";

const redis = forAllTests(
  () => startRedis(),
  (redis) => redis[Symbol.asyncDispose](),
);
const model = forAllTests(
  async () => {
    const server = await startModelServer();
    const { mock } = server;
    mock.on({ userMessage: "fail" }, { error: { message: PRIVATE, type: "server" }, status: 401 });
    mock.on(
      { userMessage: "pay", hasToolResult: false },
      { toolCalls: [{ id: "call-1", name: "pay", arguments: `{"note":"${PRIVATE}"}` }] },
    );
    mock.on({ userMessage: "long" }, { content: `${PRIVATE} `.repeat(100) }, { latency: 20 });
    mock.onMessage(/./, { content: PRIVATE });
    return server;
  },
  (server) => server.close(),
);
const tool = forAllTests(
  () => startHttpServer((_request, response) => void response.end("{}")),
  (tool) => tool.close(),
);

function aReplica(): Promise<TestAgent> {
  const config: Partial<AgentConfig> = {
    ...aRuntimeConfig({
      provider: { baseURL: model().url, api: "chat" },
      tools: [
        aTool({
          name: "pay",
          url: tool().url,
          inputSchema: { type: "object" },
          approval: "always",
        }),
      ],
    }),
    session: { type: "redis", ttlMs: 3_600_000, storeURLFile: "secrets/session-store/url" },
  };
  const files = {
    "secrets/session-store/url": `${redis().url}\n`,
    "provider/api-key": "sk-test\n",
  };
  return TestAgent.start({ config, files, env: {} });
}

/** What it wrote at `info` since it listened. */
function linesOf({ logged }: TestAgent): Record<string, unknown>[] {
  const start = logged.findLastIndex(({ msg }) => msg === "Listening");
  return logged.slice(start + 1).filter(({ level }) => level === "info");
}

/** Waits for the one line, and for another one that there must not be. */
async function expectOneLine(agent: TestAgent, line: object): Promise<void> {
  await vi.waitFor(() => expect(linesOf(agent)).not.toEqual([]));
  await agent.management("/metrics");
  expect(linesOf(agent)).toEqual([expect.objectContaining({ msg: "A turn has ended", ...line })]);
  expect(JSON.stringify(linesOf(agent))).not.toContain(PRIVATE);
}

describe("the line of a turn", () => {
  it("is one when it is done", async () => {
    const agent = await aReplica();
    const client = await agent.connect();
    const { session_id: sessionId } = await client.ask("hello");
    await expectOneLine(agent, {
      sessionId,
      outcome: "success",
      finishReason: "stop",
      toolCalls: 0,
    });
  });

  it("is one when it fails", async () => {
    const agent = await aReplica();
    const client = await agent.connect();
    client.say("fail");
    await client.nextOf("error");
    await expectOneLine(agent, { outcome: "error", code: "PROVIDER_ERROR" });
  });

  it("is one when it is cancelled", async () => {
    const agent = await aReplica();
    const client = await agent.connect();
    client.say("long");
    await client.nextOf("chunk");
    client.send({ type: "cancel" });
    await client.nextOf("done");
    await expectOneLine(agent, { outcome: "cancelled", finishReason: "cancelled" });
  });

  it("is one when it asks for an approval, and one more for the turn that goes on", async () => {
    const agent = await aReplica();
    const client = await agent.connect();
    client.say("pay");
    const { approval } = await client.nextOf("approval_request");
    await client.nextOf("done");
    await expectOneLine(agent, { outcome: "success", finishReason: "awaiting_approval" });
    client.send({ type: "approve", id: approval.id });
    await client.nextOf("done");
    await vi.waitFor(() => expect(linesOf(agent)).toHaveLength(2));
    expect(linesOf(agent)[1]).toMatchObject({ outcome: "success", finishReason: "stop" });
  });

  it("is one at each replica when it moves, and counts where it ends", async () => {
    const [one, two] = [await aReplica(), await aReplica()];
    const first = await one.connect();
    first.say("long");
    const { session_id, turn_id } = await first.nextOf("chunk");
    await one.running.close();
    await first.closed;
    const second = await two.connect();
    second.send({ type: "resume", session_id, after: first.frames.length - 1 });
    await second.nextOf("done");
    const ofTurn = (agent: TestAgent) => linesOf(agent).filter(({ turnId }) => turnId === turn_id);
    expect(ofTurn(one)).toMatchObject([{ msg: "A turn has ended", outcome: "moved" }]);
    await vi.waitFor(() => expect(ofTurn(two)).toHaveLength(1));
    expect(ofTurn(two)).toMatchObject([{ msg: "A turn has ended", outcome: "success" }]);
    expect(await two.metric("omnia_agent_requests_total", { status: "success" })).toBe(1);
    expect(await two.metric("omnia_agent_request_duration_seconds_count")).toBe(1);
    expect(JSON.stringify(ofTurn(one).concat(ofTurn(two)))).not.toContain(PRIVATE);
  });
});
