/** Makes what a pod gets from the text of a manifest, as the operator does, but without a cluster. */
import { readFile, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import type { V1Container } from "@kubernetes/client-node";
import { AGENT_CONFIG_PATH, type AgentConfig } from "../../../src/agent-config/agent-config.ts";
import type { AgentRuntime } from "../../../src/api/agent-runtime.ts";
import { parseManifests } from "../../../src/api/manifest/manifest.ts";
import { decideAgentRuntime } from "../../../src/control/agent-runtime/decide-agent-runtime.ts";
import type { WrittenVersion } from "../../../src/control/prompt-pack/pack-version.ts";
import type { WorkloadDecision } from "../../../src/control/agent-runtime/workload-decision.ts";
import { buildConfigMap } from "../../../src/operator/agent-runtime/objects/build-config-map.ts";
import { buildDeployment } from "../../../src/operator/agent-runtime/objects/build-deployment.ts";
import { buildNetworkPolicy } from "../../../src/operator/agent-runtime/objects/build-network-policy.ts";
import { buildPodDisruptionBudget } from "../../../src/operator/agent-runtime/objects/build-pod-disruption-budget.ts";
import { buildService } from "../../../src/operator/agent-runtime/objects/build-service.ts";
import { gatherReferences } from "../../../src/control/agent-runtime/gather-references.ts";
import { clusterReaders } from "../../../src/operator/agent-runtime/reference-readers.ts";
import {
  type AgentNetworkPolicy,
  agentNetworkPolicySchema,
} from "../../../src/operator/cluster/agent-network-policy.ts";
import type {
  ConfigMapObject,
  DeploymentObject,
  NetworkPolicyObject,
  PodDisruptionBudgetObject,
  ServiceObject,
} from "../../../src/operator/cluster/kubernetes-objects.ts";
import { secretFacts } from "../../../src/operator/cluster/secret-reader.ts";
import { NOW, packReference, registryReference } from "../builders/a-decision.ts";
import { withoutUndefined } from "../../../src/control/without-undefined.ts";
import type { Pod } from "../kubernetes/node/pod.ts";
import { podEnvironment } from "../kubernetes/node/pod-environment.ts";
import { PodVolumes, type ReadObject } from "../kubernetes/node/pod-volumes.ts";

/** The objects that exist, by "namespace/name". */
export interface World {
  readonly packs?: Readonly<Record<string, WrittenVersion>>;
  /** An entry of a registry, by its tool's name `lookup-user`. */
  readonly registries?: Readonly<Record<string, Record<string, unknown>>>;
  readonly secrets?: Readonly<Record<string, Record<string, string>>>;
  readonly configMaps?: Readonly<Record<string, Record<string, string>>>;
}

export interface MadeAgent {
  readonly workload: WorkloadDecision;
  readonly configMap: ConfigMapObject;
  readonly deployment: DeploymentObject;
  readonly service: ServiceObject;
  readonly podDisruptionBudget: PodDisruptionBudgetObject | undefined;
  readonly networkPolicy: NetworkPolicyObject;
  readonly pod: Pod;
  readonly container: V1Container;
  readonly environment: Readonly<Record<string, string>>;
  /** The config as the pod reads it. */
  readonly config: AgentConfig;
  /** Reads a file of the pod, by its path in the container. */
  readonly file: (path: string) => Promise<string>;
}

/** The files of pods are put into `folder`. */
export async function makeAgent(
  manifest: string,
  world: World,
  folder: string,
  networkPolicy: AgentNetworkPolicy = agentNetworkPolicySchema.parse({}),
): Promise<MadeAgent> {
  const agentRuntime = parse(manifest);
  const { config, workload } = await decide(agentRuntime, world);
  const { name, namespace } = agentRuntime.metadata;
  const at = { name, namespace };
  const { secretFiles } = workload;
  const configMap = buildConfigMap(at, {
    config,
    secretFiles,
    filesRevision: 1,
    filesDigest: "config=0",
  });
  const settings = { agentImage: "omnia:test", agentImagePullPolicy: "IfNotPresent" as const };
  const deployment = buildDeployment({
    agentRuntime: at,
    workload,
    environmentDigest: undefined,
    settings,
    publicKey: "public-key",
  });
  const pod = podOf(deployment);
  const container = pod.spec.containers[0];
  if (container === undefined) throw new Error("the pod has no container");
  const read = readerOf(world, namespace, configMap);
  const volumes = new PodVolumes(await mkdtemp(join(folder, "pod-")));
  await volumes.materialise(pod, read);
  const file = (path: string): Promise<string> => readFile(join(volumes.root, path), "utf8");
  return {
    workload,
    configMap,
    deployment,
    service: buildService(at, config),
    podDisruptionBudget: buildPodDisruptionBudget(at, workload),
    networkPolicy: buildNetworkPolicy(at, networkPolicy),
    pod,
    container,
    environment: await podEnvironment(pod, read),
    config: JSON.parse(await file(AGENT_CONFIG_PATH)) as AgentConfig,
    file,
  };
}

function parse(manifest: string): AgentRuntime {
  const { resources, problems } = parseManifests(manifest, "agent.yaml");
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join("\n"));
  const [resource] = resources;
  if (resource?.kind !== "AgentRuntime") throw new Error("the manifest is no AgentRuntime");
  return resource.value;
}

