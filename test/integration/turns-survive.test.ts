/**
 * Many sessions through all that befalls replicas in production, at once: deaths, a rollout, a session store that
 * restarts, and lines that break. Nobody is to lose, to see twice or to pay twice for anything.
 *
 * Whatever is left to chance comes from a seed, which is printed; OMNIA_SURVIVAL_SEED runs with it again, as far as
 * chance is concerned: processes and networks have their own time.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import type { AgentConfig } from "../../src/agent-config.ts";
import { TURN_LEASE_MS } from "../../src/agent/sessions/session-store.ts";
import { ChatClient } from "../support/chat-client.ts";
import { openRedisStore, RedisProbe } from "../support/redis-sessions.ts";
import { startRedis } from "../support/redis.ts";
import { aRuntimeConfig, aTool } from "../support/runtime-config.ts";
import { startSurvivalModel, startSurvivalTool } from "../support/survival-model.ts";
import { survivalRandom } from "../support/survival-random.ts";
import { SurvivalReplica } from "../support/survival-replica.ts";
import { SurvivalTalker } from "../support/survival-talker.ts";
import { aSurvivalTurn, isInDoubt, PAY_TOOL } from "../support/survival-turn.ts";
import { breachesOfLedger, breachesOfSession } from "../support/survival-verdict.ts";

const SEED = process.env["OMNIA_SURVIVAL_SEED"] ?? String(Date.now() % 1_000_000);
const SESSIONS = Number(process.env["OMNIA_SURVIVAL_SESSIONS"] ?? 200);
const REPLICAS = 3;
const PAUSE_MS = 200;
/** A turn takes 5 to 10 s. */
const PIECES = { from: 25, to: 50 };
const TOOL_SLOWNESS_MS = { from: 500, to: 3_000 };
/** Longer than a replica may stand still. */
const TOOL_TIMEOUT_MS = 60_000;
/** Once everybody talks. */
const FAULT_SPACING_MS = 4_000;
const REDIS_AWAY_MS = 1_500;
/** So long that others take over what the replica left. */
const STANDSTILL_MS = TURN_LEASE_MS + 2_000;
/** A line breaks in each of these. */
const LOSS_INTERVAL_MS = 20_000 / SESSIONS;
const MAX_TEST_MS = 120_000;

test(
  `${SESSIONS} sessions come through deaths, a drain, a restart of Redis and broken lines`,
  { timeout: MAX_TEST_MS },
  async () => {
    const random = survivalRandom(SEED);
    const begun = performance.now();
    const say = (what: string): void => {
      const seconds = ((performance.now() - begun) / 1_000).toFixed(1).padStart(5);
      process.stdout.write(`survival ${seconds} s: ${what}\n`);
    };
    say(`seed ${SEED}, ${SESSIONS} sessions, ${REPLICAS} replicas`);
    const stack = new AsyncDisposableStack();
    onTestFinished(() => stack.disposeAsync());
    const redis = stack.use(await startRedis({ appendOnly: true }));
    const model = stack.use(await startSurvivalModel(PAUSE_MS));
    const tool = stack.use(await startSurvivalTool(random.fork("tool"), TOOL_SLOWNESS_MS));
    const folder = await mkdtemp(join(tmpdir(), "omnia-survival-"));
    stack.defer(() => rm(folder, { recursive: true }));
    const configPath = await writeConfig(folder, {
      redisURL: redis.url,
      modelURL: model.url,
      toolURL: tool.url,
    });
    const replicas = Array.from({ length: REPLICAS }, () =>
      stack.use(new SurvivalReplica(configPath)),
    );
    await Promise.all(replicas.map((replica) => replica.start()));

    /** Aborted when everybody has an answer. */
    const over = new AbortController();
    stack.defer(() => over.abort());
    const talkers = Array.from({ length: SESSIONS }, (_, session) => {
      const talker = new SurvivalTalker(random.fork(`talker ${session}`));
      stack.defer(() => talker.close());
      return talker;
    });
    /** Aborted when nobody is to ask any more. */
    const calm = new AbortController();
    async function talk(talker: SurvivalTalker, session: number): Promise<void> {
      await sleep(talker.random.between(0, 2_000));
      for (let turn = 0; !calm.signal.aborted; turn++) {
        await talker.talk(aSurvivalTurn(session, turn, random, PIECES), over.signal);
        await sleep(talker.random.between(0, 1_000));
      }
    }

    async function breakLines(): Promise<void> {
      const own = random.fork("lines");
      while (!over.signal.aborted) {
        await sleep(LOSS_INTERVAL_MS);
        own.pick(talkers).loseConnection();
      }
    }

    async function drain(replica: SurvivalReplica): Promise<void> {
      await sleep(FAULT_SPACING_MS / 2);
      say("the first replica is drained");
      const drained = replica.drain();
      await sleep(FAULT_SPACING_MS);
      calm.abort();
      await drained;
      say("the first replica has ended");
      await replica.start();
    }

    async function bringFaults(): Promise<void> {
      const [first, second, third] = replicas as [
        SurvivalReplica,
        SurvivalReplica,
        SurvivalReplica,
      ];
      const comings: Promise<void>[] = [];
      for (const [name, replica] of [
        ["first", first],
        ["second", second],
        ["third", third],
      ] as const) {
        await sleep(FAULT_SPACING_MS);
        say(`the ${name} replica is killed`);
        await replica.kill();
        comings.push(replica.start());
        if (replica !== second) continue;
        await sleep(FAULT_SPACING_MS);
        say("Redis restarts");
        await redis.stop();
        await sleep(REDIS_AWAY_MS);
        await redis.start();
        say("Redis is back");
      }
      await sleep(FAULT_SPACING_MS);
      await Promise.all(comings);
      say("the second replica stands still");
      second.freeze();
      await Promise.all([drain(first), sleep(STANDSTILL_MS)]);
      say("the second replica goes on");
      second.thaw();
    }

    const pickURL = ({ random: own }: SurvivalTalker): string =>
      own.pick(replicas.filter(({ isOffered }) => isOffered)).url;
    await Promise.all(talkers.map((talker) => talker.connect(() => pickURL(talker), over.signal)));
    say("everybody is connected");
    void breakLines();
    await Promise.all([bringFaults(), ...talkers.map(talk)]);
    over.abort();
    say("everybody has an answer");

    const store = openRedisStore(redis.url);
    stack.defer(() => store.close());
    const probe = new RedisProbe(redis.url);
    stack.defer(() => probe.close());
    const breaches = breachesOfLedger(
      tool.ledger,
      talkers.flatMap(({ talks }) => talks),
    );
    for (const talker of talkers) breaches.push(...(await breachesOfSession(talker, store)));
    const kept = (await probe.command("KEYS", "omnia:{*}:messages")) as string[];
    const known = new Set(talkers.map(({ sessionId }) => `omnia:{${sessionId}}:messages`));
    for (const key of kept.filter((each) => !known.has(each))) {
      const [message] = (await probe.command("LRANGE", key, "0", "0")) as string[];
      breaches.push(`nobody knows of the session in which there is ${message}`);
    }
    const talks = talkers.flatMap((talker) => talker.talks);
    const sum = (count: (talker: SurvivalTalker) => number): number =>
      talkers.reduce((total, talker) => total + count(talker), 0);
    say(
      [
        "figures",
        `turns ${talks.length}`,
        `done ${talks.filter(({ end }) => end.type === "done").length}`,
        `in doubt ${talks.filter(({ turn, end }) => isInDoubt(turn, end)).length}`,
        `frames ${sum(({ frames }) => frames.length)}`,
        `connections ${sum(({ connections }) => connections)}`,
        `resumed ${sum(({ resumes }) => resumes)}`,
        `taken over ${shownCounts(replicas.flatMap(({ recoveries }) => recoveries))}`,
        `model asked ${model.asked()}`,
        `tool called ${tool.ledger.length}`,
        `errors ${shownCounts(talkers.flatMap(({ errorCodes }) => errorCodes))}`,
      ].join("\n  "),
    );
    for (const { errors } of replicas)
      for (const error of errors.slice(0, 5)) say(`logged ${error}`);
    expect(breaches).toEqual([]);
  },
);

