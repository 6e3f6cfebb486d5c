/** `omnia up` with a version on trial: it is promoted or taken back by what its sessions came to. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { aPack, aPrompt } from "../../support/builders/a-pack.ts";
import { folderForEachTest, forAllTests } from "../../support/builders/fixtures.ts";
import { ChatClient } from "../../support/agent/chat-client.ts";
import { startModelServer } from "../../support/agent/model-server.ts";
import { omnia, startOmnia } from "../../support/processes/omnia-process.ts";

const SOME_TIME = { timeout: 60_000, interval: 100 };
const GROUP = "omnia.altairalabs.ai/v1alpha1";

const folder = folderForEachTest();
const model = forAllTests(
  async () => {
    const server = await startModelServer();
    server.mock.onMessage(/unlucky/, {
      error: { message: "The server had an error", type: "server_error" },
      status: 500,
    });
    server.mock.onMessage(/./, { content: "Well." });
    return server;
  },
  (server) => server.close(),
);

interface Resource {
  readonly kind: string;
  readonly status: Record<string, unknown>;
}

const steps = (...durations: string[]): object[] =>
  durations.map((duration, index) => ({
    weight: index === durations.length - 1 ? 100 : 50,
    duration,
  }));

/** Answers are "Well.", which the eval of every pack after the first one finds fault with. */
async function write(version: string, canary: object, more: object = {}): Promise<void> {
  const resource = (apiVersion: string, kind: string, name: string, rest: object): string =>
    JSON.stringify({ apiVersion, kind, metadata: { name }, ...rest });
  const spec = {
    replicas: 2,
    provider: {
      name: "openai",
      model: "m",
      baseURL: `${model().url}/v1`,
      apiKeySecretRef: { name: "llm", key: "k" },
    },
    promptPackRef: { name: "prompts" },
  };
  const wanted = version === "1.0.0" ? "well" : "excellent";
  const pack = aPack({
    version,
    evals: [
      { id: "tone", type: "contains", trigger: "every_turn", params: { patterns: [wanted] } },
    ],
    prompts: { support: aPrompt({ system_template: `You are version ${version}.` }) },
  });
  const rollout = { strategy: "canary", canary, ...more };
  const packSpec = { source: { configMapRef: { name: "prompts" } }, rollout };
  await writeFile(
    join(folder(), "agent.yaml"),
    [
      resource(GROUP, "AgentRuntime", "bot", { spec }),
      resource(GROUP, "PromptPack", "prompts", { spec: packSpec }),
      resource("v1", "ConfigMap", "prompts", { data: { "promptpack.json": JSON.stringify(pack) } }),
    ].join("\n---\n"),
  );
}

async function up() {
  const process = startOmnia(
    ["up", "--port", "0", "--state", join(folder(), "state"), "-f", join(folder(), "agent.yaml")],
    { env: { HOME: folder(), OPENAI_API_KEY: "k" } },
  );
  onTestFinished(() => process[Symbol.asyncDispose]());
  const [, url = ""] = await process.shows(/Serving at (\S+)/);
  const status = async (kind: string): Promise<Record<string, unknown> | undefined> => {
    const response = await fetch(`${url}/api/v1alpha1/resources`);
    const { items } = (await response.json()) as { items: Resource[] };
    return items.find((item) => item.kind === kind)?.status;
  };
  await expect
    .poll(() => status("AgentRuntime"), SOME_TIME)
    .toMatchObject({ phase: "Running", ready: "2/2" });
  return {
    process,
    status: () => status("PromptPack"),
    becomes: (expected: object) =>
      expect.poll(() => status("PromptPack"), SOME_TIME).toMatchObject(expected),
    /** So many new sessions of one message each. One in `unluckyEvery` of them gets no answer from its model. */
    async talk(sessions: number, unluckyEvery = Infinity): Promise<void> {
      const talks = Array.from({ length: sessions }, async (_, index) => {
        const client = await ChatClient.connect(`${url.replace("http", "ws")}/ws?agent=bot`);
        const isUnlucky = (index + 1) % unluckyEvery === 0;
        client.say(isUnlucky ? "unlucky" : "hello");
        await client.nextOf(isUnlucky ? "error" : "done");
        client.socket.close();
      });
      await Promise.all(talks);
    },
    async end(): Promise<void> {
      process.kill("SIGTERM");
      expect(await process.ended).toMatchObject({ code: 0 });
    },
  };
}

async function explained(): Promise<string> {
  const explain = ["explain", "pp/prompts", "--state", join(folder(), "state")];
  return (await omnia(explain, { env: { HOME: folder() } })).out;
}

