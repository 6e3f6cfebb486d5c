import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { afterEach, describe, expect, it } from "vitest";
import { ManualClock } from "../../../test/support/builders/manual-clock.ts";
import { ConnectionError } from "../client/api-error.ts";
import { KubeClient } from "../client/client.ts";
import type { Clock } from "../../time/clock.ts";
import {
  LEASE_MS,
  type Leadership,
  LeaseLostError,
  RENEW_DEADLINE_MS,
  RETRY_MS,
  runAsLeader,
} from "./leader-election.ts";
import { RateLimiter } from "../client/rate-limiter.ts";
import type { Transport } from "../client/transport.ts";

interface StoredLease {
  metadata: {
    name: string;
    namespace: string;
    resourceVersion: string;
    labels?: object;
    annotations?: Record<string, string>;
  };
  spec: { holderIdentity: string; renewTime: string };
}

/** `hangs`: no answer ever; `answers late`: carried out at once, answered when the line is up again. */
type Line = "up" | "hangs" | "answers late";

/** One lease as an API server keeps it, and a line to it for each who wants to lead: faults that no real one can be asked for. */
class LeaseServer {
  lease: StoredLease | undefined;
  /** Name → uid. */
  readonly pods = new Map<string, string>();
  mayReadPods = true;
  readonly lines = new Map<string, Line>();
  readonly #late: (() => void)[] = [];
  #version = 0;

  transportOf(name: string): Transport {
    return {
      close() {},
      send: async ({ method, path, body, signal }) => {
        const line = this.lines.get(name) ?? "up";
        const answer = line === "hangs" ? undefined : this.#answer(method, path, body);
        if (line !== "up") {
          await new Promise<void>((resolve, reject) => {
            if (answer !== undefined) this.#late.push(resolve);
            signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
          });
        }
        if (answer === undefined) throw new ConnectionError("cut");
        return answer;
      },
    };
  }

  answerLate(): void {
    for (const answer of this.#late.splice(0)) answer();
  }

  /** Somebody who labels the lease, say. */
  touch(): void {
    if (this.lease !== undefined) this.lease.metadata.resourceVersion = `${++this.#version}`;
  }

  #answer(method: string, path: string, body: string | undefined): IncomingMessage {
    const [, pod] = /\/pods\/(.+)$/.exec(path) ?? [];
    const [status, sent] = pod === undefined ? this.#carryOut(method, body) : this.#podOf(pod);
    return Object.assign(Readable.from([Buffer.from(JSON.stringify(sent))]), {
      statusCode: status,
      headers: {},
    }) as unknown as IncomingMessage;
  }

  #podOf(name: string): [number, object] {
    if (!this.mayReadPods) return [403, { message: "pods is forbidden" }];
    const uid = this.pods.get(name);
    return uid === undefined ? [404, {}] : [200, { metadata: { name, uid } }];
  }

  #carryOut(method: string, body: string | undefined): [number, object] {
    const { lease } = this;
    if (method === "GET") return lease === undefined ? [404, {}] : [200, lease];
    const wanted = JSON.parse(body ?? "") as StoredLease;
    const isFresh = wanted.metadata.resourceVersion === lease?.metadata.resourceVersion;
    if (!isFresh) return [409, { reason: "Conflict" }];
    wanted.metadata.resourceVersion = `${++this.#version}`;
    this.lease = wanted;
    return [200, wanted];
  }
}

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

