/** The ToolRegistries of the cluster: their controller, and what was decided about them for the agents that refer to them. */
import type { ToolRegistryStatus } from "../../api/tool-registry.ts";
import { Controller, type ReconcileResult } from "../../kube/controller/controller.ts";
import { keyOf } from "../../kube/client/object.ts";
import { ToolProbes } from "../../probes/tool-probes.ts";
import { ToolListReader } from "../../tool-servers/lists/tool-list-reader.ts";
import { changedToolNotes, TOOL_CHANGED } from "../../control/explain/changed-tools.ts";
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
import { ToolConfigMaps } from "./tool-config-maps.ts";
import { ToolServices } from "./tool-services.ts";

export interface ToolRegistries {
  readonly controller: Controller;
  readonly decided: DecidedToolRegistries;
  /**
   * Probes the tools that are given by URL, and reads the lists of servers, until the signal is aborted. It runs only while this
   * process leads.
   */
  run(signal: AbortSignal): Promise<void>;
}

export interface ToolRegistrySettings {
  readonly probeIntervalMs?: number | undefined;
  readonly listIntervalMs?: number | undefined;
  /** At least 0 and below 1; spreads what is read. */
  readonly random: () => number;
}

export function createToolRegistries(
  context: OperatorContext,
  claims: Claims,
  settings: ControllerSettings & ToolRegistrySettings,
): ToolRegistries {
  const { caches, clock, log } = context;
  const { probeIntervalMs, listIntervalMs, random, ...controllerSettings } = settings;
  const statuses = new WrittenStatuses<ToolRegistryStatus>(context, TOOL_REGISTRIES);
  const unreadable = new UnreadableSpecs(context, TOOL_REGISTRIES);
  const looked = new Map<string, number>();
  const lookAgain = (key: string): void => {
    looked.set(key, (looked.get(key) ?? 0) + 1);
    controller.queue.add(key);
  };
  const probes = new ToolProbes({
    clock,
    allowedAddresses: context.settings.policy.allowedToolNetworks,
    onChange: (keys) => {
      for (const key of keys) lookAgain(key);
    },
    intervalMs: probeIntervalMs,
  });
  const lists = new ToolListReader({
    clock,
    random,
    onChange: lookAgain,
    onError: (error) => log.error({ error }, "The list of a server of tools could not be read"),
    intervalMs: listIntervalMs,
  });
  caches.secrets.subscribe(({ before, after }) => {
    const { name, namespace } = (after ?? before)?.metadata ?? {};
    if (name === undefined) return;
    for (const { metadata } of caches.toolRegistries.indexed("toolSecret", name)) {
      if (metadata.namespace === namespace) lookAgain(keyOf(metadata));
    }
  });
  const services = new ToolServices(caches, (namespace, labels) => {
    for (const registry of caches.toolRegistries.indexed("namespace", namespace)) {
      const isConcerned = labels.some((each) => selects(registry, each));
      if (isConcerned) controller.queue.add(keyOf(registry.metadata));
    }
  });
  const decisions = createRegistryDecisions(context, {
    statuses,
    services,
    probes,
    lists,
    configMaps: new ToolConfigMaps(context),
    looked,
    random,
  });

  async function reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | void> {
    const outcome = await decisions.renew(key, signal);
    if (outcome === undefined) {
      claims.forget(TOOL_REGISTRIES, key);
      statuses.forget(key);
      probes.forget(key);
      lists.forget(key);
      looked.delete(key);
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
    if (decision === undefined) return;
    await statuses.write(stored, decision.status, signal);
    for (const note of changedToolNotes(decision.changed)) {
      const event = { type: "Warning", reason: TOOL_CHANGED, action: "Reconcile", note } as const;
      await context.events.report(TOOL_REGISTRIES, stored, event, signal);
    }
  }

  const controller = new Controller({
    name: "toolregistry",
    clock,
    ...controllerSettings,
    reconcile,
  })
    .owns(caches.toolRegistries)
    .watches(caches.configMaps, ({ metadata }) =>
      caches.toolRegistries
        .indexed("configMap", keyOf(metadata))
        .map((each) => keyOf(each.metadata)),
    );

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
    run: async (signal) => {
      await Promise.all([probes.run(signal), lists.run(signal)]);
    },
  };
}

/** Whether the labels are those of a Service that one of the registry's entries may want. */
function selects({ spec }: StoredToolRegistry, labels: Readonly<Record<string, string>>): boolean {
  const wants = ({ selector }: (typeof spec.tools)[number]): boolean =>
    selector !== undefined &&
    Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return ofKnownSchema(() => spec.tools.some(wants), false);
}