describe("a canary with steps", () => {
  const abortWhen = { errorRate: 0.05, minSessions: 10 };

  it("goes from step to step with its sessions, and is promoted", async () => {
    const canary = { steps: steps("1s", "1s"), abortWhen };
    await write("1.0.0", canary);
    const running = await up();
    await write("2.0.0", canary);
    await running.becomes({
      phase: "Canary",
      canarySemver: "2.0.0",
      canaryStep: 1,
      canaryWeight: 50,
    });
    await running.becomes({ canaryMessage: expect.stringMatching(/waits for sessions: 0 of 10/) });
    // Half of them are the canary's, give or take.
    await running.talk(60);
    await running.becomes({ canaryStep: 2, canaryWeight: 100 });
    expect(await explained()).toContain("Canary: Step 2 of 2 (weight 100)");
    await running.talk(20);
    await running.becomes({ phase: "Active", activeSemver: "2.0.0" });
    expect(await running.status()).not.toHaveProperty("canaryStep");
    await running.process.shows(/PromptPack default\/prompts: CanaryStep: Version 2\.0\.0/);
    await running.process.shows(/PromptPack default\/prompts: CanaryPromoted: Version 2\.0\.0/);
  });

  it("counts the active version beside it, also over a restart", async () => {
    const canary = { steps: steps("1h", "1h") };
    await write("1.0.0", canary);
    const first = await up();
    await write("2.0.0", canary);
    await first.becomes({ phase: "Canary", canaryStep: 1 });
    await first.talk(20);
    const split = async (running: { status(): Promise<Record<string, unknown> | undefined> }) => {
      const { canaryCounts, activeCounts } = (await running.status()) ?? {};
      return [canaryCounts, activeCounts].map(
        (counts) => (counts as { sessions: number } | undefined)?.sessions ?? 0,
      );
    };
    const sum = async (): Promise<number> => (await split(first)).reduce((a, b) => a + b, 0);
    await expect.poll(sum, SOME_TIME).toBe(20);
    const seen = await split(first);
    expect(Math.min(...seen)).toBeGreaterThan(0);
    await first.end();
    expect(await split(await up())).toEqual(seen);
  });

  it("is taken back when its provider answers one session in five with 500, and stays so", async () => {
    const canary = { steps: steps("1h", "1h"), abortWhen };
    await write("1.0.0", canary);
    const first = await up();
    await write("2.0.0", canary);
    await first.becomes({ phase: "Canary", canaryStep: 1 });
    await first.talk(100, 5);
    const abortion = {
      phase: "Active",
      activeSemver: "1.0.0",
      abortedSemver: "2.0.0",
      abortedReason: expect.stringMatching(/ turns failed .*errorRate allows 5 %/) as string,
    };
    await first.becomes(abortion);
    await first.process.shows(/CanaryAborted: Version 2\.0\.0/);
    expect(await explained()).toMatch(/Taken back: 2\.0\.0 .* turns failed/);
    await first.end();

    const second = await up();
    await second.becomes(abortion);
    await write("2.0.1", canary);
    await second.becomes({ phase: "Canary", canarySemver: "2.0.1", canaryStep: 1 });
    expect(await second.status()).not.toHaveProperty("abortedVersion");
  });

  it("is taken back when the evals of its turns have too low a score", async () => {
    const evals = { evals: {} };
    const canary = { steps: steps("1h", "1h"), abortWhen: { evalScore: 0.9, minSessions: 5 } };
    await write("1.0.0", canary, evals);
    const running = await up();
    await write("2.0.0", canary, evals);
    await running.becomes({ phase: "Canary", canaryStep: 1 });
    await running.talk(40);
    await running.becomes({
      phase: "Active",
      activeSemver: "1.0.0",
      abortedSemver: "2.0.0",
      abortedReason: expect.stringMatching(
        /evals of its turns had a mean score of 0, and evalScore wants 0\.9/,
      ) as string,
    });
  });

  it("goes on after a restart where it was, with what was counted before", async () => {
    const canary = { steps: steps("3s", "1h"), abortWhen: { minSessions: 40 } };
    await write("1.0.0", canary);
    const first = await up();
    await write("2.0.0", { ...canary, weight: 50 });
    await first.becomes({ phase: "Canary", canaryStep: 1 });
    await first.talk(50);
    await expect
      .poll(async () => countOf(await first.status()), SOME_TIME)
      .toBeGreaterThanOrEqual(5);
    const before = await first.status();
    const counted = countOf(before);
    await first.end();

    const second = await up();
    await second.becomes({ canaryStep: 1, canaryStepSince: before?.["canaryStepSince"] });
    expect(countOf(await second.status())).toBeGreaterThanOrEqual(counted);
    await second.talk(120);
    await second.becomes({ canaryStep: 2, canaryWeight: 100 });
  });
});

function countOf(status: Record<string, unknown> | undefined): number {
  const counts = status?.["canaryCounts"] as { sessions: number } | undefined;
  return counts?.sessions ?? 0;
}
