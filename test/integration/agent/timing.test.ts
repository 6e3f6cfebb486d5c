import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { ManualClock } from "../../support/builders/manual-clock.ts";
import { aRuntimeConfig } from "../../support/builders/agent-config.ts";

const SECOND = 1_000;

describe("a heartbeat", () => {
  it("keeps a client that answers, however long it says nothing", async () => {
    const clock = new ManualClock();
    const agent = await TestAgent.start({ clock });
    const client = await agent.connect();
    let pings = 0;
    client.socket.on("ping", () => pings++);
    for (let beat = 1; beat <= 10; beat++) {
      await clock.advance(30 * SECOND);
      await expect.poll(() => pings).toBe(beat);
      // The pong has arrived when something that was sent after it has.
      await client.ask("hello");
    }
  });

  it("ends the connection of a client that has not answered for a minute", async () => {
    const clock = new ManualClock();
    const agent = await TestAgent.start({ clock });
    const client = await agent.connect("/", { autoPong: false });
    await clock.advance(59 * SECOND);
    await client.ask("a message is no pong");
    expect(client.socket.readyState).toBe(client.socket.OPEN);
    await clock.advance(1 * SECOND);
    expect(await client.closed).toMatchObject({ code: 1006 });
    await expect.poll(() => agent.metric("omnia_agent_connections_active")).toBe(0);
  });
});

describe("a client that does not read", () => {
  const much = "x".repeat(500_000);

  /** A client that has left more unread than the agent and the machine between them will hold. */
  async function aStuckClient(clock: ManualClock, agent: TestAgent) {
    const client = await agent.connect();
    const { session_id } = await client.nextOf("connected");
    client.socket.pause();
    for (let count = 0; count < 64; count++) client.say(much);
    // Its turns stop to begin: the agent no longer takes what it sends.
    let before = -1;
    for (;;) {
      for (let turn = 0; turn < 200; turn++) await clock.advance(0);
      const turns = (await agent.metric("omnia_agent_requests_total", { status: "success" })) ?? 0;
      if (turns === before) break;
      before = turns;
    }
    expect(before).toBeLessThan(64);
    return { client, session_id };
  }

  it("is closed with 1013 after half a minute, and its session stays", async () => {
    const clock = new ManualClock();
    const agent = await TestAgent.start({ clock });
    const { client, session_id } = await aStuckClient(clock, agent);
    await clock.advance(29 * SECOND);
    expect(await agent.metric("omnia_agent_connections_active")).toBe(1);
    await clock.advance(1 * SECOND);
    client.socket.resume();
    expect(await client.closed).toMatchObject({ code: 1013 });
    const again = await agent.connect(`/?session_id=${session_id}`);
    expect(await again.next()).toMatchObject({ type: "connected", resumed: true });
    expect(await again.ask("hello")).toMatchObject({ session_id, content: "hello" });
  });

  it("gets all of its answers when it reads again in time", async () => {
    const clock = new ManualClock();
    const agent = await TestAgent.start({ clock });
    const { client } = await aStuckClient(clock, agent);
    await clock.advance(20 * SECOND);
    client.socket.resume();
    for (let count = 1; count <= 64; count++) {
      expect(await client.nextOf("done")).toMatchObject({ seq: count });
    }
    await clock.advance(20 * SECOND);
    expect(await client.ask("hello")).toMatchObject({ seq: 65 });
  });
});

/** A model that says what the test says, and never comes to an end. */
async function anEndlessModel() {
  const asked = Promise.withResolvers<ServerResponse>();
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { "content-type": "text/event-stream" });
    asked.resolve(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    say: async (content: string, finish_reason: string | null = null) => {
      const choices = [{ index: 0, delta: { content }, finish_reason }];
      const event = { id: "1", object: "chat.completion.chunk", created: 1, model: "m", choices };
      (await asked.promise).write(`data: ${JSON.stringify(event)}\n\n`);
    },
    end: () => void asked.promise.then((response) => response.end("data: [DONE]\n\n")),
  };
}

