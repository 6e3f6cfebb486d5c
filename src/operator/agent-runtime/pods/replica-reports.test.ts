import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ManualClock } from "../../../../test/support/builders/manual-clock.ts";
import type { Readiness } from "../../../probes/ask-readiness.ts";
import type { PodObject } from "../../cluster/kubernetes-objects.ts";
import { type AskReplica, ReplicaReports } from "./replica-reports.ts";

const AGENT = "agents/support";
const STORE_DOWN: Readiness = {
  ready: false,
  reasons: [{ about: "session-store", message: "the session store does not answer" }],
};

function aPod(
  uid: string,
  { ready = false, started = true, startedAt = new Date(0) } = {},
): PodObject {
  return {
    metadata: { name: uid, uid },
    status: {
      phase: "Running",
      podIP: `10.0.0.${uid}`,
      containerStatuses: [
        { name: "agent", ready, started, restartCount: 0, state: { running: { startedAt } } },
      ],
    },
  };
}

function aListener(answer: () => Promise<Readiness | undefined>) {
  const clock = new ManualClock();
  const ending = new AbortController();
  const asked: string[] = [];
  const changed: string[] = [];
  const ask: AskReplica = ({ host, port }) => {
    asked.push(`${host}:${port}`);
    return answer();
  };
  const reports = new ReplicaReports({ clock, ask, onChange: (agent) => changed.push(agent) });
  const running = reports.run(ending.signal);
  onTestFinished(async () => {
    ending.abort();
    await running;
  });
  /** Lets the time go by in small steps, so that whatever is due happens. */
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 100) await clock.advance(100);
  };
  return { reports, clock, asked, changed, pass };
}

describe("what replicas say of themselves", () => {
  it("is asked of those that run and are not ready, at once and every two seconds, and told when it changes", async () => {
    let answer = STORE_DOWN;
    const { reports, asked, changed, pass } = aListener(async () => answer);
    const pods = [aPod("1"), aPod("2", { ready: true }), aPod("3", { started: false })];
    expect(reports.of(AGENT, pods)).toEqual([]);
    await pass(500);
    expect(asked).toEqual(["10.0.0.1:8081"]);
    expect(changed).toEqual([AGENT]);
    expect(reports.of(AGENT, pods)).toEqual(STORE_DOWN.reasons);
    await pass(10_000);
    expect(asked.length).toBeGreaterThan(3);
    expect(asked.length).toBeLessThan(7);
    expect(changed).toEqual([AGENT]);
    answer = { ready: true, reasons: [] };
    await pass(2_500);
    expect(changed).toEqual([AGENT, AGENT]);
    expect(reports.of(AGENT, pods)).toEqual([]);
  });

  it("is forgotten when the replica is ready or gone, and it is not asked any more", async () => {
    const { reports, asked, pass } = aListener(async () => STORE_DOWN);
    reports.of(AGENT, [aPod("1")]);
    await pass(500);
    expect(reports.of(AGENT, [aPod("1", { ready: true })])).toEqual([]);
    const { length } = asked;
    await pass(5_000);
    expect(asked).toHaveLength(length);
    expect(reports.of(AGENT, [])).toEqual([]);
    reports.of(AGENT, [aPod("1")]);
    reports.forget(AGENT);
    await pass(5_000);
    expect(asked).toHaveLength(length);
  });

  it("is not asked of a container that has just started, whatever the clock of its node says", async () => {
    const { reports, clock, asked, pass } = aListener(async () => STORE_DOWN);
    const minute = 60_000;
    const startedAt = new Date(clock.now());
    reports.of(AGENT, [aPod("1", { startedAt })]);
    reports.of("agents/other", [aPod("2", { startedAt: new Date(clock.now() + minute) })]);
    await pass(1_500);
    expect(asked).toEqual([]);
    await pass(1_000);
    expect(asked.toSorted()).toEqual(["10.0.0.1:8081", "10.0.0.2:8081"]);
  });

  it("is told once, however many say it, and in the same order each time", async () => {
    const answers: Readiness[] = [
      { ready: false, reasons: [{ message: "b" }, { message: "a" }] },
      { ready: false, reasons: [{ message: "a" }] },
    ];
    const { reports, pass } = aListener(async () => answers.shift());
    const pods = [aPod("2"), aPod("1")];
    reports.of(AGENT, pods);
    await pass(500);
    expect(reports.of(AGENT, pods).map(({ message }) => message)).toEqual(["a", "b"]);
  });

  it("holds no secret, and nothing of a text that differs each time", async () => {
    const message = "2026-03-01T12:00:00Z cannot open redis://:hunter2@store:6379";
    const { reports, pass } = aListener(async () => ({ ready: false, reasons: [{ message }] }));
    reports.of(AGENT, [aPod("1")]);
    await pass(500);
    const [said] = reports.of(AGENT, [aPod("1")]);
    expect(said?.message).toMatch(/^cannot open/);
    expect(said?.message).not.toContain("hunter2");
  });

  it("is that the operator cannot hear it, when nobody answers", async () => {
    const { reports, pass } = aListener(() => Promise.reject(new Error("no")));
    reports.of(AGENT, [aPod("1")]);
    await pass(500);
    expect(reports.of(AGENT, [aPod("1")])).toMatchObject([
      { message: expect.stringContaining("its log says more") },
    ]);
  });

  it("is asked of a few replicas of an agent, and of so many agents at once", async () => {
    const never = vi.fn(() => new Promise<undefined>(() => {}));
    const clock = new ManualClock();
    const reports = new ReplicaReports({ clock, ask: never, onChange: () => {} });
    const many = Array.from({ length: 100 }, (_, index) => aPod(String(index)));
    void reports.run(AbortSignal.any([]));
    reports.of(AGENT, many);
    for (let step = 0; step < 10; step += 1) await clock.advance(250);
    expect(never).toHaveBeenCalledTimes(4);
    for (const pod of many) reports.of(`agents/${pod.metadata.name}`, [pod]);
    for (let step = 0; step < 10; step += 1) await clock.advance(250);
    expect(never).toHaveBeenCalledTimes(64);
  });
});
