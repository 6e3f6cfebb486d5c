import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Autoscaling, autoscalingSchema } from "../../api/autoscaling.ts";
import {
  decideReplicas,
  keptReplicas,
  type ReplicasDecision,
  type ScaledDeployment,
} from "./decide-replicas.ts";

const NOW = 1_800_000_000_000;

function scaled(fields: object = {}): Autoscaling {
  return autoscalingSchema.parse({ enabled: true, ...fields });
}
const ON_DEMAND = { type: "keda", minReplicas: 0, scaleDownStabilizationSeconds: 300 };

/** The Deployment after the decision was carried out. */
function after(
  { replicas, mark }: ReplicasDecision,
  before: ScaledDeployment | undefined,
): ScaledDeployment {
  return { replicas: replicas ?? before?.replicas ?? 1, mark };
}

/** One agent over time: each call changes the spec or the time, and tells how many replicas there are then. */
function anAgent() {
  let deployment: ScaledDeployment | undefined;
  return {
    become(replicas: number, fields?: object, nowMs = NOW): number {
      const autoscaling = fields && scaled(fields);
      const decision = decideReplicas({ replicas, autoscaling }, deployment, nowMs);
      deployment = after(decision, deployment);
      const again = decideReplicas({ replicas, autoscaling }, deployment, nowMs);
      expect(again.replicas ?? deployment.replicas).toBe(deployment.replicas);
      return deployment.replicas;
    },
    scaleDeployment(replicas: number): void {
      deployment = { replicas, mark: deployment?.mark };
    },
  };
}

