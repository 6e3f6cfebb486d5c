/** The AgentRuntimes of the cluster. */
import {
  type AgentRuntime,
  agentRuntimeSpecSchema,
  type AgentRuntimeStatus,
} from "../../api/agent-runtime.ts";
import { AGENT_RUNTIME, API_VERSION } from "../../api/group.ts";
import type { PreviousDecision } from "../../control/agent-facts.ts";
import {
  type AgentRuntimeDecision,
  decideAgentRuntime,
} from "../../control/decide-agent-runtime.ts";
import { isConflict, isNotFound } from "../../kube/api-error.ts";
import { Controller, type ReconcileResult } from "../../kube/controller.ts";
import { keyOf, type KubernetesObject } from "../../kube/object.ts";
import { contentHash } from "../../promptpack/content-hash.ts";
import { createConfigMapReader } from "../config-map-reader.ts";
import {
  AGENT_RUNTIMES,
  type PodObject,
  PODS,
  type StoredAgentRuntime,
} from "../kubernetes-objects.ts";
import { FILES_REVISION_ANNOTATION } from "../labels.ts";
import type {
  ControllerSettings,
  DecidedPromptPacks,
  DecidedToolRegistries,
  OperatorContext,
} from "../operator-context.ts";
import { readSpec, UnreadableSpecs } from "../read-stored.ts";
import { createSecretReader } from "../secret-reader.ts";
import { WrittenStatuses } from "../written-statuses.ts";
import { CONFIG_SUFFIX, readConfigMap } from "./build-config-map.ts";
import {
  type AgentChildren,
  agentKeyOf,
  carryOut,
  type CarriedOut,
  childrenOf,
} from "./carry-out.ts";
import type { ValueDigest } from "./environment-digest.ts";
import { gatherAgent } from "./gather-agent.ts";
import { observeWorkload } from "./observe-workload.ts";
import { podsToRefresh } from "./pods-to-refresh.ts";

/** The kubelet hears of the changed files by a watch of its own: told of them too early, it would look at the old ones. */
const FILES_SETTLE_MS = 250;
/** What stands in the way may be of a kind of which others' objects are not watched. */
const REFUSED_RETRY_MS = 10_000;
/** What is left of an object that was deleted goes by itself. */
const BLOCKED_RETRY_MS = 500;

