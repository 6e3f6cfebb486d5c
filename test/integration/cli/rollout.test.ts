/** A person who chats sees nothing of it when every replica is replaced, in the middle of an answer or between two. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { startOmnia } from "../../support/processes/omnia-process.ts";
import { startRedis } from "../../support/redis/redis.ts";

interface Frame {
  readonly type: string;
  readonly session_id: string;
  readonly seq?: number;
}

interface Agent {
  readonly status: { readonly ready?: string };
}

describe("a chat", () => {
  it("goes on through rolling changes, with every frame once and nothing to see of them", async () => {
    const folder = await mkdtemp(join(tmpdir(), "omnia-rollout-"));
    const redis = await startRedis();
    const file = join(folder, "agent.yaml");
    /** A changed environment replaces every process. */
    const write = (version: string): Promise<void> =>
      writeFile(
        file,
        JSON.stringify({
          apiVersion: "omnia.altairalabs.ai/v1alpha1",
          kind: "AgentRuntime",
          metadata: { name: "bot" },
          spec: {
            replicas: 2,
            facade: { handler: "demo" },
            session: { type: "redis", storeRef: { name: "store", key: "url" } },
            env: [{ name: "VERSION", value: version }],
          },
        }),
      );
    await write("1");
    const up = startOmnia(["up", "--port", "0", "--state", join(folder, "state"), "-f", file], {
      env: { HOME: folder, REDIS_URL: redis.url },
    });
    onTestFinished(async () => {
      await up[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, maxRetries: 5 });
    });
    const [, url = ""] = await up.shows(/Serving at (\S+)/);
    /** Processes that have come to their end. */
    const ended = async (): Promise<number> => {
      const files = await readdir(join(folder, "state"), { recursive: true });
      const logs = files.filter((name) => name.endsWith(".log"));
      const texts = await Promise.all(
        logs.map((name) => readFile(join(folder, "state", name), "utf8")),
      );
      return texts.join("").split(`"msg":"Ended"`).length - 1;
    };
    const ready = async (): Promise<string | undefined> => {
      const response = await fetch(`${url}/api/v1alpha1/resources`);
      const { items } = (await response.json()) as { items: Agent[] };
      return items[0]?.status.ready;
    };
    await expect.poll(ready, { timeout: 60_000 }).toBe("2/2");

    const target = ["bot", "--url", url];
    await using chat = startOmnia(["chat", ...target, "-o", "json"]);
    const frames = (): Frame[] =>
      chat.out
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Frame);
    const answers = () => frames().filter(({ type }) => type === "done").length;

    chat.write("hello\n");
    await expect.poll(answers, { timeout: 60_000 }).toBe(1);
    // Between two answers …
    await write("2");
    await expect.poll(ended, { timeout: 60_000 }).toBe(2);
    await expect.poll(ready, { timeout: 60_000 }).toBe("2/2");
    chat.write("I forgot my password\n");
    await chat.shows(/"type":"tool_result"/);
    // … and in the middle of one.
    await write("3");
    await expect.poll(answers, { timeout: 60_000 }).toBe(2);
    await expect.poll(ended, { timeout: 60_000 }).toBe(4);
    chat.write("hello\n");
    chat.endInput();
    expect(await chat.ended).toMatchObject({ code: 0, err: "" });

    const ofTurns = frames().filter(({ type }) => type !== "connected");
    expect(ofTurns.map(({ seq }) => seq)).toEqual(ofTurns.map((_, index) => index + 1));
    expect(new Set(frames().map(({ session_id }) => session_id)).size).toBe(1);
    expect(answers()).toBe(3);
  });
});
