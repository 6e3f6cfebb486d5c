/** How long frames are kept, as a client sees it, and what turns cost the session store. */
import { describe, expect, it } from "vitest";
import {
  FRAME_RETENTION_MS,
  MAX_FRAME_BYTES_PER_SESSION,
  MAX_FRAME_BYTES_PER_TURN,
} from "../../../src/agent/sessions/session-store.ts";
import type { ServerFrame } from "../../../src/protocol/frames.ts";
import type { ChatClient } from "../../support/agent/chat-client.ts";
import { startModelServer } from "../../support/agent/model-server.ts";
import { RedisProbe } from "../../support/redis/redis-sessions.ts";
import { startRedis } from "../../support/redis/redis.ts";
import { aRuntimeConfig } from "../../support/builders/agent-config.ts";
import { TestAgent } from "../../support/agent/test-agent.ts";
import { forAllTests } from "../../support/builders/fixtures.ts";

const redis = forAllTests(
  () => startRedis(),
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

const sessions = {
  memory: { type: "memory", ttlMs: 3_600_000 },
  redis: { type: "redis", ttlMs: 3_600_000, storeURLFile: "secrets/session-store/url" },
} as const;

function anAgent(store: keyof typeof sessions, handler: "echo" | "runtime"): Promise<TestAgent> {
  const provider = { baseURL: model().url, api: "chat" } as const;
  return TestAgent.start({
    config: { ...aRuntimeConfig({ provider }), handler, session: sessions[store] },
    files: { "secrets/session-store/url": redis().url, "provider/api-key": "sk-test" },
  });
}

/** What came of a resume, after its `connected`, up to the session's last frame. */
async function resume(
  client: ChatClient,
  session_id: string,
  after: number,
): Promise<ServerFrame[]> {
  client.send({ type: "resume", session_id, after });
  const { seq: last } = await client.nextOf("connected");
  const frames: ServerFrame[] = [];
  for (;;) {
    const frame = await client.next();
    frames.push(frame);
    if ("seq" in frame && frame.seq === last) return frames;
  }
}

/** The seq behind which frames are kept, as the error tells. */
function keptAfter(frame: ServerFrame | undefined): number {
  expect(frame).toMatchObject({ type: "error", error: { code: "INVALID_MESSAGE" } });
  const details = frame?.type === "error" ? frame.error.details : undefined;
  return details?.["kept_after"] as number;
}

function seqsOf(frames: readonly object[]): unknown[] {
  return frames.flatMap((frame) => ("seq" in frame ? frame.seq : []));
}

function upTo(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, at) => from + at + 1);
}

describe.each(["memory", "redis"] as const)("frames that are no longer kept, in %s", (store) => {
  it("of a long turn are told of, and those that are kept follow without a gap", async () => {
    const agent = await anAgent(store, "runtime");
    // Texts that come together are one frame, which is large at most by its text.
    const much = "1234567 ".repeat(MAX_FRAME_BYTES_PER_TURN / 4);
    model().mock.onMessage(/much/, { content: much }, { chunkSize: 4_096 });
    const client = await agent.connect();
    const { session_id, seq, content } = await client.ask("Say much");
    expect(content).toHaveLength(much.length);
    const [error, ...kept] = await resume(client, session_id, 0);
    const kept_after = keptAfter(error);
    expect(kept_after).toBeGreaterThan(0);
    expect(seqsOf(kept)).toEqual(upTo(kept_after, seq));
    expect(JSON.stringify(kept).length).toBeLessThan(MAX_FRAME_BYTES_PER_TURN + content.length);
    expect(kept.at(-1)).toMatchObject({ type: "done", content });
    // Who missed only what is kept is told nothing.
    expect(await resume(client, session_id, kept_after)).toEqual(kept);
  });

  it("of a session with much in it are told of", async () => {
    const agent = await anAgent(store, "echo");
    const client = await agent.connect();
    const content = "x".repeat(500 * 1024);
    const turns = Math.ceil(MAX_FRAME_BYTES_PER_SESSION / content.length) + 3;
    let session_id = "";
    for (let turn = 0; turn < turns; turn++) ({ session_id } = await client.ask(content));
    const [error, ...kept] = await resume(client, session_id, 0);
    expect(keptAfter(error)).toBeGreaterThan(0);
    expect(seqsOf(kept)).toEqual(upTo(keptAfter(error), turns));
  });
});

describe("frames that are ten minutes old", () => {
  it("are gone, which is told to who asks for them and to nobody else", async () => {
    const agent = await anAgent("redis", "echo");
    const client = await agent.connect();
    const { session_id } = await client.ask("one");
    await client.ask("two");
    await probe().passTime(session_id, FRAME_RETENTION_MS + 1);
    client.send({ type: "resume", session_id, after: 0 });
    expect(await client.nextOf("connected")).toMatchObject({ resumed: true, seq: 2 });
    expect(await client.next()).toMatchObject({
      type: "error",
      error: { code: "INVALID_MESSAGE", details: { kept_after: 2 } },
    });
    client.send({ type: "resume", session_id, after: 2 });
    await client.nextOf("connected");
    expect(await client.ask("three")).toMatchObject({ seq: 3 });
    expect(client.frames.filter(({ type }) => type === "error")).toHaveLength(1);
  });
});

describe("an echo turn in Redis", () => {
  it("costs two round trips, however long the session is", async () => {
    const agent = await anAgent("redis", "echo");
    const client = await agent.connect();
    await client.ask("the session begins");
    const roundTrips = async (turns: number): Promise<number> => {
      await probe().command("CONFIG", "RESETSTAT");
      for (let turn = 0; turn < turns; turn++)
        await client.ask("hello", { id: crypto.randomUUID() });
      const stats = (await probe().command("INFO", "commandstats")) as string;
      const ofClients = stats.matchAll(
        /cmdstat_(evalsha|eval|xread|client\|\w+|ping):calls=(\d+)/g,
      );
      return [...ofClients].reduce((sum, [, , count]) => sum + Number(count), 0);
    };
    // Beside the turns' own, a few for all of them: waiting for cancels, renewing leases.
    expect(await roundTrips(100)).toBeLessThanOrEqual(210);
    await roundTrips(500);
    expect(await roundTrips(100)).toBeLessThanOrEqual(210);
  });
});
