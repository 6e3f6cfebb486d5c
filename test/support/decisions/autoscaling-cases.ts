import { observed } from "../builders/a-decision.ts";
import type { DecisionCase } from "./decision-case.ts";

export const AUTOSCALING_CASES: readonly DecisionCase[] = [
  {
    says: "a spec that asks for no autoscaling",
    type: "AutoscalingReady",
    reason: "NotEnabled",
    phase: "Pending",
    message: "asks for no autoscaling",
  },
  ...(
    [
      ["Active", { state: "working" }, "keeps between 1 and 10 replicas"],
      ["WaitingForAutoscaler", { state: "waiting" }, "Nothing acts on"],
      ["KedaNotInstalled", { state: "not-installed" }, "install KEDA"],
      ["Refused", { state: "refused", message: "why" }, "why"],
      ["Paused", { state: "paused", message: "why" }, "why"],
      ["MetricsUnavailable", { state: "failing", message: "why" }, "why"],
    ] as const
  ).map(([reason, autoscaler, message]): DecisionCase => ({
    says: `an autoscaler that is ${autoscaler.state}`,
    type: "AutoscalingReady",
    reason,
    spec: { autoscaling: { enabled: true } },
    observed: observed(1, 1),
    autoscaler,
    phase: "Running",
    message,
  })),
];
