/** The tools of MCP servers that others have made, in both eras of the protocol, and of a proxy before them that breaks it. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished, describe, expect, it, vi } from "vitest";
import type { ToolConfig } from "../../../src/agent-config/agent-config.ts";
import { createLog } from "../../../src/observability/log.ts";
import { withSpan } from "../../../src/observability/tracing/active-span.ts";
import { loadTracer } from "../../../src/observability/tracing/load-tracer.ts";
import { readTraceParent } from "../../../src/observability/tracing/trace-parent.ts";
import { systemClock } from "../../../src/time/clock.ts";
import type { ListingServer } from "../../../src/tool-servers/server/read-list.ts";
import type { ToolOutcome } from "../../../src/tool-servers/server/tool-outcome.ts";
import { isAlive } from "../../../src/local/state/lock-state-folder.ts";
import { ToolServers } from "../../../src/tool-servers/tool-servers.ts";
import { startModelServer } from "../../support/agent/model-server.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { aRuntimeConfig, aTool } from "../../support/builders/agent-config.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";
import {
  FAULT_BODY,
  MCP_FAULTS,
  startMcpFaultProxy,
  type McpFault,
} from "../../support/mcp/mcp-fault-proxy.ts";
import { startTraceReceiver } from "../../support/observability/trace-receiver.ts";
import {
  startMcpServer,
  stdioCommands,
  type McpServerKind,
  type McpServerProcess,
} from "../../support/mcp/mcp-servers.ts";
import { timeFor } from "../../support/processes/busy-machine.ts";

interface WireCall {
  readonly method: string;
  readonly params: { readonly _meta?: Readonly<Record<string, unknown>> };
}

const { signal } = new AbortController();
const FAULTS: McpFault[] = [...(Object.keys(MCP_FAULTS) as McpFault[]), "10 s late"];

function serverAt(tool: Pick<ToolConfig, "url"> & Partial<ToolConfig>) {
  const logged: string[] = [];
  const servers = new ToolServers({
    readSecret: () => Promise.resolve(""),
    clock: systemClock,
    random: Math.random,
    log: createLog({ destination: { write: (line) => void logged.push(line) } }),
  });
  onTestFinished(() => servers.close());
  const config = aTool({ type: "mcp", registryName: "server", retries: 2, ...tool });
  return { server: servers.of(config) as ListingServer, servers, logged };
}

async function started(kind: McpServerKind): Promise<McpServerProcess> {
  const server = await startMcpServer(kind);
  onTestFinished(() => server.kill());
  return server;
}

function transportOf(kind: McpServerKind): NonNullable<ToolConfig["mcp"]>["transport"] {
  return kind === "everything-sse" ? "sse" : "http";
}

/** A tool of the server that adds two numbers, and one that takes long. */
const TOOLS: Record<McpServerKind, { add: [string, object, unknown]; long: [string, object] }> = {
  "everything-http": everythingTools(),
  "everything-sse": everythingTools(),
  "python-http": { add: ["add", { a: 1, b: 2 }, { result: 3 }], long: ["wait", { seconds: 30 }] },
};

function everythingTools(): { add: [string, object, unknown]; long: [string, object] } {
  return {
    add: ["get-sum", { a: 1, b: 2 }, "The sum of 1 and 2 is 3."],
    long: ["trigger-long-running-operation", { duration: 30, steps: 2 }],
  };
}

const KINDS = Object.keys(TOOLS) as McpServerKind[];

function call(
  server: ListingServer,
  [name, toolArguments]: readonly [string, object, ...unknown[]],
  options: { signal?: AbortSignal; timeoutMs?: number } = {},
): Promise<ToolOutcome> {
  const given = toolArguments as Record<string, unknown>;
  return server.call(name, given, { signal, timeoutMs: 20_000, ...options });
}

