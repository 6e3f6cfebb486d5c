/** The AgentRuntimes of the cluster. */
import { agentRuntimeSpecSchema, type AgentRuntimeStatus } from "../../api/agent-runtime.ts";
import { AGENT_RUNTIME } from "../../api/group.ts";
import {
  type AgentRuntimeDecision,
  decideAgentRuntime,
} from "../../control/agent-runtime/decide-agent-runtime.ts";
import { isConflict, isNotFound } from "../../kube/client/api-error.ts";
import { Controller, type ReconcileResult } from "../../kube/controller/controller.ts";
import { createConfigMapReader } from "../cluster/config-map-reader.ts";
import { AGENT_RUNTIMES, type PodObject, PODS } from "../cluster/kubernetes-objects.ts";
import { FILES_REVISION_ANNOTATION } from "../cluster/labels.ts";
import type {
  ControllerSettings,
  DecidedPromptPacks,
  DecidedToolRegistries,
  OperatorContext,
} from "../cluster/operator-context.ts";
import { readSpec, toResource, UnreadableSpecs } from "../cluster/read-stored.ts";
import { createSecretReader } from "../cluster/secret-reader.ts";
import { WrittenStatuses } from "../cluster/written-statuses.ts";
import { type AgentChildren, childrenOf, ownedBy } from "./children.ts";
import { LastFiles, nextFiles } from "./files/agent-files.ts";
import { watchForAgents } from "./triggers.ts";
import { carryOut, type CarriedOut } from "./carry-out.ts";
import { gatherReferences } from "../../control/agent-runtime/gather-references.ts";
import { gatherDigests } from "./files/gather-digests.ts";
import { observeWorkload } from "./pods/observe-workload.ts";
import { podsToRefresh } from "./pods/pods-to-refresh.ts";
import { clusterReaders } from "./reference-readers.ts";
import { WriteRefusals } from "./write-refusals.ts";

/** The kubelet hears of the changed files by a watch of its own: told of them too early, it would look at the old ones. */
const FILES_SETTLE_MS = 250;
/** What was made and does not show by then may have gone again. */
const CREATION_SHOWS_MS = 2_000;

/** What this process knows of one agent and the cluster does not say, or not yet. */
interface Memory {
  readonly uid: string;
  readonly files: LastFiles;
  readonly refusals: WriteRefusals;
  /** What was made, and when, until the cache has it. */
  created: { readonly children: CarriedOut["created"]; readonly at: number } | undefined;
  /** When the files were changed, until the pods have been told. */
  filesChangedAt: number | undefined;
}

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
  const memories = new Map<string, Memory>();

  async function reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult | void> {
    const stored = caches.agentRuntimes.get(key);
    if (stored === undefined) {
      // What belonged to it goes by its owner references.
      memories.delete(key);
      return statuses.forget(key);
    }
    if (stored.metadata.deletionTimestamp !== undefined) return;
    const read = readSpec(agentRuntimeSpecSchema, stored.spec);
    if (!read.ok) return await unreadable.refuse(stored, read.problem, signal);
    const agentRuntime = toResource(AGENT_RUNTIME, stored, read.spec, statuses.of(stored));
    const memory = memoryOf(key, stored.metadata.uid ?? "");

    const children = childrenOf(caches, key);
    const own = ownedBy(memory.uid, children);
    const unseenMs = unseenFor(memory, own);
    // It would be made again.
    if (unseenMs > 0) return { requeueAfterMs: unseenMs };
    const pods = caches.pods.indexed("agent", key);
    const last = memory.files.read(own.configMap);
    const { namespaces } = context.settings;
    const readers = clusterReaders({ ...decided, secrets, namespaces }, signal);
    const references = await gatherReferences(agentRuntime, readers);
    const decide = (problem?: string): AgentRuntimeDecision =>
      decideAgentRuntime({
        agentRuntime,
        references,
        observed: observeWorkload({ deployment: own.deployment, pods, problem }),
        previous: last,
        now: clock.now(),
      });

    const { config, workload, status } = decide();
    if (config === undefined || workload === undefined) {
      return await statuses.write(stored, status, signal);
    }
    const { namespace } = agentRuntime.metadata;
    const contents = { secrets, configMaps };
    const { valueDigest, fileDigest } = await gatherDigests(namespace, workload, contents, signal);
    const { secretFiles } = workload;
    const files = nextFiles({ config, secretFiles, fileDigest, last, pods });
    const wanted = { agentRuntime, uid: memory.uid, files, workload, valueDigest };
    const done = await carryOut(context, children, memory.refusals, wanted, signal);
    if (done.files === "written") {
      memory.files.wrote(files, own.configMap);
      memory.filesChangedAt = clock.monotonic();
    }
    const { problem } = done;
    // Of what was just made the cluster will tell, and the status is decided then.
    if (done.created.length > 0) {
      memory.created = { children: done.created, at: clock.monotonic() };
    }
    if (done.created.length === 0 || problem !== undefined) {
      const decision = problem === undefined ? status : decide(problem).status;
      await statuses.write(stored, decision, signal);
    }
    const settleMs =
      done.files === "refused"
        ? undefined
        : await tellPods(memory, pods, files.filesRevision, signal);
    return requeued(settleMs, done);
  }

  function memoryOf(key: string, uid: string): Memory {
    const known = memories.get(key);
    if (known?.uid === uid) return known;
    const memory: Memory = {
      uid,
      files: new LastFiles(),
      refusals: new WriteRefusals(clock),
      created: undefined,
      filesChangedAt: undefined,
    };
    memories.set(key, memory);
    return memory;
  }

  /** How long to wait for the cache to show what was made here. */
  function unseenFor(memory: Memory, own: AgentChildren): number {
    if (memory.created?.children.every((child) => own[child] !== undefined)) {
      memory.created = undefined;
    }
    const { created } = memory;
    return created === undefined ? 0 : created.at + CREATION_SHOWS_MS - clock.monotonic();
  }

  /** Resolves to the time after which to try again, when it is too early. */
  async function tellPods(
    memory: Memory,
    pods: readonly PodObject[],
    revision: number,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const outdated = podsToRefresh(pods, revision);
    const age = clock.monotonic() - (memory.filesChangedAt ?? -Infinity);
    if (outdated.length > 0 && age < FILES_SETTLE_MS) return FILES_SETTLE_MS - age;
    memory.filesChangedAt = undefined;
    await Promise.all(outdated.map((pod) => refresh(pod, revision, signal)));
    return undefined;
  }

  /** A pod whose annotations change is looked at by its kubelet at once, its files included. */
  async function refresh(
    { metadata }: PodObject,
    revision: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { name, namespace, uid } = metadata;
    const annotations = { [FILES_REVISION_ANNOTATION]: String(revision) };
    const patch = { metadata: { uid, annotations } };
    try {
      await client.mergePatch(PODS, { name, namespace }, patch, signal);
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }

  const controller = new Controller({ name: "agentruntime", clock, ...settings, reconcile });
  watchForAgents(controller, caches, decided);
  return controller;
}

function requeued(
  settleMs: number | undefined,
  { retryInMs }: CarriedOut,
): ReconcileResult | undefined {
  const delays = [settleMs, retryInMs].filter((delay) => delay !== undefined);
  return delays.length === 0 ? undefined : { requeueAfterMs: Math.min(...delays) };
}
