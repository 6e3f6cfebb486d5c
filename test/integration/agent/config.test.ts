import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { runAgent } from "../../../src/agent/agent.ts";
import { createLog } from "../../../src/observability/log.ts";
import { ChatClient } from "../../support/agent/chat-client.ts";
import { anAgentConfig, aRuntimeConfig } from "../../support/builders/agent-config.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";

/** Asks until the answer is of the demo, or of echo. */
async function untilAnsweredBy(client: ChatClient, handler: "demo" | "echo"): Promise<void> {
  await expect
    .poll(async () => ((await client.ask("hello")).content === "hello" ? "echo" : "demo"))
    .toBe(handler);
}

describe("a changed config", () => {
  it("is used by the next turn of a connection that stays open, in the same session", async () => {
    const agent = await TestAgent.start();
    const client = await agent.connect();
    const { session_id } = await client.ask("hello");
    await agent.writeConfig({ handler: "demo" });
    await untilAnsweredBy(client, "demo");
    await agent.writeConfig({ handler: "echo" });
    await untilAnsweredBy(client, "echo");
    expect(client.frames.filter(({ type }) => type === "connected")).toHaveLength(1);
    expect(client.frames.at(-1)?.session_id).toBe(session_id);
  });

  it("is found where it is written in place", async () => {
    const agent = await TestAgent.start();
    const client = await agent.connect();
    await writeFile(agent.configPath, JSON.stringify(anAgentConfig({ handler: "demo" })));
    await untilAnsweredBy(client, "demo");
  });

  it("is found where a cluster swaps the folder behind a symbolic link", async () => {
    const folder = await mkdtemp(join(tmpdir(), "agent-mount-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const mount = async (version: string, handler: "demo" | "echo") => {
      await mkdir(join(folder, version));
      await writeFile(
        join(folder, version, "agent.json"),
        JSON.stringify(anAgentConfig({ handler })),
      );
      await symlink(version, join(folder, "..data_tmp"));
      await rename(join(folder, "..data_tmp"), join(folder, "..data"));
    };
    await mount("..2026_01", "echo");
    await symlink("..data/agent.json", join(folder, "agent.json"));
    const agent = await runAgent({
      configPath: join(folder, "agent.json"),
      host: "127.0.0.1",
      managementPort: 0,
      log: createLog({ level: "silent" }),
      env: { OMNIA_DEMO_PAUSES: "off" },
    });
    onTestFinished(() => agent.close());
    const client = await ChatClient.connect(`ws://127.0.0.1:${agent.facadePort ?? 0}`);
    await untilAnsweredBy(client, "echo");
    await mount("..2026_02", "demo");
    await untilAnsweredBy(client, "demo");
  });

  it("that is no good is told of once, and the one before stays", async () => {
    const agent = await TestAgent.start();
    const client = await agent.connect();
    const problems = () => agent.logged.filter((line) => typeof line["problem"] === "string");
    await agent.writeConfig('{"version": 1, "handler": ');
    await expect.poll(problems).toHaveLength(1);
    await agent.writeConfig(
      JSON.stringify({ ...anAgentConfig(), handler: "sing", surprise: "s3cret" }),
    );
    await expect.poll(problems).toHaveLength(2);
    expect(problems()[1]?.["problem"]).toMatch(/agent\.json is not an agent config: .*handler/);
    expect(JSON.stringify(agent.logged)).not.toContain("s3cret");
    await rm(agent.configPath);
    await expect.poll(problems).toHaveLength(3);
    expect(await client.ask("hello")).toMatchObject({ content: "hello" });
    expect(await agent.management("/readyz")).toMatchObject({ status: 200 });
    await agent.writeConfig({ handler: "demo" });
    await untilAnsweredBy(client, "demo");
  });

  it("moves the facade to another port, with no connection dropped", async () => {
    const agent = await TestAgent.start();
    const client = await agent.connect();
    const before = agent.running.facadePort;
    // A port that was free a moment ago.
    const other = await TestAgent.start();
    const port = other.running.facadePort ?? 0;
    await other.running.close();
    await agent.writeConfig({ facade: { port } });
    await expect.poll(() => agent.running.facadePort).toBe(port);
    expect(await client.ask("hello")).toMatchObject({ content: "hello" });
    expect(await (await agent.connect()).next()).toMatchObject({ type: "connected" });
    await expect(ChatClient.connect(`ws://127.0.0.1:${before ?? 0}`)).rejects.toThrow(
      "ECONNREFUSED",
    );
  });

  it("leaves the port alone when it was given with the command", async () => {
    const agent = await TestAgent.start({ facadePort: 0 });
    const before = agent.running.facadePort;
    await agent.writeConfig({ facade: { port: 1 }, handler: "demo" });
    await untilAnsweredBy(await agent.connect(), "demo");
    expect(agent.running.facadePort).toBe(before);
  });

  it("that asks for authentication counts for the next connection, and for those that are open", async () => {
    const agent = await TestAgent.start({ files: { "secrets/keys/web": "the-key" } });
    const client = await agent.connect();
    await agent.writeConfig({ facade: { port: 0, auth: { apiKeysFolder: "secrets/keys" } } });
    await expect
      .poll(() =>
        agent.connect().then(
          () => "open",
          (error: Error) => error.message,
        ),
      )
      .toContain("401");
    expect(await client.closed).toMatchObject({ code: 4401 });
    await agent.connect("/", { headers: { "x-api-key": "the-key" } });
  });
});

describe("an agent without config", () => {
  it("lives, is not ready and says why, until its config comes", async () => {
    const agent = await TestAgent.start({
      withoutConfig: true,
      env: { OMNIA_AGENT_NAME: "helper", OMNIA_NAMESPACE: "team" },
    });
    const ofAgent = { agent: "helper", namespace: "team" };
    expect(await agent.metric("omnia_agent_connections_active", ofAgent)).toBe(0);
    expect(await agent.management("/healthz")).toMatchObject({ status: 200 });
    const unready = await agent.management("/readyz");
    expect(unready.status).toBe(503);
    expect(JSON.parse(unready.body)).toEqual({
      status: "not ready",
      reasons: [expect.stringMatching(/no usable config: .*agent\.json does not exist/)],
    });
    expect(agent.running.facadePort).toBeUndefined();
    await agent.writeConfig({});
    await expect.poll(() => agent.management("/readyz")).toMatchObject({ status: 200 });
    expect(await (await agent.connect()).ask("hello")).toMatchObject({ content: "hello" });
  });

  it("is found even when its folder comes later", async () => {
    const folder = await mkdtemp(join(tmpdir(), "agent-late-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const configPath = join(folder, "later", "agent.json");
    const agent = await runAgent({
      configPath,
      host: "127.0.0.1",
      managementPort: 0,
      log: createLog({ level: "silent" }),
      env: {},
    });
    onTestFinished(() => agent.close());
    await mkdir(join(folder, "later"));
    await writeFile(configPath, JSON.stringify(anAgentConfig()));
    await expect.poll(() => agent.facadePort).toBeGreaterThan(0);
  });
});

describe("the management port", () => {
  it("says that the agent is ready when a turn could be served, and why not when its key is missing", async () => {
    const config = aRuntimeConfig({ provider: { baseURL: "http://127.0.0.1:1/v1" } });
    const agent = await TestAgent.start({ config });
    // A handler that is still being loaded has another reason.
    await vi.waitFor(async () => {
      const unready = await agent.management("/readyz");
      expect(unready.status).toBe(503);
      expect(JSON.parse(unready.body)).toMatchObject({ reasons: [expect.stringMatching(/key/i)] });
    });
    await agent.writeFile("provider/api-key", "");
    expect((await agent.management("/readyz")).status).toBe(503);
    await agent.writeFile("provider/api-key", "a-key\n");
    await expect
      .poll(() => agent.management("/readyz"))
      .toMatchObject({ status: 200, body: '{"status":"ready"}\n' });
  });

  it("counts what it serves under the agent's name", async () => {
    const agent = await TestAgent.start({ config: { handler: "demo" } });
    const client = await agent.connect();
    await client.ask("weather");
    await client.ask("hello");
    const { body } = await agent.management("/metrics");
    const values = body.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    const unnamed = values.filter((line) => !/agent="helper".*namespace="team"/.test(line));
    expect(unnamed).toEqual([]);
    expect(body).toContain("process_resident_memory_bytes{");
    expect(await agent.metric("omnia_agent_connections_active")).toBe(1);
    expect(await agent.metric("omnia_agent_connections_total")).toBe(1);
    expect(await agent.metric("omnia_agent_sessions_active")).toBe(1);
    expect(await agent.metric("omnia_agent_requests_inflight")).toBe(0);
    expect(
      await agent.metric("omnia_agent_requests_total", { status: "success", handler: "demo" }),
    ).toBe(2);
    expect(await agent.metric("omnia_agent_request_duration_seconds_count")).toBe(2);
    expect(await agent.metric("omnia_agent_time_to_first_chunk_seconds_count")).toBe(2);
    expect(await agent.metric("omnia_agent_messages_received_total")).toBe(2);
    expect(await agent.metric("omnia_agent_messages_sent_total")).toBe(client.frames.length);
  });

  it("answers nothing else", async () => {
    const agent = await TestAgent.start();
    expect(await agent.management("/")).toMatchObject({ status: 404 });
    const post = await fetch(`http://127.0.0.1:${agent.running.managementPort}/healthz`, {
      method: "POST",
    });
    expect(post.status).toBe(405);
  });
});