export function createAgentRuntimeController(
  context: OperatorContext,
  decided: { promptPacks: DecidedPromptPacks; toolRegistries: DecidedToolRegistries },
  settings: ControllerSettings,
): Controller {
  const { caches, client, clock } = context;
  const secrets = createSecretReader(context);
  const configMaps = createConfigMapReader(context);
  const statuses = new WrittenStatuses<AgentRuntimeStatus>(context, AGENT_RUNTIMES);
  const unreadable = new UnreadableSpecs(context, AGENT_RUNTIMES);
  /** By uid, should the ConfigMap that says it be deleted while a reference is broken. */
  const lastDecisions = new Map<string, PreviousDecision>();
  /** By key, when the files were changed last. */
  const filesChangedAt = new Map<string, number>();

  async function reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | void> {
    const stored = caches.agentRuntimes.get(key);
    // What belongs to it goes by its owner references.
    if (stored === undefined || stored.metadata.deletionTimestamp !== undefined) return;
    const read = readSpec(agentRuntimeSpecSchema, stored.spec);
    if (!read.ok) return await unreadable.refuse(stored, read.problem, signal);
    const agentRuntime = withStatus(stored, read.spec, statuses.of(stored));
    const uid = stored.metadata.uid ?? "";

    const children = childrenOf(context, key, uid);
    const references = await gatherAgent(agentRuntime, { ...decided, secrets }, signal);
    const pods = caches.pods.indexed("agent", key);
    const decide = (problem?: string): AgentRuntimeDecision =>
      decideAgentRuntime({
        agentRuntime,
        references,
        observed: observeWorkload({ deployment: children.deployment, pods, problem }),
        previous: previousOf(children, lastDecisions.get(uid)),
        now: clock.now(),
      });

    let decision = decide();
    const { config, workload } = decision;
    let done: CarriedOut | undefined;
    if (config !== undefined && workload !== undefined) {
      lastDecisions.set(uid, { config, secretFiles: workload.secretFiles });
      const wanted = { agentRuntime, uid, config, workload };
      const digests = await digestsOf(agentRuntime, workload, signal);
      done = await carryOut(context, children, { ...wanted, ...digests }, signal);
      if (done.problem !== undefined) decision = decide(done.problem);
    }
    // Word of what was just made is on its way, and with it what the status is to say.
    if (done?.hasCreated === true && done.problem === undefined) return;
    await statuses.write(stored, decision.status, signal);
    return await afterwards(key, pods, done, signal);
  }

  async function afterwards(
    key: string,
    pods: readonly PodObject[],
    done: CarriedOut | undefined,
    signal: AbortSignal,
  ): Promise<ReconcileResult | void> {
    if (done === undefined) return;
    if (done.filesChanged) filesChangedAt.set(key, clock.monotonic());
    const outdated = podsToRefresh(pods, done.filesRevision);
    const age = clock.monotonic() - (filesChangedAt.get(key) ?? -Infinity);
    if (outdated.length > 0 && age < FILES_SETTLE_MS) {
      return { requeueAfterMs: FILES_SETTLE_MS - age };
    }
    filesChangedAt.delete(key);
    for (const pod of outdated) await refresh(pod, done.filesRevision, signal);
    if (done.isBlocked) return { requeueAfterMs: BLOCKED_RETRY_MS };
    if (done.problem !== undefined) return { requeueAfterMs: REFUSED_RETRY_MS };
  }

  /** A pod whose annotations change is looked at by its kubelet at once, its files included. */
  async function refresh(
    { metadata }: PodObject,
    revision: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { name, namespace, uid } = metadata;
    const annotations = { [FILES_REVISION_ANNOTATION]: String(revision) };
    try {
      await client.mergePatch(
        PODS,
        { name, namespace },
        { metadata: { uid, annotations } },
        signal,
      );
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }

  async function digestsOf(
    { metadata: { namespace } }: AgentRuntime,
    { environment, secretFiles }: NonNullable<AgentRuntimeDecision["workload"]>,
    signal: AbortSignal,
  ): Promise<{
    valueDigest: ValueDigest;
    fileDigest: (secretName: string, key: string | undefined) => string | undefined;
  }> {
    const ofSecrets = new Map<string, ReadonlyMap<string, string> | undefined>();
    const ofConfigMaps = new Map<string, ReadonlyMap<string, string> | undefined>();
    const references = environment.map(({ valueFrom }) => valueFrom);
    for (const name of new Set([
      ...secretFiles.map(({ secretName }) => secretName),
      ...references.flatMap((from) => from?.secretKeyRef?.name ?? []),
    ])) {
      ofSecrets.set(name, (await secrets.facts(`${namespace}/${name}`, signal))?.digests);
    }
    for (const name of new Set(references.flatMap((from) => from?.configMapKeyRef?.name ?? []))) {
      ofConfigMaps.set(name, await configMaps.facts(`${namespace}/${name}`, signal));
    }
    return {
      valueDigest: (kind, name, key) =>
        (kind === "Secret" ? ofSecrets : ofConfigMaps).get(name)?.get(key),
      fileDigest: (name, key) => {
        const digests = ofSecrets.get(name);
        if (key !== undefined || digests === undefined) return digests?.get(key ?? "");
        return contentHash([...digests].toSorted(([a], [b]) => (a < b ? -1 : 1)));
      },
    };
  }

  caches.agentRuntimes.subscribe(({ before, after }) => {
    if (after !== undefined || before === undefined) return;
    const key = keyOf(before.metadata);
    statuses.forget(key);
    filesChangedAt.delete(key);
    lastDecisions.delete(before.metadata.uid ?? "");
  });
  const keysOf = (agents: readonly StoredAgentRuntime[]): string[] =>
    agents.map(({ metadata }) => keyOf(metadata));
  const ofOwner = (object: KubernetesObject): string[] => {
    const key = agentKeyOf(object);
    return key === undefined ? [] : [key];
  };
  const { agentRuntimes } = caches;
  const controller = new Controller({ name: "agentruntime", clock, ...settings, reconcile })
    .owns(agentRuntimes)
    .watches(caches.agentConfigs, ofOwner)
    .watches(caches.deployments, ofOwner)
    .watches(caches.services, ofOwner)
    .watches(caches.podDisruptionBudgets, ofOwner)
    .watches(caches.pods, (pod) => caches.pods.valuesOf("agent", pod))
    .watches(caches.secrets, (secret) => {
      const key = keyOf(secret.metadata);
      return [...keysOf(agentRuntimes.indexed("secret", key)), ...agentsOfToolSecret(secret)];
    })
    .watches(caches.configMaps, (configMap) => {
      const key = keyOf(configMap.metadata);
      const ofName = key.endsWith(CONFIG_SUFFIX) ? [key.slice(0, -CONFIG_SUFFIX.length)] : [];
      // Ours are watched whole; this one is somebody else's, and may stand in the way.
      const inTheWay = agentKeyOf(configMap) === undefined ? ofName : [];
      return [
        ...keysOf(agentRuntimes.indexed("configMap", key)),
        ...inTheWay.filter((agent) => agentRuntimes.get(agent) !== undefined),
      ];
    });
  decided.promptPacks.subscribe((key) => {
    for (const agent of keysOf(agentRuntimes.indexed("promptPack", key)))
      controller.queue.add(agent);
  });
  decided.toolRegistries.subscribe((key) => {
    for (const agent of keysOf(agentRuntimes.indexed("toolRegistry", key)))
      controller.queue.add(agent);
  });

  /** The Secret is looked for where the agent is, wherever its registry is. */
  function agentsOfToolSecret({ metadata }: KubernetesObject): string[] {
    return caches.toolRegistries
      .indexed("toolSecret", metadata.name)
      .flatMap((registry) => agentRuntimes.indexed("toolRegistry", keyOf(registry.metadata)))
      .filter((agent) => agent.metadata.namespace === metadata.namespace)
      .map((agent) => keyOf(agent.metadata));
  }

  return controller;
}

function withStatus(
  { metadata }: StoredAgentRuntime,
  spec: AgentRuntime["spec"],
  status: AgentRuntimeStatus | undefined,
): AgentRuntime {
  const { name, namespace = "", generation } = metadata;
  return {
    apiVersion: API_VERSION,
    kind: AGENT_RUNTIME,
    metadata: { name, namespace, generation },
    spec,
    ...(status === undefined ? {} : { status }),
  };
}

/** What the cluster says was decided last; what this process remembers where it says nothing. */
function previousOf(
  { configMap }: AgentChildren,
  remembered: PreviousDecision | undefined,
): PreviousDecision {
  const { config, secretFiles } = readConfigMap(configMap);
  if (config === undefined || secretFiles === undefined) return remembered ?? {};
  return { config, secretFiles };
}
