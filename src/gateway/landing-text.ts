/** What `GET /` tells a program: what runs here, and how to talk to it. */
import type { ResourceView } from "./gateway-source.ts";
import { DEFAULT_NAMESPACE } from "./upgrade-request.ts";

interface AgentLine {
  name: string;
  namespace: string;
  phase: string;
  ready: string;
  url: string;
  command: string;
}

export function landingText(resources: readonly ResourceView[], host: string): string {
  const agents = agentLines(resources, host);
  if (agents.length === 0) return "Omnia runs here, and has no agents yet.\n";
  const lines = agents.map(
    ({ name, namespace, phase, ready, url, command }) =>
      `${namespace}/${name}: ${phase} (${ready} ready)\n  ${url}\n  ${command}\n`,
  );
  return `Omnia runs here. Its agents:\n\n${lines.join("\n")}`;
}

function agentLines(resources: readonly ResourceView[], host: string): AgentLine[] {
  return resources
    .filter(({ kind }) => kind === "AgentRuntime")
    .map(({ metadata: { name, namespace }, status }) => {
      const { phase = "Pending", ready = "0/0" } = status as { phase?: string; ready?: string };
      const query = new URLSearchParams({ agent: name });
      if (namespace !== DEFAULT_NAMESPACE) query.set("namespace", namespace);
      const option = namespace === DEFAULT_NAMESPACE ? "" : ` -n ${namespace}`;
      return {
        name,
        namespace,
        phase,
        ready,
        url: `ws://${host}/ws?${query.toString()}`,
        command: `omnia chat ${name}${option}`,
      };
    });
}
