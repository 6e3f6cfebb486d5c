import type { MissingReference } from "../../control/agent-runtime/references.ts";
import type { KubernetesObject, ResourceType } from "../../kube/client/object.ts";
import { PROMPT_PACKS, TOOL_REGISTRIES } from "../cluster/kubernetes-objects.ts";
import type { OperatorContext } from "../cluster/operator-context.ts";
import { promptPackOf, toolRegistryOf } from "../cluster/references-of.ts";
import type { Phase } from "./pass.ts";

/**
 * Tells the owners of packs and registries which agents they refuse, in an event about their object. The agent itself is told no
 * more than that there is nothing of that name.
 */
export function tellOwners({ caches, events }: Pick<OperatorContext, "caches" | "events">): Phase {
  return async ({ stored, memory, gathered }, signal) => {
    if (gathered === undefined) return;
    const { promptPack, toolRegistry } = gathered.references;
    const { name, namespace } = stored.metadata;
    const tell = async (
      type: ResourceType,
      reference: MissingReference | { readonly found: true } | undefined,
      key: string | undefined,
      object: KubernetesObject | undefined,
    ): Promise<void> => {
      const isRefused = reference?.found === false && reference.isRefused === true;
      if (!isRefused || key === undefined || object === undefined) {
        memory.refusalsTold.delete(type.kind);
        return;
      }
      if (memory.refusalsTold.get(type.kind) === key) return;
      memory.refusalsTold.set(type.kind, key);
      const event = {
        type: "Warning",
        reason: "NotAllowed",
        action: "Refer",
        note: `AgentRuntime "${name}" in namespace "${namespace}" refers to it and is refused; to allow it, set spec.allowedNamespaces`,
      } as const;
      await events.report(type, object, event, signal);
    };
    const packKey = promptPackOf(stored);
    const registryKey = toolRegistryOf(stored);
    await tell(PROMPT_PACKS, promptPack, packKey, caches.promptPacks.get(packKey ?? ""));
    await tell(
      TOOL_REGISTRIES,
      toolRegistry,
      registryKey,
      caches.toolRegistries.get(registryKey ?? ""),
    );
  };
}
