import { keyOf, type ObjectMeta } from "../../kube/client/object.ts";
import type { OperatorCaches } from "./caches.ts";

/** The keys of the AgentRuntimes that refer to the Secret, themselves or by a tool of their registry. */
export function agentsWithSecret(
  { agentRuntimes, toolRegistries }: Pick<OperatorCaches, "agentRuntimes" | "toolRegistries">,
  secret: Pick<ObjectMeta, "name" | "namespace">,
): string[] {
  const byThemselves = agentRuntimes.indexed("secret", keyOf(secret));
  // The Secret of a tool belongs to the namespace of the agent, even if the registry is in another.
  const byTools = toolRegistries
    .indexed("toolSecret", secret.name)
    .flatMap((registry) => agentRuntimes.indexed("toolRegistry", keyOf(registry.metadata)))
    .filter((agent) => agent.metadata.namespace === secret.namespace);
  return [...byThemselves, ...byTools].map(({ metadata }) => keyOf(metadata));
}
