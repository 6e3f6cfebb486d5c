import { describe, expect, it } from "vitest";
import { CONDITIONS } from "../../api/conditions.ts";
import {
  decided,
  observed,
  registryReference,
  theReferences,
} from "../../../test/support/builders/a-decision.ts";
import { TOOLS } from "../../../test/support/decisions/decision-case.ts";
import { DECISION_CASES } from "../../../test/support/decisions/decision-cases.ts";
import { DEFAULT_TRUST_POLICY } from "../trust-policy.ts";

/** The condition Ready in a world. */
function readyIn(given: Parameters<typeof decided>[0]): string {
  const found = decided(given).status.conditions?.find(({ type }) => type === "Ready");
  return `${found?.status} ${found?.reason}`;
}

describe("Ready", () => {
  it("is everything as the newest spec wants it, and nothing less", () => {
    const spec = { replicas: 3 };
    expect(readyIn({ spec, observed: observed(3, 3) })).toBe("True AsWanted");
    expect(readyIn({ spec, observed: observed(3, 1) })).toBe("False RollingOut");
    expect(readyIn({ spec, observed: undefined })).toBe("False WaitingForPods");
    const old = { ...observed(3, 3), updatedReplicas: 2 };
    expect(readyIn({ spec, observed: old })).toBe("False RollingOut");
    const surge = { ...observed(4, 4), updatedReplicas: 3 };
    expect(readyIn({ spec, observed: surge })).toBe("False RollingOut");
    const unseen = { ...observed(3, 3), updatedReplicas: undefined };
    expect(readyIn({ spec, observed: unseen })).toBe("False RollingOut");
    expect(readyIn({ spec, observed: observed(2, 2) })).toBe("False RollingOut");
    expect(readyIn({ spec: { replicas: 0 }, observed: observed(0, 0) })).toBe("True ScaledToZero");
    expect(readyIn({ spec: { replicas: 0 }, observed: observed(1, 1) })).toBe("False RollingOut");
  });

  it("counts the replicas that an autoscaler wants, whatever the spec says", () => {
    const spec = { replicas: 1, autoscaling: { enabled: true } };
    const scaled = (available: number) => ({ ...observed(2, available), scaledTo: 5 });
    expect(readyIn({ spec, observed: scaled(2) })).toBe("False RollingOut");
    expect(readyIn({ spec, observed: { ...observed(5, 5), scaledTo: 5 } })).toBe("True AsWanted");
  });

  it("is not, while replicas run whose spec has come to name an image that is not allowed", () => {
    const policy = { ...DEFAULT_TRUST_POLICY, allowedImages: ["agents.example/*"] };
    const given = { spec: { image: "other.example/a:1" }, policy, observed: observed(1, 1) };
    expect(readyIn(given)).toBe("False RolloutStuck");
    expect(decided(given).status.phase).toBe("Running");
  });

  it("has the reason of what is to be mended first", () => {
    const failure = { reason: "PodsFailing", message: "m" } as const;
    const failing = { ...observed(2, 1), failure };
    expect(readyIn({ spec: { replicas: 2 }, observed: failing })).toBe("False PodsFailing");
    const stuck = { ...failing, obstacle: { reason: "RolloutStuck", message: "m" } } as const;
    expect(readyIn({ observed: stuck })).toBe("False RolloutStuck");
    const none = { ...stuck, availableReplicas: 0 };
    expect(readyIn({ observed: none })).toBe("False PodsFailing");
    const quota = { ...none, obstacle: { reason: "Quota", message: "m" } } as const;
    expect(readyIn({ observed: quota })).toBe("False Quota");
    const references = theReferences({ providerSecret: { found: false } });
    expect(readyIn({ references, observed: quota })).toBe("False SecretNotFound");
    const tools = theReferences({ toolRegistry: registryReference({ reachable: { a: false } }) });
    expect(readyIn({ spec: TOOLS, references: tools, observed: observed(1, 1) })).toBe(
      "False Failed",
    );
  });

  it("is False in every case in which another condition is, with a reason of another", () => {
    for (const {
      type: _type,
      reason: _reason,
      phase: _phase,
      message: _message,
      ...given
    } of DECISION_CASES) {
      const conditions = decided(given).status.conditions ?? [];
      // Replicas that are all available are as wanted, although nothing changes their number.
      const others = conditions.filter(({ type }) => !/^(Autoscaling)?Ready$/.test(type));
      const broken = others.filter(
        ({ status, reason }) => status !== "True" && reason !== "ScaledToZero",
      );
      const found = conditions.find(({ type }) => type === "Ready");
      const reasons = broken.map(({ reason }) => reason);
      expect(broken.length === 0 || found?.status === "False").toBe(true);
      expect(reasons.length === 0 ? [found?.reason] : reasons).toContain(found?.reason);
    }
  });

  it("may have every reason that another condition of what serves clients may have when it does not hold", () => {
    const { Ready: own, AutoscalingReady: _, ...parts } = CONDITIONS.AgentRuntime;
    const reasons = Object.values(parts).flatMap(({ notTrue }) => notTrue as readonly string[]);
    const all = new Set([...reasons, "RollingOut"].filter((reason) => reason !== "ScaledToZero"));
    expect([...own.notTrue].toSorted()).toEqual([...all].toSorted());
  });
});
