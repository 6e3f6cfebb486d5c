import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  planReplicas,
  type ObservedReplica,
  type ReplicaState,
  type WantedReplicas,
} from "./plan.ts";

/** "1 new ready" → a replica. */
function replicas(...lines: string[]): ObservedReplica[] {
  return lines.map((line) => {
    const [id, revision = "", state, restartAt] = line.split(" ");
    return {
      id: Number(id),
      revision,
      state: state as ReplicaState,
      restartAt: restartAt === undefined ? undefined : Number(restartAt),
    };
  });
}

function plan(count: number, ...lines: string[]): string {
  return planReplicas({ count, revision: "new" }, replicas(...lines), 1_000)
    .map(({ type, id }) => `${type} ${id}`)
    .join(", ");
}

describe("planReplicas", () => {
  it("does nothing when the world is as wanted", () => {
    expect(plan(0)).toBe("");
    expect(plan(2, "1 new ready", "2 new starting")).toBe("");
    expect(plan(1, "1 new ready", "2 old draining")).toBe("");
  });

  it("starts all that are missing, under numbers that are free", () => {
    expect(plan(3)).toBe("start 1, start 2, start 3");
    expect(plan(3, "2 new ready", "1 old draining")).toBe("start 3, start 4");
  });

  it("starts one that ended again, when its time has come", () => {
    expect(plan(1, "1 new waiting 1001")).toBe("");
    expect(plan(1, "1 new waiting 1000")).toBe("restart 1");
  });

  it("leaves one alone that is not ready: another process would not help it", () => {
    expect(plan(1, "1 new unready")).toBe("");
  });

  it("drains what is too much, the least useful first", () => {
    expect(plan(1, "1 new ready", "2 new ready")).toBe("drain 2");
    expect(plan(1, "1 new starting", "2 new ready")).toBe("drain 1");
    expect(plan(2, "1 new waiting 9999", "2 new ready", "3 new ready")).toBe("drain 1");
    expect(plan(0, "1 new ready", "2 new waiting 0")).toBe("drain 2, drain 1");
  });

  it("rolls one at a time: the new one is ready before an old one drains", () => {
    expect(plan(2, "1 old ready", "2 old ready")).toBe("start 3");
    expect(plan(2, "1 old ready", "2 old ready", "3 new starting")).toBe("");
    expect(plan(2, "1 old ready", "2 old ready", "3 new ready")).toBe("start 4, drain 1");
    expect(plan(2, "1 old draining", "2 old ready", "3 new ready", "4 new ready")).toBe("drain 2");
  });

  it("keeps the old ones when the new one does not come up", () => {
    expect(plan(2, "1 old ready", "2 old ready", "3 new waiting 5000")).toBe("");
  });

  it("does not keep old ones that serve nobody", () => {
    expect(plan(2, "1 old waiting 5000", "2 old unready")).toBe(
      "start 3, start 4, drain 1, drain 2",
    );
    expect(plan(1, "1 old starting")).toBe("start 2, drain 1");
  });

  it("scales down and rolls at once", () => {
    expect(plan(1, "1 old ready", "2 old ready", "3 old ready")).toBe("start 4, drain 1, drain 2");
  });

  it("drains new ones that do not serve yet when fewer are wanted while a change rolls", () => {
    const serving = ["1 old ready", "2 old ready"];
    expect(plan(2, ...serving, "4 new starting", "5 new starting")).toBe("drain 5");
    expect(plan(2, ...serving, "4 new starting", "5 new waiting 9999")).toBe("drain 5");
    expect(plan(1, "1 old ready", "4 new starting", "5 new starting", "6 new starting")).toBe(
      "drain 6, drain 5",
    );
  });

  it("whatever happens: never drains below what is wanted, never runs more than one above it, and gets there", () => {
    const event = (name: Event, weight: number, maxPick = 20) => ({
      weight,
      arbitrary: fc.record({ event: fc.constant(name), pick: fc.nat(maxPick) }),
    });
    const step = fc.oneof(
      event("ready", 6),
      event("crash", 2),
      event("unready", 1),
      event("exit", 2),
      event("scale", 1, 4),
      event("change", 1, 2),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const world = new World();
        world.act();
        for (const { event, pick } of steps) {
          world.happen(event, pick);
          world.act();
        }
        world.settle();
        expect(world.replicas).toHaveLength(world.wanted.count);
        expect(
          world.replicas.every(
            ({ revision, state }) => revision === world.wanted.revision && state === "ready",
          ),
        ).toBe(true);
      }),
      { examples: [[SCALED_DOWN_WHILE_ROLLING]] },
    );
  });
});

type Event = "ready" | "crash" | "unready" | "exit" | "scale" | "change";

/** Two old ones serve and two new ones start when fewer are wanted. */
const SCALED_DOWN_WHILE_ROLLING: { event: Event; pick: number }[] = [
  { event: "scale", pick: 3 },
  { event: "ready", pick: 0 },
  { event: "ready", pick: 1 },
  { event: "change", pick: 1 },
  { event: "scale", pick: 2 },
];

class World {
  wanted: WantedReplicas = { count: 2, revision: "0" };
  replicas: ObservedReplica[] = [];
  now = 0;

  happen(event: Event, pick: number): void {
    this.now += 1;
    if (event === "scale") this.wanted = { ...this.wanted, count: pick };
    if (event === "change") this.wanted = { ...this.wanted, revision: String(pick) };
    const replica = this.replicas[pick % Math.max(1, this.replicas.length)];
    if (replica === undefined) return;
    const runs = replica.state !== "waiting" && replica.state !== "draining";
    if (event === "ready" && runs) replica.state = "ready";
    if (event === "unready" && replica.state === "ready") replica.state = "unready";
    if (event === "crash" && runs)
      Object.assign(replica, { state: "waiting", restartAt: this.now + 3 });
    if (event === "exit" && replica.state === "draining")
      this.replicas = this.replicas.filter((other) => other !== replica);
  }

  act(): void {
    const readyBefore = this.#ready();
    const actions = planReplicas(this.wanted, this.replicas, this.now);
    for (const { type, id } of actions) {
      const replica = this.replicas.find((other) => other.id === id);
      if (type === "start") {
        expect(replica).toBeUndefined();
        this.replicas.push({ id, revision: this.wanted.revision, state: "starting" });
      } else if (type === "restart") {
        expect(replica?.state).toBe("waiting");
        (replica as ObservedReplica).state = "starting";
      } else {
        expect(replica?.state).not.toBe("draining");
        (replica as ObservedReplica).state = "draining";
      }
    }
    expect(this.#ready()).toBeGreaterThanOrEqual(Math.min(readyBefore, this.wanted.count));
    const staying = this.replicas.filter(({ state }) => state !== "draining").length;
    expect(staying).toBeLessThanOrEqual(this.wanted.count + 1);
    expect(planReplicas(this.wanted, this.replicas, this.now)).toEqual([]);
  }

  /** From here on every process comes up, and every one that drains ends. */
  settle(): void {
    for (let round = 0; round < 50; round += 1) {
      this.now += 10;
      this.replicas = this.replicas.filter(({ state }) => state !== "draining");
      for (const replica of this.replicas) if (replica.state !== "waiting") replica.state = "ready";
      this.act();
    }
  }

  #ready(): number {
    return this.replicas.filter(({ state }) => state === "ready").length;
  }
}
