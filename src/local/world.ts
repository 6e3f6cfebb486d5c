/** The resources that the files declare, by kind and name, with what this machine adds to them. */
import { dirname, resolve } from "node:path";
import type { AgentRuntime } from "../api/agent-runtime.ts";
import type { ConfigMap, Secret, Service } from "../api/fields/core-objects.ts";
import { LOCAL_URL_ANNOTATION } from "../api/group.ts";
import type { ManifestResource } from "../api/manifest/manifest.ts";
import type { PromptPack } from "../api/prompt-pack.ts";
import type { ToolRegistry } from "../api/tool-registry.ts";
import type { ObjectName } from "../control/object-name.ts";
import { backedBy, type ServiceView } from "../control/tool-registry/service-view.ts";
import type { Environment } from "./secrets/resolve-secret.ts";
import type { ProbeResult } from "../probes/probe.ts";

export interface LocalWorld {
  readonly agentRuntimes: readonly AgentRuntime[];
  readonly promptPacks: readonly PromptPack[];
  readonly toolRegistries: readonly ToolRegistry[];
  readonly services: readonly Service[];
  configMap(name: ObjectName): ConfigMap | undefined;
  secret(name: ObjectName): Secret | undefined;
  /** The folder of the file that declares the agent. */
  folderOf(agent: ObjectName): string | undefined;
  readonly environment: Environment;
}

export function localWorld(
  resources: readonly ManifestResource[],
  environment: Environment,
): LocalWorld {
  const configMaps = new Map<string, ConfigMap>();
  const secrets = new Map<string, Secret>();
  const agentRuntimes: AgentRuntime[] = [];
  const promptPacks: PromptPack[] = [];
  const toolRegistries: ToolRegistry[] = [];
  const services: Service[] = [];
  const folders = new Map<string, string>();
  for (const resource of resources) {
    switch (resource.kind) {
      case "AgentRuntime":
        agentRuntimes.push(resource.value);
        folders.set(objectKey(resource), dirname(resolve(resource.file)));
        break;
      case "PromptPack":
        promptPacks.push(resource.value);
        break;
      case "ToolRegistry":
        toolRegistries.push(resource.value);
        break;
      case "ConfigMap":
        configMaps.set(objectKey(resource), resource.value);
        break;
      case "Secret":
        secrets.set(objectKey(resource), resource.value);
        break;
      case "Service":
        services.push(resource.value);
        break;
    }
  }
  return {
    agentRuntimes,
    promptPacks,
    toolRegistries,
    services,
    folderOf: (agent) => folders.get(objectKey(agent)),
    configMap: (name) => configMaps.get(objectKey(name)),
    secret: (name) => secrets.get(objectKey(name)),
    environment,
  };
}

export function objectKey({ namespace, name }: ObjectName): string {
  return `${namespace}/${name}`;
}

/** Every URL that has to be probed: those of the tools that are given by URL, and those that stand for Services. */
export function urlsToProbe({ toolRegistries, services }: LocalWorld): Set<string> {
  const tools = toolRegistries.flatMap(({ spec }) => spec.tools.map(({ url }) => url));
  return new Set([...tools, ...services.map(localURLOf)].filter((url) => url !== undefined));
}

export function serviceViews(
  { services }: LocalWorld,
  namespace: string,
  probes: ReadonlyMap<string, ProbeResult>,
): ServiceView[] {
  return services
    .filter(({ metadata }) => metadata.namespace === namespace)
    .map((service) => {
      const { metadata, spec } = service;
      const localURL = localURLOf(service);
      const problem = problemOf(localURL, probes);
      return {
        name: metadata.name,
        namespace,
        labels: metadata.labels ?? {},
        annotations: metadata.annotations ?? {},
        ports: (spec.ports ?? []).map(({ name, port, appProtocol }) => ({
          port,
          name,
          appProtocol,
        })),
        readyEndpoints: problem === undefined,
        backedBy: backedBy(spec),
        problem,
        localURL,
      };
    });
}

function localURLOf({ metadata }: Service): string | undefined {
  return metadata.annotations?.[LOCAL_URL_ANNOTATION];
}

function problemOf(
  localURL: string | undefined,
  probes: ReadonlyMap<string, ProbeResult>,
): string | undefined {
  if (localURL === undefined) {
    return `on one machine nothing runs behind a Service; give it the annotation ${LOCAL_URL_ANNOTATION} with the URL that stands for it`;
  }
  const probe = probes.get(localURL);
  if (probe?.reachable === true) return undefined;
  return probe?.message ?? "not yet looked at";
}
