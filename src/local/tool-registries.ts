/** The ToolRegistries that the files declare, and what was decided about each. */
import type { ToolRegistry, ToolRegistryStatus } from "../api/tool-registry.ts";
import { decideToolRegistry } from "../control/tool-registry/decide-tool-registry.ts";
import type { ToolRegistryReference } from "../control/agent-runtime/references.ts";
import { objectKey, serviceViews, type LocalWorld } from "./world.ts";
import { MACHINE_ADDRESSES } from "../network/address-verdict.ts";
import type { ProbeResult } from "../probes/probe.ts";
import { withGeneration } from "./with-generation.ts";

export type FoundToolRegistry = Extract<ToolRegistryReference, { found: true }>;

export class LocalToolRegistries {
  #known: ReadonlyMap<string, { resource: ToolRegistry; status: ToolRegistryStatus }> = new Map();

  decide(
    world: LocalWorld,
    probes: ReadonlyMap<string, ProbeResult>,
    now: number,
  ): ReadonlyMap<string, FoundToolRegistry> {
    const known = new Map<string, { resource: ToolRegistry; status: ToolRegistryStatus }>();
    const decided = new Map<string, FoundToolRegistry>();
    for (const declared of world.toolRegistries) {
      const { name, namespace } = declared.metadata;
      const key = objectKey(declared.metadata);
      const before = this.#known.get(key);
      const resource = withGeneration(declared, before?.resource);
      const { status, tools } = decideToolRegistry({
        toolRegistry: { ...resource, status: before?.status },
        services: serviceViews(world, namespace, probes),
        probes,
        urlAddresses: MACHINE_ADDRESSES,
        runsCommands: true,
        now,
      });
      known.set(key, { resource, status });
      const { allowedNamespaces } = declared.spec;
      decided.set(key, { found: true, name, namespace, status, tools, allowedNamespaces });
    }
    this.#known = known;
    return decided;
  }

  resources(): { resource: ToolRegistry; status: ToolRegistryStatus }[] {
    return [...this.#known.values()];
  }
}