describe.each(KINDS)("the MCP server %s", (kind) => {
  const mcp = { transport: transportOf(kind) };
  const { add, long } = TOOLS[kind];

  it("is listed and called, also many times at once", async () => {
    const { server } = serverAt({ url: (await started(kind)).url, mcp });
    const names = (await server.list(signal)).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining([add[0], long[0]]));
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => call(server, add)));
    for (const outcome of outcomes) expect(outcome).toEqual({ result: add[2] });
    expect(await call(server, ["nothing", {}])).toEqual({
      error: expect.stringMatching(/nothing/) as string,
    });
    expect(await call(server, [add[0], { a: "x" }])).toMatchObject({
      error: expect.stringMatching(/a/) as string,
    });
  });

  it("may be killed and started again between two calls", async () => {
    const process = await started(kind);
    const { server } = serverAt({ url: process.url, mcp });
    expect(await call(server, add)).toEqual({ result: add[2] });
    await process.kill();
    expect(await call(server, add)).toEqual({
      error: expect.stringMatching(/^the tool could not be reached|broke off/) as string,
    });
    await process.start();
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => call(server, add)));
    for (const outcome of outcomes) expect(outcome).toEqual({ result: add[2] });
  });

  it("fails a call within 2 s when it is killed in it", async () => {
    const process = await started(kind);
    const { server } = serverAt({ url: process.url, mcp });
    await server.list(signal);
    const calling = call(server, long, { timeoutMs: 60_000 });
    await new Promise((resolve) => setTimeout(resolve, 500));
    await process.kill();
    const before = performance.now();
    expect(await calling).toEqual({ error: expect.stringMatching(/broke|broken/) as string });
    expect(performance.now() - before).toBeLessThan(timeFor(2_000));
    await process.start();
    expect(await call(server, add)).toEqual({ result: add[2] });
  });

  it("is left by a call whose turn ends", async () => {
    const { server } = serverAt({ url: (await started(kind)).url, mcp });
    await server.list(signal);
    const turn = new AbortController();
    const calling = call(server, long, { signal: turn.signal, timeoutMs: 60_000 });
    setTimeout(() => turn.abort(new Error("cancelled")), 300);
    await expect(calling).rejects.toThrow("cancelled");
    expect(await call(server, add)).toEqual({ result: add[2] });
  });
});

describe("the Python SDK", () => {
  it("is told of a call that is cancelled, in the newer era", async () => {
    const { server } = serverAt({ url: (await started("python-http")).url });
    expect(await call(server, ["wait", { seconds: 30 }], { timeoutMs: 500 })).toEqual({
      error: "the tool did not answer within 0.5 seconds",
    });
    await vi.waitFor(async () =>
      expect(await call(server, ["count_cancelled", {}])).toEqual({ result: { result: 1 } }),
    );
  });

  it("says when its tools change", async () => {
    const { server } = serverAt({ url: (await started("python-http")).url });
    const names = async () => (await server.list(signal)).map(({ name }) => name);
    expect(await names()).not.toContain("plus");
    expect(await call(server, ["grow", {}])).toEqual({ result: { result: "grown" } });
    await vi.waitFor(async () => expect(await names()).toContain("plus"));
  });

  it("shows images as lines, and says when a tool fails", async () => {
    const { server } = serverAt({ url: (await started("python-http")).url });
    expect(await call(server, ["picture", {}])).toEqual({
      result: "[image/png, 4 kB, not shown]",
    });
    expect(await call(server, ["fail", {}])).toEqual({
      error: "Error executing tool fail",
    });
  });

  it("fails a call within 2 s that ends it", async () => {
    const { server } = serverAt({ url: (await started("python-http")).url });
    await server.list(signal);
    const before = performance.now();
    expect(await call(server, ["crash", {}])).toEqual({
      error: expect.stringMatching(/broke|broken/) as string,
    });
    expect(performance.now() - before).toBeLessThan(timeFor(2_000));
  });
});

