/** The ToolRegistries of the cluster: their controller, and what was decided about them for the agents that refer to them. */
import type { ToolRegistryStatus } from "../../api/tool-registry.ts";
import { Controller, type ReconcileResult } from "../../kube/controller/controller.ts";
import { keyOf } from "../../kube/client/object.ts";
import { ToolProbes } from "../../probes/tool-probes.ts";
import type { Claims } from "../claims/claims.ts";
import { TOOL_REGISTRIES, type StoredToolRegistry } from "../cluster/kubernetes-objects.ts";
import type {
  ControllerSettings,
  DecidedToolRegistries,
  OperatorContext,
} from "../cluster/operator-context.ts";
import { ofKnownSchema } from "../cluster/references-of.ts";
import { UnreadableSpecs } from "../cluster/read-stored.ts";
import { WrittenStatuses } from "../cluster/written-statuses.ts";
import { createRegistryDecisions } from "./decisions.ts";
import { ToolServices } from "./tool-services.ts";

export interface ToolRegistries {
  readonly controller: Controller;
  readonly decided: DecidedToolRegistries;
  /** Probes the tools that are given by URL until the signal is aborted. It runs only while this process leads. */
  run(signal: AbortSignal): Promise<void>;
}

export function createToolRegistries(
  context: OperatorContext,
  claims: Claims,
  settings: ControllerSettings & { readonly probeIntervalMs?: number | undefined },
): ToolRegistries {
  const { caches, clock } = context;
  const { probeIntervalMs, ...controllerSettings } = settings;
  const statuses = new WrittenStatuses<ToolRegistryStatus>(context, TOOL_REGISTRIES);
  const unreadable = new UnreadableSpecs(context, TOOL_REGISTRIES);
  const probed = new Map<string, number>();
  const probes = new ToolProbes({
    clock,
    allowedAddresses: context.settings.policy.allowedToolNetworks,
    onChange: (keys) => {
      for (const key of keys) {
        probed.set(key, (probed.get(key) ?? 0) + 1);
        controller.queue.add(key);
      }
    },
    intervalMs: probeIntervalMs,
  });
  const services = new ToolServices(caches, (namespace, labels) => {
    for (const registry of caches.toolRegistries.indexed("namespace", namespace)) {
      const isConcerned = labels.some((each) => selects(registry, each));
      if (isConcerned) controller.queue.add(keyOf(registry.metadata));
    }
  });
  const decisions = createRegistryDecisions(context, { statuses, services, probes, probed });

  async function reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | void> {
    const outcome = await decisions.renew(key, signal);
    if (outcome === undefined) {
      claims.forget(TOOL_REGISTRIES, key);
      statuses.forget(key);
      probes.forget(key);
      probed.delete(key);
      return;
    }
    const { stored, decision, problem } = outcome;
    if (stored.metadata.deletionTimestamp !== undefined) return;
    const claim = await claims.of(TOOL_REGISTRIES, stored, problem === undefined, signal);
    if (!claim.isHeld) {
      statuses.forget(key);
      return { requeueAfterMs: claim.requeueAfterMs };
    }
    if (problem !== undefined) return await unreadable.refuse(stored, problem, signal);
    if (decision !== undefined) await statuses.write(stored, decision.status, signal);
  }

  const controller = new Controller({
    name: "toolregistry",
    clock,
    ...controllerSettings,
    reconcile,
  }).owns(caches.toolRegistries);

  return {
    controller,
    decided: {
      async reference(key, signal) {
        const outcome = await decisions.answer(key, signal);
        if (outcome?.decision === undefined) return { found: false };
        const { name, namespace = "" } = outcome.stored.metadata;
        const { status, tools, allowedNamespaces } = outcome.decision;
        return { found: true, name, namespace, status, tools, allowedNamespaces };
      },
      subscribe: (listener) => decisions.subscribe(listener),
    },
    run: (signal) => probes.run(signal),
  };
}

/** Whether the labels are those of a Service that one of the registry's entries may want. */
function selects({ spec }: StoredToolRegistry, labels: Readonly<Record<string, string>>): boolean {
  const wants = ({ selector }: (typeof spec.tools)[number]): boolean =>
    selector !== undefined &&
    Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return ofKnownSchema(() => spec.tools.some(wants), false);
}
