/** What befalls the replicas of the survival test and their session store, one thing after the other. */
import { setTimeout as sleep } from "node:timers/promises";
import { TURN_LEASE_MS } from "../../src/agent/sessions/session-store.ts";
import type { RedisServer } from "../support/redis/redis.ts";
import type { SurvivalReplica } from "./replica.ts";

const SPACING_MS = 4_000;
const REDIS_AWAY_MS = 1_500;
/** So long that others take over what the replica left. */
export const STANDSTILL_MS = TURN_LEASE_MS + 2_000;

export interface SurvivalFaults {
  readonly replicas: readonly [SurvivalReplica, SurvivalReplica, SurvivalReplica];
  readonly redis: RedisServer;
  readonly say: (what: string) => void;
  /** The last fault has begun a while ago. */
  readonly onCalm: () => void;
}

/** Every replica dies and comes back; Redis restarts; one replica is drained while another one stands still. */
export async function bringFaults(faults: SurvivalFaults): Promise<void> {
  const { replicas, say } = faults;
  const [first, second, third] = replicas;
  await sleep(SPACING_MS);
  const comings = [await killed(first)];
  await sleep(SPACING_MS);
  comings.push(await killed(second));
  await sleep(SPACING_MS);
  await restart(faults);
  await sleep(SPACING_MS);
  comings.push(await killed(third));
  await sleep(SPACING_MS);
  await Promise.all(comings.map(({ coming }) => coming));
  say("the second replica stands still");
  second.freeze();
  await Promise.all([drain(first), sleep(STANDSTILL_MS)]);
  say("the second replica goes on");
  second.thaw();

  async function killed(replica: SurvivalReplica): Promise<{ coming: Promise<void> }> {
    say(`the ${nameOf(replica)} replica is killed`);
    await replica.kill();
    return { coming: replica.start() };
  }

  async function drain(replica: SurvivalReplica): Promise<void> {
    await sleep(SPACING_MS / 2);
    say(`the ${nameOf(replica)} replica is drained`);
    const drained = replica.drain();
    await sleep(SPACING_MS);
    faults.onCalm();
    await drained;
    say(`the ${nameOf(replica)} replica has ended`);
    await replica.start();
  }

  function nameOf(replica: SurvivalReplica): string {
    return ["first", "second", "third"][replicas.indexOf(replica)] ?? "unknown";
  }
}

async function restart({ redis, say }: SurvivalFaults): Promise<void> {
  say("Redis restarts");
  await redis.stop();
  await sleep(REDIS_AWAY_MS);
  await redis.start();
  say("Redis is back");
}
