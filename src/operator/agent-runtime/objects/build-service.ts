import type { V1ServiceSpec } from "@kubernetes/client-node";
import type { AgentConfig } from "../../../agent-config/agent-config.ts";
import { agentSelector } from "../../../control/agent-runtime/agent-selector.ts";
import type { ServiceObject } from "../../cluster/kubernetes-objects.ts";
import { agentLabels, FACADE_PORT_NAME } from "../../cluster/labels.ts";

/** The default of Kubernetes, and the most that it allows. */
const DEFAULT_AFFINITY_SECONDS = 10_800;
const MAX_AFFINITY_SECONDS = 86_400;

/** The Service through which clients connect. It does not have the management port, because metrics are not for them. */
export function buildService(
  agentRuntime: { readonly name: string; readonly namespace: string },
  config: AgentConfig,
): ServiceObject {
  return {
    metadata: { ...agentRuntime, labels: agentLabels(agentRuntime.name) },
    spec: {
      selector: agentSelector(agentRuntime.name),
      ...affinityFor(config.session),
      ports: [
        {
          name: FACADE_PORT_NAME,
          port: config.facade.port,
          targetPort: FACADE_PORT_NAME,
          protocol: "TCP",
          appProtocol: "kubernetes.io/ws",
        },
      ],
    },
  };
}

/** A session in memory is on one replica, so a client that connects again while the session lasts has to reach that replica. */
function affinityFor({
  type,
  ttlMs,
}: AgentConfig["session"]): Pick<V1ServiceSpec, "sessionAffinity" | "sessionAffinityConfig"> {
  if (type !== "memory") return { sessionAffinity: "None" };
  const seconds = Math.max(DEFAULT_AFFINITY_SECONDS, Math.ceil(ttlMs / 1000));
  const timeoutSeconds = Math.min(MAX_AFFINITY_SECONDS, seconds);
  return {
    sessionAffinity: "ClientIP",
    sessionAffinityConfig: { clientIP: { timeoutSeconds } },
  };
}
