/**
 * Many sessions through all that befalls replicas in production, at once: deaths, a rollout, a standstill, a session
 * store that restarts, and lines that break. Nobody is to lose, to see twice or to pay twice for anything.
 *
 * Whatever is left to chance comes from a seed, which is printed; OMNIA_SURVIVAL_SEED runs with it again, as far as
 * chance is concerned: processes and networks have their own time.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { ChatClient } from "../support/agent/chat-client.ts";
import { openRedisStore, RedisProbe } from "../support/redis/redis-sessions.ts";
import { startRedis } from "../support/redis/redis.ts";
import { writeSurvivalConfig } from "./config.ts";
import { bringFaults } from "./faults.ts";
import { figuresOf } from "./figures.ts";
import { startSurvivalModel, startSurvivalTool } from "./model.ts";
import { survivalRandom } from "./random.ts";
import { SurvivalReplica } from "./replica.ts";
import { SurvivalTalker } from "./talker.ts";
import { aSurvivalTurn } from "./turn.ts";
import { breachesOfLedger, breachesOfSession, strayMessages } from "./verdict.ts";

const SEED = process.env["OMNIA_SURVIVAL_SEED"] ?? String(Date.now() % 1_000_000);
const SESSIONS = Number(process.env["OMNIA_SURVIVAL_SESSIONS"] ?? 200);
/** The model says one of 25 to 50 pieces after each pause: a turn takes 5 to 10 s, and with the tool some more. */
const PAUSE_MS = 200;
const PIECES = { from: 25, to: 50 };
const TOOL_SLOWNESS_MS = { from: 500, to: 3_000 };
/** One line breaks in each of these: each of them every 20 s. */
const LOSS_INTERVAL_MS = 20_000 / SESSIONS;
const MAX_TEST_MS = 120_000;

describe("the turns of agents whose replicas and stores fail", () => {
  it(
    `${SESSIONS} sessions come through deaths, a drain, a standstill, a restart of Redis and broken lines`,
    { timeout: MAX_TEST_MS },
    async () => {
      const random = survivalRandom(SEED);
      const begun = performance.now();
      const say = (what: string): void => {
        const seconds = ((performance.now() - begun) / 1_000).toFixed(1).padStart(5);
        process.stdout.write(`survival ${seconds} s: ${what}\n`);
      };
      say(`seed ${SEED}, ${SESSIONS} sessions, 3 replicas`);
      const stack = new AsyncDisposableStack();
      onTestFinished(() => stack.disposeAsync());
      const redis = stack.use(await startRedis({ appendOnly: true }));
      const model = stack.use(await startSurvivalModel(PAUSE_MS));
      const tool = stack.use(await startSurvivalTool(random.fork("tool"), TOOL_SLOWNESS_MS));
      const folder = await mkdtemp(join(tmpdir(), "omnia-survival-"));
      stack.defer(() => rm(folder, { recursive: true }));
      const urls = { redis: redis.url, model: model.url, tool: tool.url };
      const configPath = await writeSurvivalConfig(folder, urls);
      const aReplica = (): SurvivalReplica => stack.use(new SurvivalReplica(configPath));
      const replicas = [aReplica(), aReplica(), aReplica()] as const;
      await Promise.all(replicas.map((replica) => replica.start()));

      /** Aborted when nobody is to ask any more. */
      const calm = new AbortController();
      /** Aborted when everybody has an answer. */
      const over = new AbortController();
      stack.defer(() => over.abort());
      const breaches: string[] = [];

      const talkers = Array.from({ length: SESSIONS }, (_, session) => {
        const talker = new SurvivalTalker(random.fork(`talker ${session}`));
        stack.defer(() => talker.close());
        return talker;
      });
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

      await Promise.all(talkers.map((talker) => talker.connect(replicas, over.signal)));
      say("everybody is connected");
      void breakLines();
      await Promise.all([
        bringFaults({ replicas, redis, say, onCalm: () => calm.abort() }),
        ...talkers.map((talker, session) =>
          talk(talker, session).catch((error: unknown) => {
            breaches.push(`session ${session} was given up: ${String(error)}`);
          }),
        ),
      ]);
      over.abort();
      say("everybody has an answer");

      const store = openRedisStore(redis.url);
      stack.defer(() => store.close());
      const probe = new RedisProbe(redis.url);
      stack.defer(() => probe.close());
      for (const talker of talkers) breaches.push(...(await breachesOfSession(talker, store)));
      for (const message of await strayMessages(talkers, probe))
        breaches.push(`a session that nobody knows begins with ${message}`);
      const talks = talkers.flatMap((talker) => talker.talks);
      breaches.push(...breachesOfLedger(tool.ledger, talks));
      const counts = { "model asked": model.asked(), "tool called": tool.ledger.length };
      say(figuresOf(talkers, replicas, counts));
      for (const { errors } of replicas)
        for (const error of errors.slice(0, 5)) say(`logged ${error}`);

      expect(breaches).toEqual([]);
      expect(talks.length).toBeGreaterThan(SESSIONS);
      expect(replicas.flatMap(({ recoveries }) => recoveries)).toContain("goes-on");
    },
  );

  it("a first message is run once, though two replicas were sent it and the first was slow to read it", async () => {
    await using stack = new AsyncDisposableStack();
    const redis = stack.use(await startRedis());
    const folder = await mkdtemp(join(tmpdir(), "omnia-survival-"));
    stack.defer(() => rm(folder, { recursive: true }));
    const configPath = await writeSurvivalConfig(folder, { redis: redis.url }, { handler: "echo" });
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
});