test("a first message is run once, though two replicas were sent it and the first was slow to read it", async () => {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis());
  const folder = await mkdtemp(join(tmpdir(), "omnia-survival-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const configPath = await writeConfig(folder, { redisURL: redis.url }, { handler: "echo" });
  const [slow, quick] = [new SurvivalReplica(configPath), new SurvivalReplica(configPath)];
  for (const replica of [slow, quick]) await stack.use(replica).start();
  const message = { type: "message", content: "once", id: "message-1" };

  const first = await ChatClient.connect(slow.url);
  const { session_id } = await first.nextOf("connected");
  slow.freeze();
  first.send(message);
  first.socket.terminate();
  const second = await ChatClient.connect(quick.url);
  second.send({ ...message, session_id });
  const done = await second.nextOf("done");
  expect(done).toMatchObject({ content: "once", seq: 1 });
  slow.thaw();
  // What was sent before is read before.
  const third = await ChatClient.connect(slow.url);
  await third.ask("after it");

  const probe = new RedisProbe(redis.url);
  stack.defer(() => probe.close());
  const kept = (await probe.command("KEYS", "omnia:{*}:messages")) as string[];
  expect(kept).toHaveLength(2);
  expect(kept).toContain(`omnia:{${done.session_id}}:messages`);
  expect(done.session_id).not.toBe(session_id);
});

async function writeConfig(
  folder: string,
  urls: { redisURL: string; modelURL?: string; toolURL?: string },
  parts: Partial<AgentConfig> = {},
): Promise<string> {
  const { redisURL, modelURL = "", toolURL = "" } = urls;
  const inputSchema = { type: "object", properties: { call: { type: "string" } } };
  const config: AgentConfig = {
    ...aRuntimeConfig({
      provider: { baseURL: modelURL, api: "chat" },
      tools: [aTool({ name: PAY_TOOL, url: toolURL, inputSchema, timeoutMs: TOOL_TIMEOUT_MS })],
    }),
    session: { type: "redis", ttlMs: 3_600_000, storeURLFile: "secrets/session-store/url" },
    ...parts,
  };
  const files = {
    "agent.json": JSON.stringify(config),
    "provider/api-key": "sk-test",
    "secrets/session-store/url": redisURL,
  };
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  return join(folder, "agent.json");
}

function shownCounts(names: readonly string[]): string {
  const counts = Object.entries(Object.groupBy(names, (name) => name));
  const shown = counts.map(([name, found]) => `${name} ${found?.length ?? 0}`);
  return shown.length === 0 ? "none" : shown.join(", ");
}
