import { observed, theReferences } from "../builders/a-decision.ts";
import type { DecisionCase } from "./decision-case.ts";

export const PROGRESSING_CASES: readonly DecisionCase[] = [
  {
    says: "all replicas of the newest spec",
    type: "Progressing",
    reason: "Complete",
    spec: { replicas: 2 },
    observed: observed(2, 2),
    phase: "Running",
    message: "(2)",
  },
  {
    says: "old replicas that are still there",
    type: "Progressing",
    reason: "RollingOut",
    observed: { ...observed(2, 2), updatedReplicas: 1 },
    phase: "Running",
    message: "newest spec",
  },
  {
    says: "a spec that nothing has seen yet",
    type: "Progressing",
    reason: "RollingOut",
    observed: { ...observed(1, 1), updatedReplicas: undefined },
    phase: "Running",
    message: "newest spec",
  },
  {
    says: "nothing that could run",
    type: "Progressing",
    reason: "WaitingForReferences",
    references: theReferences({ promptPack: { found: false } }),
    phase: "Pending",
    message: 'PromptPack "prompts" is not there',
  },
  ...(["RolloutStuck", "Quota", "Unschedulable", "ImagePull"] as const).map(
    (reason): DecisionCase => ({
      says: `an obstacle, ${reason}`,
      type: "Progressing",
      reason,
      spec: { replicas: 3 },
      observed: { ...observed(1, 1), obstacle: { reason, message: "why" } },
      phase: "Running",
      message: "why",
    }),
  ),
];