describe("the replicas of an agent that is autoscaled", () => {
  it("are within the bounds from the start", () => {
    expect(anAgent().become(1, { minReplicas: 3 })).toBe(3);
    expect(anAgent().become(9, { maxReplicas: 5 })).toBe(5);
    expect(anAgent().become(4, {})).toBe(4);
  });

  it("follow the bounds when those change", () => {
    const agent = anAgent();
    agent.become(2, {});
    expect(agent.become(2, { minReplicas: 3 })).toBe(3);
    expect(agent.become(2, { minReplicas: 1, maxReplicas: 2 })).toBe(2);
  });

  it("follow each change of spec.replicas, whoever makes it", () => {
    const agent = anAgent();
    agent.become(1, {});
    expect(agent.become(4, {})).toBe(4);
    expect(agent.become(2, {})).toBe(2);
    expect(agent.become(99, {})).toBe(10);
    expect(agent.become(0, {})).toBe(0);
    expect(agent.become(1, {})).toBe(1);
  });

  it("are left alone between two changes", () => {
    const agent = anAgent();
    agent.become(1, {});
    agent.scaleDeployment(7);
    expect(agent.become(1, {})).toBe(7);
    agent.scaleDeployment(0);
    expect(agent.become(1, {})).toBe(1);
  });

  it("stay as many as they are when autoscaling is turned on, and when its type changes", () => {
    const agent = anAgent();
    agent.become(4);
    expect(agent.become(4, {})).toBe(4);
    expect(agent.become(6, {})).toBe(6);
    expect(agent.become(6, { type: "keda" })).toBe(6);
    expect(agent.become(6, {})).toBe(6);
  });

  it("stay as many as they are when autoscaling is turned off, until somebody sets another number", () => {
    const agent = anAgent();
    agent.become(1, { minReplicas: 3 });
    expect(agent.become(1)).toBe(3);
    expect(agent.become(1)).toBe(3);
    expect(agent.become(2)).toBe(2);
    const other = anAgent();
    other.become(1, {});
    other.become(6, {});
    expect(other.become(6)).toBe(6);
  });

  it("are none without load, and one as soon as somebody wakes the agent", () => {
    const agent = anAgent();
    agent.become(1, ON_DEMAND);
    const later = NOW + 301_000;
    expect(agent.become(0, ON_DEMAND, later)).toBe(0);
    expect(agent.become(1, ON_DEMAND, later)).toBe(1);
  });

  it("do not end at once after the agent was woken, when an autoscaler has not heard of the load yet", () => {
    const agent = anAgent();
    agent.become(0, ON_DEMAND);
    expect(agent.become(1, ON_DEMAND, NOW + 10_000)).toBe(1);
    expect(agent.become(0, ON_DEMAND, NOW + 11_000)).toBe(1);
    expect(agent.become(0, ON_DEMAND, NOW + 309_000)).toBe(1);
    expect(agent.become(0, ON_DEMAND, NOW + 311_000)).toBe(0);
  });

  it("go on when the autoscaler hears of the load meanwhile", () => {
    const agent = anAgent();
    agent.become(0, ON_DEMAND);
    agent.become(1, ON_DEMAND, NOW);
    agent.become(0, ON_DEMAND, NOW + 1_000);
    expect(agent.become(1, ON_DEMAND, NOW + 60_000)).toBe(1);
    expect(agent.become(1, ON_DEMAND, NOW + 900_000)).toBe(1);
    expect(agent.become(3, ON_DEMAND, NOW + 901_000)).toBe(3);
    expect(agent.become(0, ON_DEMAND, NOW + 902_000)).toBe(0);
  });

  it("stay for long enough to be heard of, however short the cooldown is", () => {
    const short = { ...ON_DEMAND, keda: { cooldownPeriod: 0, pollingInterval: 10 } };
    const agent = anAgent();
    agent.become(0, short);
    agent.become(1, short, NOW);
    const { againInMs } = decideReplicas(
      { replicas: 0, autoscaling: scaled(short) },
      { replicas: 1, mark: { spec: 1, awakeSince: NOW / 1_000 } },
      NOW + 1_000,
    );
    expect(againInMs).toBe(69_000);
  });

  it("stay while the first one starts, and then for long enough to be heard of, unless it does not come", () => {
    const autoscaling = scaled({
      ...ON_DEMAND,
      keda: { cooldownPeriod: 10, pollingInterval: 10 },
    });
    const after = (seconds: number, servesSince: ScaledDeployment["servesSince"]): number => {
      const deployment = {
        replicas: 1,
        mark: { spec: 1, awakeSince: NOW / 1_000 },
        servesSince: typeof servesSince === "number" ? NOW / 1_000 + servesSince : servesSince,
      };
      const decision = decideReplicas(
        { replicas: 0, autoscaling },
        deployment,
        NOW + seconds * 1_000,
      );
      return decision.replicas ?? 1;
    };
    expect(after(71, undefined)).toBe(0);
    expect(after(71, "not-yet")).toBe(1);
    expect(after(299, "not-yet")).toBe(1);
    expect(after(301, "not-yet")).toBe(0);
    expect(after(189, 120)).toBe(1);
    expect(after(191, 120)).toBe(0);
    // It served before the agent was woken last.
    expect(after(69, -500)).toBe(1);
    expect(after(71, -500)).toBe(0);
  });

  it("end at once by the hand of somebody where load starts none", () => {
    const agent = anAgent();
    agent.become(2, {});
    expect(agent.become(0, {}, NOW + 1_000)).toBe(0);
  });

  it("are none at once where somebody wants none and no load would end the last one", () => {
    const agent = anAgent();
    agent.become(1, { type: "keda", minReplicas: 0 });
    expect(agent.become(0, { type: "keda", minReplicas: 3 })).toBe(0);
  });

  it("are never outside of the bounds, but for none, and come to rest", () => {
    const steps = fc.array(
      fc.record({
        replicas: fc.integer({ min: 0, max: 20 }),
        min: fc.integer({ min: 0, max: 5 }),
        max: fc.integer({ min: 5, max: 12 }),
        isOn: fc.boolean(),
        direct: fc.option(fc.integer({ min: 0, max: 20 })),
        seconds: fc.integer({ min: 0, max: 1_000 }),
      }),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(steps, (all) => {
        const agent = anAgent();
        let nowMs = NOW;
        for (const { replicas, min, max, isOn, direct, seconds } of all) {
          nowMs += seconds * 1_000;
          const fields = { type: "keda", minReplicas: min, maxReplicas: max };
          const found = agent.become(replicas, isOn ? fields : undefined, nowMs);
          const isWithin = found >= Math.max(1, min) && found <= max;
          expect(!isOn || isWithin || (found === 0 && replicas === 0)).toBe(true);
          if (direct !== null) agent.scaleDeployment(direct);
        }
      }),
    );
  });
});

describe("the replicas of an agent that is not autoscaled", () => {
  it("are those of the spec", () => {
    expect(decideReplicas({ replicas: 3, autoscaling: undefined }, undefined, NOW)).toEqual({
      replicas: 3,
      mark: undefined,
    });
    const off = autoscalingSchema.parse({ minReplicas: 5 });
    const deployment = { replicas: 8, mark: undefined };
    expect(decideReplicas({ replicas: 3, autoscaling: off }, deployment, NOW).replicas).toBe(3);
  });

  it("are those that the bounds had made of the spec while it is the same", () => {
    expect(keptReplicas(1, { spec: 1, replicas: 3 })).toBe(3);
    expect(keptReplicas(2, { spec: 1, replicas: 3 })).toBe(2);
    expect(keptReplicas(1, { spec: 1 })).toBe(1);
  });
});
