/** The controller of the AgentRuntimes: each pass runs the phases below over one AgentRuntime. */
import {
  type AgentRuntime,
  agentRuntimeSpecSchema,
  type AgentRuntimeStatus,
} from "../../api/agent-runtime.ts";
import { AGENT_RUNTIME } from "../../api/group.ts";
import { Controller, type ReconcileResult } from "../../kube/controller/controller.ts";
import type { Claims } from "../claims/claims.ts";
import { createConfigMapReader } from "../cluster/config-map-reader.ts";
import { AGENT_RUNTIMES, type StoredAgentRuntime } from "../cluster/kubernetes-objects.ts";
import type {
  ControllerSettings,
  DecidedPromptPacks,
  DecidedToolRegistries,
  OperatorContext,
} from "../cluster/operator-context.ts";
import { readSpec, toResource, UnreadableSpecs } from "../cluster/read-stored.ts";
import type { SecretReader } from "../cluster/secret-reader.ts";
import { WrittenStatuses } from "../cluster/written-statuses.ts";
import { applyObjects } from "./apply-objects.ts";
import { autoscalerFacts, autoscalerObserver } from "./autoscaler-facts.ts";
import { childrenOf, ownedBy } from "./children.ts";
import { decide } from "./decide.ts";
import { gather } from "./gather.ts";
import { hearReplicas } from "./hear-replicas.ts";
import { ManagedConditions } from "./managed-conditions.ts";
import { AgentMemories } from "./memories.ts";
import { type Pass, type Phase, runPhases } from "./pass.ts";
import { type AskReplica, ReplicaReports } from "./pods/replica-reports.ts";
import { prepareFiles } from "./prepare-files.ts";
import { tellOwners } from "./tell-owners.ts";
import { tellPods } from "./tell-pods.ts";
import { watchForAgents } from "./triggers.ts";
import { waitForCreated } from "./wait-for-created.ts";
import { writeStatus } from "./write-status.ts";

export interface AgentRuntimes {
  readonly controller: Controller;
  /** Asks replicas that are not ready why, until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
}

export function createAgentRuntimes(
  context: OperatorContext,
  claims: Claims,
  sources: {
    promptPacks: DecidedPromptPacks;
    toolRegistries: DecidedToolRegistries;
    secrets: SecretReader;
    askReplica: AskReplica;
  },
  settings: ControllerSettings,
): AgentRuntimes {
  const { caches, clock, signer, gatewayKeys } = context;
  const { namespaces, policy } = context.settings;
  const { secrets } = sources;
  const namespaceObjects = caches.namespaces;
  const configMaps = createConfigMapReader(context);
  const statuses = new WrittenStatuses<AgentRuntimeStatus>(context, AGENT_RUNTIMES);
  const unreadable = new UnreadableSpecs(context, AGENT_RUNTIMES);
  const managed = new ManagedConditions(context, claims);
  const memories = new AgentMemories(clock, signer);
  const reports = new ReplicaReports({
    clock,
    ask: sources.askReplica,
    onChange: (key) => controller.queue.add(key),
  });

  const phases: readonly Phase[] = [
    waitForCreated(clock),
    hearReplicas(reports),
    gather({ ...sources, namespaces, namespaceObjects }, policy),
    decide(clock, { policy, gatewayKeys }, autoscalerObserver(context)),
    prepareFiles({ secrets, configMaps }, signer, {
      clock,
      autoscalerFacts: () => autoscalerFacts(context),
    }),
    applyObjects(context),
    writeStatus(statuses),
    tellPods(context),
    tellOwners(context),
  ];

  async function reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | void> {
    const stored = caches.agentRuntimes.get(key);
    if (stored === undefined) {
      // Kubernetes deletes the agent's objects, because of their owner references.
      forget(key);
      claims.forget(AGENT_RUNTIMES, key);
      managed.forget(key);
      return;
    }
    if (stored.metadata.deletionTimestamp !== undefined) return;
    const read = readSpec(agentRuntimeSpecSchema, stored.spec);
    const claim = await claims.of(AGENT_RUNTIMES, stored, read.ok, signal);
    if (!claim.isHeld) {
      forget(key);
      const { claimant, requeueAfterMs } = claim;
      if (claimant === undefined) return { requeueAfterMs };
      return { requeueAfterMs: await managed.say(stored, claimant, signal) };
    }
    if (!read.ok) return await unreadable.refuse(stored, read.problem, signal);
    const clearInMs = await managed.clear(stored, signal);
    const result = await runPhases(phases, beginPass(key, stored, read.spec), signal);
    const delays = [clearInMs, result?.requeueAfterMs].filter((delay) => delay !== undefined);
    return delays.length === 0 ? undefined : { requeueAfterMs: Math.min(...delays) };
  }

  /** What another operator may do to it meanwhile is found in the caches. */
  function forget(key: string): void {
    memories.forget(key);
    reports.forget(key);
    statuses.forget(key);
  }

  function beginPass(key: string, stored: StoredAgentRuntime, spec: AgentRuntime["spec"]): Pass {
    const memory = memories.of(key, stored.metadata.uid ?? "");
    const children = childrenOf(caches, key);
    return {
      stored,
      agentRuntime: toResource(AGENT_RUNTIME, stored, spec, statuses.of(stored)),
      memory,
      children,
      own: ownedBy(memory.uid, children),
      pods: caches.pods.indexed("agent", key),
    };
  }

  const controller: Controller = new Controller({
    name: "agentruntime",
    clock,
    ...settings,
    reconcile,
  });
  watchForAgents(controller, caches, sources, statuses);
  return { controller, run: (signal) => reports.run(signal) };
}