describe("a turn of a quarter of an hour", () => {
  it("arrives whole, with a chunk a minute", async () => {
    const clock = new ManualClock();
    const model = await anEndlessModel();
    const agent = await TestAgent.start({
      clock,
      config: aRuntimeConfig({ provider: { baseURL: model.url } }),
      files: { "provider/api-key": "a-key" },
    });
    const client = await agent.connect();
    client.say("hello");
    await expect.poll(() => agent.metric("omnia_agent_requests_inflight")).toBe(1);
    for (let minute = 1; minute <= 15; minute++) {
      for (let beat = 0; beat < 2; beat++) {
        await clock.advance(30 * SECOND);
        // The pong has arrived when something that was sent after it has.
        client.send("{}");
        await client.nextOf("error");
      }
      await model.say(`minute ${minute} `, minute === 15 ? "stop" : null);
      await expect
        .poll(() => client.frames.filter(({ type }) => type === "chunk").length)
        .toBe(minute);
    }
    model.end();
    const content = Array.from({ length: 15 }, (_, index) => `minute ${index + 1} `).join("");
    expect(await client.nextOf("done")).toMatchObject({ finish_reason: "stop", content, seq: 16 });
  });
});

describe("a drain", () => {
  it("closes idle connections with 1001, refuses new ones, and says so at /readyz first", async () => {
    const clock = new ManualClock();
    const agent = await TestAgent.start({ clock, config: { handler: "demo" }, env: {} });
    const idle = await agent.connect();
    const busy = await agent.connect();
    busy.say("hello");
    await expect.poll(() => agent.metric("omnia_agent_requests_inflight")).toBe(1);
    const drained = agent.running.drain();
    expect(await agent.management("/readyz")).toMatchObject({ status: 503 });
    expect(await agent.management("/healthz")).toMatchObject({ status: 200 });
    await expect(agent.connect()).rejects.toThrow("503");
    await clock.advance(100);
    expect(await idle.closed).toMatchObject({ code: 1001 });

    // The turn goes on to its end; what else is asked is refused.
    busy.say("one more");
    expect(await busy.nextOf("error")).toMatchObject({
      error: { code: "UNAVAILABLE", details: { retry_after: expect.any(Number) } },
    });
    for (let step = 0; step < 100 && busy.socket.readyState === busy.socket.OPEN; step++)
      await clock.advance(100);
    expect(await busy.nextOf("done")).toMatchObject({ finish_reason: "stop" });
    expect(await busy.closed).toMatchObject({ code: 1001 });
    await drained;
    await agent.running.closed;
  });

  it("ends the turns that are not done after a minute", async () => {
    const clock = new ManualClock();
    const model = await anEndlessModel();
    const agent = await TestAgent.start({
      clock,
      config: aRuntimeConfig({ provider: { baseURL: model.url } }),
      files: { "provider/api-key": "a-key" },
    });
    const client = await agent.connect();
    client.say("hello");
    await expect.poll(() => agent.metric("omnia_agent_requests_inflight")).toBe(1);
    const drained = agent.running.drain();
    for (let second = 0; second < 60; second += 10) {
      await model.say("more ");
      await client.nextOf("chunk");
      await clock.advance(10 * SECOND);
    }
    expect(await client.nextOf("error")).toMatchObject({
      turn_id: expect.any(String),
      error: { code: "UNAVAILABLE" },
    });
    expect(await client.closed).toMatchObject({ code: 1001 });
    await drained;
  });

  it("is over at once when nobody is there", async () => {
    const agent = await TestAgent.start({ clock: new ManualClock() });
    await agent.running.drain();
    await expect(agent.management("/healthz")).rejects.toThrow("fetch failed");
  });

  it("closes many idle connections one after the other", async () => {
    const clock = new ManualClock();
    const agent = await TestAgent.start({ clock });
    const clients = await Promise.all(Array.from({ length: 20 }, () => agent.connect()));
    const drained = agent.running.drain();
    await clock.advance(200);
    const open = () => agent.metric("omnia_agent_connections_active");
    await expect.poll(open).toBe(9);
    await clock.advance(200);
    for (const client of clients) expect(await client.closed).toMatchObject({ code: 1001 });
    // No longer than that.
    await drained;
  });

  it("closes an idle connection at once when its client says something, which it is told to say elsewhere", async () => {
    const clock = new ManualClock();
    const agent = await TestAgent.start({ clock });
    await agent.connect();
    const client = await agent.connect();
    const drained = agent.running.drain();
    client.say("hello");
    expect(await client.nextOf("error")).toMatchObject({
      error: { code: "UNAVAILABLE", details: { retry_after: expect.any(Number) } },
    });
    expect(await client.closed).toMatchObject({ code: 1001 });
    await clock.advance(20);
    await drained;
  });
});