function aCampaign() {
  const server = new LeaseServer();
  const clock = new ManualClock();
  /** What happened, with the second in which it did. */
  const told: { at: number; what: string }[] = [];
  const errors: string[] = [];
  const tell = (what: string): number => told.push({ at: clock.monotonic(), what });

  function compete(
    name: string,
    { podUID, ...own }: Partial<Clock> & { podUID?: string | undefined } = {},
  ) {
    const ending = new AbortController();
    stops.push(() => ending.abort());
    const ownClock: Clock = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      sleep: (ms, signal) => clock.sleep(ms, signal),
      setTimer: (ms, callback) => clock.setTimer(ms, callback),
      ...own,
    };
    let leadership: Leadership | undefined;
    let leading: AbortSignal | undefined;
    const ended = runAsLeader(
      {
        client: new KubeClient({
          transport: server.transportOf(name),
          rateLimiter: new RateLimiter({ clock: ownClock, perSecond: 100, burst: 100 }),
          fieldManager: "test",
        }),
        namespace: "default",
        name: "lease",
        identity: name,
        pods: {
          annotation: "example.com/pod",
          own: podUID === undefined ? undefined : { name: `pod-of-${name}`, uid: podUID },
        },
        clock: ownClock,
        random: () => 0.5,
        onError: (error) => errors.push((error as Error).message),
      },
      async (signal, granted) => {
        [leadership, leading] = [granted, signal];
        tell(`${name} leads`);
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
        tell(`${name} ends`);
      },
      ending.signal,
    );
    void ended.catch((error: unknown) => tell(`${name}: ${(error as Error).name}`));
    return {
      ended,
      end: () => ending.abort(),
      leadership: () => leadership as Leadership,
      leading: () => leading as AbortSignal,
    };
  }

  /** Lets time go by, with what is to happen in it. */
  async function pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 100) {
      await clock.advance(100);
      for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
    }
  }

  const timeOf = (what: string): number => told.find((one) => one.what === what)?.at ?? Number.NaN;
  return {
    server,
    clock,
    told,
    errors,
    compete,
    pass,
    timeOf,
    whats: () => told.map(({ what }) => what),
  };
}

