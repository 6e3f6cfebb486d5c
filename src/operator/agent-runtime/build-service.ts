import type { AgentConfig } from "../../agent-config.ts";
import type { ServiceObject } from "../kubernetes-objects.ts";
import { agentLabels } from "../labels.ts";
import { FACADE_PORT_NAME, selectorOf } from "./build-deployment.ts";

/** Clients connect through it. The management port is not on it: metrics are not for them. */
export function buildService(
  agentRuntime: { readonly name: string; readonly namespace: string },
  config: AgentConfig,
): ServiceObject {
  return {
    metadata: { ...agentRuntime, labels: agentLabels(agentRuntime.name) },
    spec: {
      selector: selectorOf(agentRuntime.name),
      // Sessions in memory are on one replica: who comes again is to find it.
      sessionAffinity: config.session.type === "memory" ? "ClientIP" : "None",
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