describe("a command that is an MCP server", () => {
  it("is started, called and ended", async () => {
    const { everything } = await stdioCommands();
    const mcp = { transport: "stdio" as const, command: everything, env: { PLACE: "here-it-is" } };
    const { server, servers, logged } = serverAt({ url: "", mcp });
    expect(await call(server, ["get-sum", { a: 1, b: 2 }])).toEqual({
      result: "The sum of 1 and 2 is 3.",
    });
    const environment = JSON.parse(
      ((await call(server, ["get-env", {}])) as { result: string }).result,
    ) as Record<string, string>;
    expect(environment["PLACE"]).toBe("here-it-is");
    expect(Object.keys(environment)).not.toContain("VITEST");
    expect(logged.join("")).toContain("An MCP server says");
    await servers.close();
    expect(await call(server, ["get-sum", { a: 1, b: 2 }])).toHaveProperty("error");
  });

  it("is told of the trace in the metadata of a call, and of none where there is none", async () => {
    const folder = await mkdtemp(join(tmpdir(), "mcp-command-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const heard = join(folder, "heard");
    const { everything } = await stdioCommands();
    const command = ["sh", "-c", 'tee -a "$0" | "$@"', heard, ...everything];
    const { server, servers } = serverAt({ url: "", mcp: { transport: "stdio", command } });
    await call(server, ["get-sum", { a: 1, b: 2 }]);
    const receiver = await startTraceReceiver();
    const tracer = await loadTracer({
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      },
      log: createLog({ level: "silent" }),
      clock: systemClock,
      version: "1",
      resource: {},
    });
    const parent = readTraceParent(
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      "vendor=1",
    );
    const span = tracer?.begin("execute_tool", { kind: "internal", attributes: {}, parent });
    await withSpan(span, () => call(server, ["get-sum", { a: 3, b: 4 }]));
    span?.end();
    await tracer?.close();
    await servers.close();
    const lines = (await readFile(heard, "utf8")).trim().split("\n");
    const calls = lines.map((line) => JSON.parse(line) as WireCall);
    const [untraced, traced] = calls.filter(({ method }) => method === "tools/call");
    expect(untraced?.params._meta ?? {}).not.toHaveProperty("traceparent");
    expect(traced?.params._meta).toMatchObject({
      traceparent: `00-0af7651916cd43dd8448eb211c80319c-${span?.place.spanId}-01`,
      tracestate: "vendor=1",
    });
  });

  it("is the Python server of others", async () => {
    const { time } = await stdioCommands();
    const { server } = serverAt({ url: "", mcp: { transport: "stdio", command: time } });
    const names = async () => (await server.list(signal)).map(({ name }) => name);
    await vi.waitFor(
      async () => expect(await names()).toEqual(["get_current_time", "convert_time"]),
      { timeout: 60_000 },
    );
    expect(await call(server, ["get_current_time", { timezone: "Europe/Oslo" }])).toMatchObject({
      result: { timezone: "Europe/Oslo" },
    });
  });

  it.each([
    ["is not there", ["/nowhere/at-all"], /could not be started/],
    ["ends at once", ["sh", "-c", "echo secret-of-mine >&2; exit 3"], /its command has ended/],
    ["says what is no MCP", ["sh", "-c", "yes | head -c 100000"], /its command has ended/],
    ["says it without end", ["yes"], /its command has ended/],
  ])("that %s makes calls fail, and says so", async (_what, command, error) => {
    const env = { KEY: "secret-of-mine" };
    const { server, logged } = serverAt({ url: "", mcp: { transport: "stdio", command, env } });
    expect(await server.list(signal)).toEqual([]);
    expect(await call(server, ["x", {}])).toEqual({
      error: expect.stringMatching(error) as string,
    });
    expect(logged.join("")).not.toContain("secret-of-mine");
  });

  it("that says nothing is ended when it is closed while it is asked", async () => {
    const folder = await mkdtemp(join(tmpdir(), "mcp-command-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const pidFile = join(folder, "pids");
    const command = ["sh", "-c", 'echo $$ >> "$0"; exec sleep 1000', pidFile];
    const { server, servers } = serverAt({ url: "", mcp: { transport: "stdio", command } });
    const calling = call(server, ["x", {}]);
    const started = async () => (await readFile(pidFile, "utf8")).trim().split("\n").map(Number);
    await vi.waitFor(async () => expect(await started()).toHaveLength(1));
    const before = performance.now();
    await servers.close();
    expect(performance.now() - before).toBeLessThan(timeFor(6_000));
    expect(await calling).toHaveProperty("error");
    expect((await started()).filter(isAlive)).toEqual([]);
  });

  it("fails a call within 2 s when it ends in it, and is started again", async () => {
    const { everything } = await stdioCommands();
    const folder = await mkdtemp(join(tmpdir(), "mcp-command-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const pidFile = join(folder, "pid");
    const command = ["sh", "-c", 'echo $$ > "$0"; exec "$@"', pidFile, ...everything];
    const { server } = serverAt({ url: "", mcp: { transport: "stdio", command } });
    await server.list(signal);
    const calling = call(server, ["trigger-long-running-operation", { duration: 30, steps: 2 }]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    process.kill(Number(await readFile(pidFile, "utf8")), "SIGKILL");
    const before = performance.now();
    expect(await calling).toEqual({ error: expect.stringMatching(/broke|ended/) as string });
    expect(performance.now() - before).toBeLessThan(timeFor(2_000));
    expect(await call(server, ["get-sum", { a: 1, b: 2 }])).toHaveProperty("result");
  });
});

describe("a chat about an MCP server behind a proxy that breaks the protocol", () => {
  const model = forAllTests(startModelServer, (server) => server.close());
  const python = forAllTests(
    () => startMcpServer("python-http"),
    (server) => server.kill(),
  );
  const everything = forAllTests(
    () => startMcpServer("everything-http"),
    (server) => server.kill(),
  );

  async function chat(target: string, timeoutMs = 20_000) {
    const proxy = await startMcpFaultProxy(target);
    onTestFinished(() => proxy.close());
    const tools = [
      aTool({
        url: `${proxy.url}${new URL(target).pathname}`,
        type: "mcp",
        registryName: "sums",
        timeoutMs,
      }),
    ];
    const provider = { baseURL: `${model().url}/v1`, apiKeyFile: "key" };
    const config = aRuntimeConfig({ provider, prompt: { maxRounds: 20 }, tools });
    const agent = await TestAgent.start({ config, files: { key: "sk-test" } });
    const client = await agent.connect();
    return { proxy, client, agent };
  }

  /** The model calls the tool, and answers once it has the result. */
  function planCall(name: string): void {
    model().mock.reset();
    model().mock.on(
      { userMessage: "Add", hasToolResult: false },
      { toolCalls: [{ id: "call_1", name, arguments: '{"a":1,"b":2}' }] },
    );
    model().mock.on({ hasToolResult: true }, { content: "That is all I know." });
  }

  it.each([
    ["of the newer era", python, "add", { result: 3 }],
    ["of the older era", everything, "get-sum", "The sum of 1 and 2 is 3."],
  ] as const)(
    "goes on after each fault of a server %s, and shows nothing of it",
    { timeout: 180_000 },
    async (_era, target, name, result) => {
      planCall(name);
      const { proxy, client } = await chat(target().url, 3_000);
      const resultsOf = async () => {
        const from = client.frames.length;
        const done = await client.ask("Add 1 and 2", { session_id: undefined });
        expect(done.content).toBe("That is all I know.");
        return client.frames.slice(from).filter(({ type }) => type === "tool_result");
      };
      const works = async () =>
        expect(await resultsOf()).toMatchObject([{ tool_result: { result } }]);
      await vi.waitFor(works, { timeout: 60_000, interval: 500 });
      for (const fault of FAULTS) {
        proxy.fault = fault;
        const before = process.memoryUsage().rss;
        const [frame] = await resultsOf();
        expect({ fault, frame }).toMatchObject({
          fault,
          frame: {
            tool_result: { error: expect.stringMatching(/^(the tool|not called)/) as string },
          },
        });
        const grown = process.memoryUsage().rss - before;
        expect({ fault, isBounded: grown < 30_000_000 }).toEqual({ fault, isBounded: true });
        proxy.fault = undefined;
        await vi.waitFor(works, { timeout: 60_000, interval: 500 });
      }
      const shown = JSON.stringify(client.frames);
      for (const secret of [FAULT_BODY, "10.9.8.7", "127.0.0.1", "169.254", "xxxx", "http://"]) {
        expect(shown).not.toContain(secret);
      }
    },
  );

  it.each(FAULTS)(
    "begins without the tools where everything is answered with %s",
    async (fault) => {
      model().mock.reset();
      model().mock.onMessage("Add 1 and 2", { content: "I have no tools." });
      const { proxy, client, agent } = await chat(python().url);
      proxy.fault = fault;
      proxy.isEverywhere = true;
      const done = await client.ask("Add 1 and 2");
      expect(done.content).toBe("I have no tools.");
      expect(model().requests.at(-1)?.body).not.toHaveProperty("tools");
      await vi.waitFor(
        () => expect(JSON.stringify(agent.logged)).toContain("turns go on without its tools"),
        { timeout: 60_000 },
      );
      const shown = JSON.stringify([client.frames, agent.logged]);
      for (const secret of [FAULT_BODY, "10.9.8.7", "169.254"]) expect(shown).not.toContain(secret);
    },
  );
});
