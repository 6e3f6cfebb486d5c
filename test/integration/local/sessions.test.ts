/** What `omnia up` keeps: sessions over replicas and restarts, versions of packs over restarts. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aPack, aPrompt } from "../../support/builders/a-pack.ts";
import { ChatClient } from "../../support/agent/chat-client.ts";
import { startModelServer } from "../../support/agent/model-server.ts";
import { omnia, startOmnia, type OmniaProcess } from "../../support/processes/omnia-process.ts";
import { startRedis, type RedisServer } from "../../support/redis/redis.ts";
import { folderForEachTest, forAllTests } from "../../support/builders/fixtures.ts";

const running: OmniaProcess[] = [];
const model = forAllTests(
  () => startModelServer(),
  (model) => model.close(),
);

const folder = folderForEachTest();
beforeEach(async () => {
  model().mock.reset();
  model().mock.onMessage(/./, { content: "Well." });
});
afterEach(async () => {
  for (const up of running.splice(0)) await up[Symbol.asyncDispose]();
});

interface Resource {
  kind: string;
  metadata: { name: string };
  status: Record<string, unknown>;
}

interface Up {
  process: OmniaProcess;
  connect(query?: string): Promise<ChatClient>;
  status(kind: string, name: string): Promise<Record<string, unknown> | undefined>;
  /** Drains it. */
  end(): Promise<void>;
}

async function start(env: Record<string, string> = {}): Promise<Up> {
  const process = startOmnia(
    ["up", "--port", "0", "--state", join(folder(), "state"), "-f", join(folder(), "agent.yaml")],
    {
      env: { HOME: folder(), OPENAI_API_KEY: "k", ...env },
    },
  );
  running.push(process);
  const [, url = ""] = await process.shows(/Serving at (\S+)/);
  return {
    process,
    connect: (query = "") =>
      ChatClient.connect(`${url.replace("http", "ws")}/ws?agent=bot${query}`),
    status: async (kind, name) => {
      const response = await fetch(`${url}/api/v1alpha1/resources`);
      const { items } = (await response.json()) as { items: Resource[] };
      return items.find((item) => item.kind === kind && item.metadata.name === name)?.status;
    },
    end: async () => {
      process.kill("SIGTERM");
      expect(await process.ended).toMatchObject({ code: 0 });
    },
  };
}

interface Files {
  replicas?: number;
  session?: object;
  pack?: unknown;
  rollout?: object;
}

async function write({
  replicas = 1,
  session = { type: "memory" },
  pack = packOf("1.0.0"),
  rollout = {},
}: Files = {}): Promise<void> {
  const resource = (apiVersion: string, kind: string, name: string, rest: object): string =>
    JSON.stringify({ apiVersion, kind, metadata: { name }, ...rest });
  const group = "omnia.altairalabs.ai/v1alpha1";
  const spec = {
    replicas,
    session,
    provider: {
      name: "openai",
      model: "m",
      baseURL: `${model().url}/v1`,
      apiKeySecretRef: { name: "llm", key: "k" },
    },
    promptPackRef: { name: "prompts" },
  };
  const content = typeof pack === "string" ? pack : JSON.stringify(pack);
  await writeFile(
    join(folder(), "agent.yaml"),
    [
      resource(group, "AgentRuntime", "bot", { spec }),
      resource(group, "PromptPack", "prompts", {
        spec: { source: { configMapRef: { name: "prompts" } }, rollout },
      }),
      resource("v1", "ConfigMap", "prompts", { data: { "promptpack.json": content } }),
    ].join("\n---\n"),
  );
}

const packOf = (version: string): object =>
  aPack({
    version,
    prompts: { support: aPrompt({ system_template: `You are version ${version}.` }) },
  });
interface WireMessage {
  role: string;
  content: string;
}
/** Of the last request to the model. */
const messagesOf = (): WireMessage[] => model().requests.at(-1)?.body.messages as WireMessage[];

describe("with Redis", () => {
  let redis: RedisServer;
  beforeEach(async () => {
    redis = await startRedis();
  });
  afterEach(() => redis[Symbol.asyncDispose]());
  const session = { type: "redis", storeRef: { name: "store", key: "url" } };

  it("a session begun at one replica goes on at the other, and after every process was restarted", async () => {
    await write({ replicas: 2, session });
    let up = await start({ REDIS_URL: redis.url });
    await expect
      .poll(() => up.status("AgentRuntime", "bot"), { timeout: 60_000 })
      .toMatchObject({ ready: "2/2" });
    const first = await up.connect();
    const { session_id: id } = await first.ask("My name is Ada.");
    // The first connection is open: this one goes to the replica that has none.
    const second = await up.connect(`&session_id=${id}`);
    expect(await second.nextOf("connected")).toMatchObject({ session_id: id, resumed: true });
    await second.ask("What is my name?");
    expect(messagesOf().map(({ role, content }) => `${role}: ${content}`)).toEqual([
      "system: You are version 1.0.0.",
      "user: My name is Ada.",
      "assistant: Well.",
      "user: What is my name?",
    ]);

    await up.end();
    up = await start({ REDIS_URL: redis.url });
    await expect
      .poll(() => up.status("AgentRuntime", "bot"), { timeout: 60_000 })
      .toMatchObject({ phase: "Running" });
    const third = await up.connect();
    await third.ask("And now?", { session_id: id });
    expect(messagesOf()).toHaveLength(6);
  });

  it("an agent whose store goes down takes no connections, says why, and comes back with it", async () => {
    await write({ session });
    const up = await start({ REDIS_URL: redis.url });
    await expect
      .poll(() => up.status("AgentRuntime", "bot"), { timeout: 60_000 })
      .toMatchObject({ phase: "Running" });
    await redis.stop();
    await expect
      .poll(() => up.status("AgentRuntime", "bot"), { timeout: 60_000 })
      .toMatchObject({ ready: "0/1" });
    await expect(up.connect()).rejects.toThrow("503");
    await up.process.shows(/replica 1: not ready: the session store does not answer/);
    await redis.start();
    await expect
      .poll(() => up.status("AgentRuntime", "bot"), { timeout: 60_000 })
      .toMatchObject({ ready: "1/1" });
    await (await up.connect()).ask("hello");
  });
});

