/** `omnia conformance`: our agents pass, at any number of replicas and with either store; what is not as it should be, fails. */
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { CheckResult } from "../../../src/conformance/harness/run-checks.ts";
import { CHECKS, runSuite } from "../../../src/conformance/run-suite.ts";
import { omnia, printedJSON, startOmnia } from "../../support/processes/omnia-process.ts";
import { startRedis } from "../../support/redis/redis.ts";
import { folderForAllTests, forAllTests } from "../../support/builders/fixtures.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";

/** A machine that does much else needs a minute for sixteen replicas. */
const READY_TIMEOUT_MS = 180_000;

describe("our agents pass", () => {
  const agents = ["echo", "demo"].flatMap((handler) =>
    ["memory", "redis"].flatMap((store) =>
      [1, 3].map((replicas) => ({
        name: `${handler}-${store}-${replicas}`,
        handler,
        store,
        replicas,
      })),
    ),
  );
  const folder = folderForAllTests();
  const redis = forAllTests(
    () => startRedis(),
    (redis) => redis[Symbol.asyncDispose](),
  );
  const up = forAllTests(
    async () => {
      const storeRef = { name: "store", key: "url" };
      const manifests = agents.map(({ name, handler, store, replicas }) => ({
        apiVersion: "omnia.altairalabs.ai/v1alpha1",
        kind: "AgentRuntime",
        metadata: { name },
        spec: {
          replicas,
          facade: { handler },
          session: store === "redis" ? { type: store, storeRef } : { type: store },
        },
      }));
      const file = join(folder(), "agents.yaml");
      await writeFile(file, manifests.map((manifest) => JSON.stringify(manifest)).join("\n---\n"));
      return startOmnia(["up", "--port", "0", "--state", join(folder(), "state"), "-f", file], {
        env: { HOME: folder(), REDIS_URL: redis().url },
      });
    },
    (up) => up[Symbol.asyncDispose](),
  );
  const url = forAllTests(async () => (await up().shows(/Serving at (\S+)/))[1] ?? "");
  // It listens before it has read the manifests: until then there is no agent that could be unready.
  beforeAll(async () => {
    const wanted = agents.map(({ name, replicas }) => [name, `${replicas}/${replicas}`]);
    await vi.waitFor(
      async () => {
        const response = await fetch(`${url()}/api/v1alpha1/resources`);
        const { items } = (await response.json()) as { items: Listed[] };
        const ready = items.map(({ metadata, status }) => [metadata.name, status.ready ?? ""]);
        expect(Object.fromEntries(ready)).toEqual(Object.fromEntries(wanted));
      },
      { timeout: READY_TIMEOUT_MS, interval: 100 },
    );
  }, READY_TIMEOUT_MS);

  // The demo takes its time, and several of them no longer than one.
  it.concurrent.each(agents)("$name", { timeout: 120_000 }, async ({ name, handler }) => {
    const target = [url(), "--agent", name, "--handler", handler];
    const result = await omnia(["conformance", ...target, "-o", "json"]);
    const { checks, ...summary } = printedJSON(result) as Report;
    expect(checks.filter(({ result }) => result === "fail")).toEqual([]);
    expect(summary).toMatchObject({ failed: 0, handler });
    expect(summary.skipped).toBeLessThan(handler === "demo" ? 6 : 14);
    expect(result.code).toBe(0);
  });
});

interface Listed {
  metadata: { name: string };
  status: { ready?: string };
}

interface Report {
  checks: CheckResult[];
  passed: number;
  failed: number;
  skipped: number;
  handler: string;
}

type Frame = Record<string, unknown>;