describe("runAsLeader", () => {
  it("a leader that cannot reach the server ends before another begins", async () => {
    const { server, compete, pass, timeOf, whats } = aCampaign();
    compete("a");
    await pass(100);
    compete("b");
    await pass(60_000);
    expect(whats()).toEqual(["a leads"]);
    server.lines.set("a", "hangs");
    await pass(2 * LEASE_MS);
    expect(whats()).toEqual(["a leads", "a ends", "a: LeaseLostError", "b leads"]);
    expect(timeOf("a ends")).toBeLessThan(timeOf("b leads"));
  });

  it.each([300, 700, 1_100, 1_500, 1_900])(
    "who waits, looking %i ms after the leader, follows one that was killed as soon as the lease runs out",
    async (offset) => {
      const { server, clock, compete, pass, timeOf } = aCampaign();
      compete("a");
      await pass(offset);
      compete("b");
      // Just renewed: it takes longest then.
      const renewed = server.lease?.metadata.resourceVersion;
      while (server.lease?.metadata.resourceVersion === renewed) await pass(100);
      server.lines.set("a", "hangs");
      const killed = clock.monotonic();
      await pass(2 * LEASE_MS);
      expect(timeOf("b leads") - killed).toBeLessThanOrEqual(LEASE_MS + 1.2 * RETRY_MS);
    },
  );

  it("a renewal counts from when it was sent, however late its answer comes", async () => {
    const { server, clock, compete, pass, timeOf } = aCampaign();
    compete("a");
    await pass(100);
    const before = server.lease?.metadata.resourceVersion;
    server.lines.set("a", "answers late");
    await pass(RETRY_MS * 1.5);
    // The read is answered, and the write that follows it is carried out.
    server.answerLate();
    await pass(100);
    expect(server.lease?.metadata.resourceVersion).not.toBe(before);
    const sent = clock.monotonic();
    await pass(3_000);
    server.lines.set("a", "hangs");
    server.answerLate();
    await pass(2 * LEASE_MS);
    expect(timeOf("a ends") - sent).toBeLessThanOrEqual(RENEW_DEADLINE_MS);
  });

  it("a leader that stood still may do nothing more, before any timer has told it so", async () => {
    let stoodStill = 0;
    const { clock, compete, pass, whats } = aCampaign();
    const leader = compete("a", { monotonic: () => clock.monotonic() + stoodStill });
    await pass(5_000);
    leader.leadership().assertHeld();
    stoodStill = RENEW_DEADLINE_MS;
    expect(() => leader.leadership().assertHeld()).toThrow(LeaseLostError);
    expect(leader.leading().aborted).toBe(true);
    await expect(leader.ended).rejects.toBeInstanceOf(LeaseLostError);
    expect(whats()).toContain("a ends");
  });

  it("a wall clock that is set back and forth gives the lease to nobody", async () => {
    let set = 0;
    const { clock, compete, pass, whats } = aCampaign();
    compete("a", { now: () => clock.now() + set });
    await pass(100);
    compete("b", { now: () => clock.now() - set });
    for (const day of [1, -1, 365, 0]) {
      set = day * 24 * 60 * 60_000;
      await pass(2 * LEASE_MS);
    }
    expect(whats()).toEqual(["a leads"]);
  });

  it("a lease that somebody touches, or deletes, is kept by who holds it", async () => {
    const { server, compete, pass, whats } = aCampaign();
    compete("a");
    await pass(100);
    server.lines.set("a", "answers late");
    await pass(RETRY_MS * 1.2);
    // Between the read and the write.
    server.touch();
    server.lines.set("a", "up");
    server.answerLate();
    await pass(LEASE_MS);
    server.lease = undefined;
    await pass(2 * LEASE_MS);
    expect(whats()).toEqual(["a leads"]);
    expect(server.lease).toMatchObject({ spec: { holderIdentity: "a" } });
  });

  it("a lease that another held meanwhile is lost, though nobody holds it now", async () => {
    const { server, compete, pass, whats } = aCampaign();
    compete("a");
    await pass(100);
    if (server.lease !== undefined) server.lease.spec.holderIdentity = "";
    server.touch();
    await pass(LEASE_MS);
    expect(whats()).toEqual(["a leads", "a ends", "a: LeaseLostError"]);
  });

  it("a clean end hands the lease over, also in the middle of a renewal", async () => {
    const { server, compete, pass, whats } = aCampaign();
    const leader = compete("a");
    await pass(100);
    server.lines.set("a", "answers late");
    await pass(RETRY_MS * 1.2);
    server.answerLate();
    await pass(100);
    // The write was carried out, and its answer is still on the way.
    server.lines.set("a", "up");
    leader.end();
    await leader.ended;
    expect(server.lease).toMatchObject({ spec: { holderIdentity: "" } });
    compete("b");
    await pass(100);
    expect(whats()).toEqual(["a leads", "a ends", "b leads"]);
  });

  it.each([
    ["is gone", undefined],
    ["is another of the same name", "newer"],
  ])("a killed leader whose pod %s is followed within 3 s", async (_, uid) => {
    const { server, clock, compete, pass, timeOf } = aCampaign();
    server.pods.set("pod-of-a", "first");
    compete("a", { podUID: "first" });
    await pass(100);
    compete("b", { podUID: "other" });
    await pass(20_000);
    server.lines.set("a", "hangs");
    if (uid === undefined) server.pods.delete("pod-of-a");
    else server.pods.set("pod-of-a", uid);
    const killed = clock.monotonic();
    await pass(2 * LEASE_MS);
    expect(timeOf("b leads") - killed).toBeLessThanOrEqual(3_000);
  });

  it.each([
    ["whose pod is still there", true, "first"],
    ["whose pod nobody may look at", false, undefined],
  ])("a killed leader %s is waited for", async (_, mayRead, uid) => {
    const { server, clock, errors, compete, pass, timeOf } = aCampaign();
    compete("a", { podUID: "first" });
    server.mayReadPods = mayRead;
    if (uid !== undefined) server.pods.set("pod-of-a", uid);
    await pass(100);
    compete("b", { podUID: "other" });
    await pass(20_000);
    server.lines.set("a", "hangs");
    const killed = clock.monotonic();
    await pass(2 * LEASE_MS);
    expect(timeOf("b leads") - killed).toBeGreaterThan(LEASE_MS - 2 * RETRY_MS);
    const refusals = errors.filter((error) => error.includes("forbidden"));
    expect(refusals).toHaveLength(mayRead ? 0 : 1);
  });

  it("a leader that runs in no pod is not taken for gone because of the pod of an earlier one", async () => {
    const { server, compete, pass, whats } = aCampaign();
    server.pods.set("pod-of-a", "first");
    const first = compete("a", { podUID: "first" });
    await pass(100);
    expect(server.lease?.metadata.annotations).toEqual({ "example.com/pod": "a pod-of-a first" });
    first.end();
    await first.ended;
    server.pods.delete("pod-of-a");
    compete("b");
    await pass(100);
    expect(server.lease?.metadata.annotations).toBeUndefined();
    compete("c", { podUID: "third" });
    // An operator that does not know the annotation leaves it as it finds it.
    if (server.lease !== undefined) {
      server.lease.metadata.annotations = { "example.com/pod": "a pod-of-a first" };
    }
    await pass(60_000);
    expect(whats()).toEqual(["a leads", "a ends", "b leads"]);
  });
});