describe("with sessions in memory", () => {
  it("a client that comes back is known, at any number of replicas", async () => {
    await write({ replicas: 3 });
    const up = await start();
    await expect
      .poll(() => up.status("AgentRuntime", "bot"), { timeout: 60_000 })
      .toMatchObject({ ready: "3/3" });
    const first = await up.connect();
    const { session_id: id } = await first.ask("hello");
    for (let index = 0; index < 4; index += 1) {
      const again = await up.connect(`&session_id=${id}`);
      expect(await again.nextOf("connected")).toMatchObject({ session_id: id, resumed: true });
    }
  });
});

describe("a PromptPack", () => {
  const rollout = { strategy: "canary", canary: { weight: 50 } };

  it("goes on with its canary after a restart, and tells when its agents have it", async () => {
    await write({ rollout });
    let up = await start();
    await expect
      .poll(() => up.status("PromptPack", "prompts"), { timeout: 60_000 })
      .toMatchObject({ phase: "Active", activeSemver: "1.0.0" });
    await write({ rollout, pack: packOf("2.0.0") });
    const canary = {
      phase: "Canary",
      activeSemver: "1.0.0",
      canarySemver: "2.0.0",
      canaryWeight: 50,
    };
    await expect
      .poll(() => up.status("PromptPack", "prompts"))
      .toMatchObject({
        ...canary,
        conditions: expect.arrayContaining([
          expect.objectContaining({
            type: "AgentsNotified",
            status: "True",
            message: "Notified 1 AgentRuntime",
          }),
        ]) as unknown,
      });
    await up.end();

    up = await start();
    await expect
      .poll(() => up.status("AgentRuntime", "bot"), { timeout: 60_000 })
      .toMatchObject({ phase: "Running" });
    expect(await up.status("PromptPack", "prompts")).toMatchObject(canary);
    const seen = new Set<string>();
    for (let sessions = 0; sessions < 50 && seen.size < 2; sessions += 1) {
      await (await up.connect()).ask("hello");
      seen.add(messagesOf()[0]?.content ?? "");
    }
    expect(seen).toEqual(new Set(["You are version 1.0.0.", "You are version 2.0.0."]));
  });

  it("keeps each session at the version that it began with, whatever the weight becomes", async () => {
    await write({ rollout });
    const up = await start();
    const becomes = (status: object) =>
      expect
        .poll(() => up.status("PromptPack", "prompts"), { timeout: 60_000 })
        .toMatchObject({
          ...status,
          conditions: expect.arrayContaining([
            expect.objectContaining({ type: "AgentsNotified", status: "True" }),
          ]) as unknown,
        });
    await expect
      .poll(() => up.status("AgentRuntime", "bot"), { timeout: 60_000 })
      .toMatchObject({ phase: "Running" });
    const pack = packOf("2.0.0");
    await write({ rollout, pack });
    await becomes({ canaryWeight: 50 });
    const clients = await Promise.all(Array.from({ length: 8 }, () => up.connect()));
    const versions = async (): Promise<(string | undefined)[]> => {
      const heard: (string | undefined)[] = [];
      for (const client of clients) {
        await client.ask("hello");
        heard.push(messagesOf()[0]?.content);
      }
      return heard;
    };
    const begun = await versions();
    for (const weight of [90, 10]) {
      await write({ rollout: { strategy: "canary", canary: { weight } }, pack });
      await becomes({ canaryWeight: weight });
      expect(await versions()).toEqual(begun);
    }
    await write({ rollout: { strategy: "canary", canary: { weight: 100 } }, pack });
    await becomes({ phase: "Active", activeSemver: "2.0.0" });
    expect(await versions()).toEqual(begun);
    const explain = ["explain", "pp/prompts", "--state", join(folder(), "state")];
    expect((await omnia(explain, { env: { HOME: folder() } })).out).toMatch(
      /active +2\.0\.0 +[0-9a-f]{12} +100 % of new sessions/,
    );
    await write({ rollout: { strategy: "immediate" }, pack });
    await expect
      .poll(versions, { timeout: 60_000 })
      .toEqual(clients.map(() => "You are version 2.0.0."));
  });

  it("whose source has gone bad runs its last good version, also after a restart", async () => {
    await write();
    let up = await start();
    await expect
      .poll(() => up.status("AgentRuntime", "bot"), { timeout: 60_000 })
      .toMatchObject({ phase: "Running" });
    await write({ pack: '{"id": ' });
    await up.process.shows(/PromptPack default\/prompts: SourceValid: InvalidJSON: /);
    await (await up.connect()).ask("hello");
    expect(messagesOf()[0]?.content).toBe("You are version 1.0.0.");
    await up.end();

    up = await start();
    await expect
      .poll(() => up.status("AgentRuntime", "bot"), { timeout: 60_000 })
      .toMatchObject({ phase: "Running" });
    await (await up.connect()).ask("hello");
    expect(messagesOf()[0]?.content).toBe("You are version 1.0.0.");
  });
});