/** An agent behind a line on which every frame of the server is changed; undefined is lost. */
async function aFlawedAgent(change: (frame: Frame) => Frame | undefined): Promise<URL> {
  const agent = await TestAgent.start({ config: { handler: "demo" } });
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (near, request) => {
    const far = new WebSocket(`${agent.url}${request.url ?? "/"}`);
    const early: string[] = [];
    far.on("open", () => {
      for (const text of early) far.send(text);
    });
    near.on("message", (data: Buffer, isBinary) => {
      if (far.readyState === far.OPEN) far.send(data, { binary: isBinary });
      else early.push(data.toString());
    });
    far.on("message", (data: Buffer) => {
      const frame = change(JSON.parse(data.toString()) as Frame);
      if (frame !== undefined) near.send(JSON.stringify(frame));
    });
    near.on("close", () => far.terminate()).on("error", () => {});
    far.on("close", (code) => near.close(code === 1006 ? 1011 : code)).on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
  });
  return new URL(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

async function failuresOf(
  url: URL,
  timeoutMs: number,
): Promise<Record<string, string | undefined>> {
  const results = await runSuite(
    { url, token: undefined, handler: "demo" },
    { timeoutMs, signal: new AbortController().signal, onResult: () => {} },
  );
  const failed = results.filter(({ result }) => result === "fail");
  return Object.fromEntries(failed.map(({ name, reason }) => [name, reason]));
}

describe("an endpoint fails the check", () => {
  it.each<
    [flaw: string, change: (frame: Frame) => Frame | undefined, check: RegExp, reason: RegExp]
  >([
    [
      "leaves a frame out",
      (frame) => (frame["seq"] === 2 ? undefined : frame),
      /^numbers the frames/,
      /expected seq 2, and got 3/,
    ],
    [
      "counts from 0",
      (frame) =>
        frame["type"] !== "connected" && "seq" in frame
          ? { ...frame, seq: (frame["seq"] as number) - 1 }
          : frame,
      /^numbers the frames/,
      /expected seq 1, and got 0/,
    ],
    [
      "tells the time in its own way",
      (frame) => ({ ...frame, timestamp: String(frame["timestamp"]).replace("Z", "") }),
      /^stamps every frame/,
      /is no RFC 3339 timestamp/,
    ],
    [
      "has no timestamp",
      (frame) => ({ ...frame, timestamp: undefined }),
      /^greets with connected/,
      /"timestamp" is missing/,
    ],
    [
      "loses text",
      (frame) => (frame["type"] === "chunk" ? { ...frame, content: "…" } : frame),
      /^says in done what/,
      /they differ/,
    ],
    [
      "has other codes",
      (frame) =>
        frame["type"] === "error" ? { ...frame, error: { code: "OOPS", message: "no" } } : frame,
      /^answers text that is no JSON/,
      /"error" is missing or invalid/,
    ],
    [
      "never ends a turn",
      (frame) => (frame["type"] === "done" ? undefined : frame),
      /^answers a message with frames/,
      /did not come in time/,
    ],
  ])("when it %s", async (_, change, check, reason) => {
    const failures = await failuresOf(await aFlawedAgent(change), 1_000);
    const name = Object.keys(failures).find((failed) => check.test(failed));
    expect(name).toBeDefined();
    expect(failures[name ?? ""]).toMatch(reason);
  });

  it("and no other because of the line between", async () => {
    expect(await failuresOf(await aFlawedAgent((frame) => frame), 20_000)).toEqual({
      "refuses other paths with 404": expect.any(String) as string,
      "refuses a connection to another agent with 404": expect.any(String) as string,
    });
  });
});

describe("the command", () => {
  it("prints a table with a reason for what is no pass, and fails when a check does", async () => {
    const url = await aFlawedAgent((frame) => frame);
    const { code, out } = await omnia(["conformance", url.href, "--handler", "demo"]);
    expect(code).toBe(1);
    expect(out).toMatch(/^pass {2}Connecting +greets with connected/m);
    expect(out).toMatch(/^fail {2}Connecting +refuses other paths with 404\n +→ it was let in$/m);
    expect(out).toMatch(/^skip {2}Connecting +refuses who has no token with 401\n +→ no --token/m);
    expect(out).toMatch(/\n\d+ passed, 2 failed, \d+ skipped\n$/);
  });

  it("checks authentication when it has a token, from the environment too", async () => {
    const agent = await TestAgent.start({
      config: { facade: { port: 0, auth: { apiKeysFolder: "keys" } } },
      files: { "keys/web": "a-key" },
    });
    const conformance = ["conformance", agent.url, "--handler", "echo", "-o", "json"];
    const result = await omnia(conformance, { env: { OMNIA_TOKEN: "a-key" } });
    const { checks } = printedJSON(result) as Report;
    expect(result.code).toBe(0);
    expect(checks.filter(({ name }) => name.includes("token"))).toMatchObject([
      { result: "pass" },
      { result: "pass" },
    ]);
    const without = await omnia(conformance);
    expect(without).toMatchObject({ code: 1, out: "" });
    expect(without.err).toContain("the connection was refused with 401");
  });

  it("says what is wrong with the address", async () => {
    expect(await omnia(["conformance", "nonsense"])).toMatchObject({ code: 2 });
    expect(await omnia(["conformance", "ws://127.0.0.1:1", "--timeout", "no"])).toMatchObject({
      code: 2,
    });
    const nobody = await omnia(["conformance", "ws://127.0.0.1:1"]);
    expect(nobody).toMatchObject({ code: 1, out: "" });
    expect(nobody.err).toMatch(/^omnia: ws:\/\/127.0.0.1:1\/: it cannot be reached: /);
  });
});

describe("every check", () => {
  it("names a heading of the protocol's page, and no two are called the same", () => {
    const page = readFileSync(join(import.meta.dirname, "../../../docs/protocol.md"), "utf8");
    const headings = [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading);
    expect(CHECKS.filter(({ section }) => !headings.includes(section))).toEqual([]);
    expect(new Set(CHECKS.map(({ name }) => name)).size).toBe(CHECKS.length);
  });
});
