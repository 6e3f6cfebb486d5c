/** The status of an AgentRuntime, from what was decided and what was observed. */
import type { AgentRuntime, AgentRuntimeStatus } from "../../api/agent-runtime.ts";
import type { AgentConfig } from "../../agent-config/agent-config.ts";
import { type Finding, toConditions } from "../condition.ts";
import { withoutUndefined } from "../without-undefined.ts";
import { agentSelectorText } from "./agent-selector.ts";
import { autoscalingReady, type ObservedAutoscaler } from "./autoscaling-ready.ts";
import { available, type ObservedWorkload, wantedReplicas } from "./available.ts";
import { progressing } from "./progressing.ts";
import { ready } from "./ready.ts";
import { withReports } from "./replica-reports.ts";

interface StatusFacts {
  agentRuntime: AgentRuntime;
  config: AgentConfig | undefined;
  /** Whether replicas may be started. */
  isRunnable: boolean;
  observed: ObservedWorkload | undefined;
  /** `undefined` where there are no autoscalers. */
  autoscaler: ObservedAutoscaler | undefined;
  endpoint: string | undefined;
  /** In the order in which they are shown. */
  references: readonly Finding<"AgentRuntime">[];
  /** What keeps replicas from starting or from becoming ready, in sentences for people. */
  unmet: readonly string[];
  now: number;
}

export function agentStatus(facts: StatusFacts): AgentRuntimeStatus {
  const { agentRuntime, config, observed, unmet, now } = facts;
  const { metadata, status } = agentRuntime;
  const wanted = wantedReplicas(agentRuntime, observed);
  const { autoscaling } = agentRuntime.spec;
  const startsOnDemand = autoscaling?.enabled === true && autoscaling.minReplicas === 0;
  const replicas = { observed, wanted, runnable: facts.isRunnable, unmet, startsOnDemand };
  const availability = available(replicas);
  const progress = progressing(replicas);
  const scaling = autoscalingReady(agentRuntime.spec, facts.autoscaler);
  const references = facts.references.map((finding) => withReports(finding, observed?.reports));
  const readiness = ready({ wanted, observed, availability, progress, references });
  const generation = metadata.generation ?? 1;
  const { readyReplicas = 0, availableReplicas = 0 } = observed ?? {};
  const promptPackVersion = config?.prompt?.active.version;
  return withoutUndefined<AgentRuntimeStatus>({
    phase: phaseOf(availability),
    replicas: observed?.replicas ?? 0,
    readyReplicas,
    availableReplicas,
    ready: `${readyReplicas}/${wanted}`,
    selector: agentSelectorText(metadata.name),
    observedGeneration: generation,
    promptPackVersion,
    endpoint:
      config &&
      (facts.endpoint ??
        `ws://${metadata.name}.${metadata.namespace}.svc:${config.facade.port}/ws`),
    conditions: toConditions(
      "AgentRuntime",
      [availability, ...references, progress, scaling, readiness],
      { previous: status?.conditions, generation, now },
    ),
  });
}

function phaseOf({ reason }: Finding<"AgentRuntime", "Available">): AgentRuntimeStatus["phase"] {
  switch (reason) {
    case "ReplicasAvailable":
      return "Running";
    case "PodsFailing":
    case "DeadlineExceeded":
      return "Failed";
    case "WaitingForReferences":
    case "WaitingForPods":
    case "ScaledToZero":
      return "Pending";
  }
}