async function decide(
  agentRuntime: AgentRuntime,
  { packs = {}, registries = {}, secrets = {} }: World,
): Promise<{ config: AgentConfig; workload: WorkloadDecision }> {
  const references = await gatherReferences(
    agentRuntime,
    clusterReaders(
      {
        promptPacks: {
          reference: async (key) => {
            const version = packs[key];
            if (version === undefined) return { found: false };
            return { ...packReference({ kept: [version] }), ...nameOf(key) };
          },
        },
        toolRegistries: {
          reference: async (key) => {
            const entry = registries[key];
            if (entry === undefined) return { found: false };
            return { ...registryReference({ entry }), ...nameOf(key) };
          },
        },
        secrets: {
          facts: async (key) => {
            const values = secrets[key];
            return values && secretFacts({ metadata: nameOf(key), data: encoded(values) });
          },
        },
        namespaces: [],
        namespaceObjects: new Map(),
      },
      new AbortController().signal,
    ),
  );
  const decision = decideAgentRuntime({
    agentRuntime,
    references,
    observed: undefined,
    previous: {},
    now: NOW,
  });
  const { config, workload, status } = decision;
  if (config === undefined || workload === undefined) {
    throw new Error(`there is no agent: ${JSON.stringify(status.conditions)}`);
  }
  return { config, workload };
}

/** Makes the pod from the Deployment as the controllers of a cluster do. */
function podOf({ metadata, spec }: DeploymentObject): Pod {
  const { metadata: meta, spec: podSpec } = spec.template;
  if (podSpec === undefined) throw new Error("the template has no spec");
  const name = `${metadata.name}-7d9f8c4b5-x2x9z`;
  const { namespace } = metadata;
  const { labels, annotations } = meta ?? {};
  return {
    metadata: withoutUndefined<Pod["metadata"]>({ name, namespace, labels, annotations }),
    spec: podSpec,
  };
}

function readerOf(world: World, namespace: string, configMap: ConfigMapObject): ReadObject {
  return async (plural, name) => {
    if (plural === "configmaps" && name === configMap.metadata.name) return configMap;
    const key = `${namespace}/${name}`;
    if (plural === "configmaps") {
      const data = world.configMaps?.[key];
      return data && { data };
    }
    const values = world.secrets?.[key];
    return values && { data: encoded(values) };
  };
}

function encoded(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString("base64")]),
  );
}

function nameOf(key: string): { namespace: string; name: string } {
  const [namespace = "", name = ""] = key.split("/");
  return { namespace, name };
}
