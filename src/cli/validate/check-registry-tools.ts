import { LOCAL_URL_ANNOTATION } from "../../api/group.ts";
import type { ManifestResource } from "../../api/manifest/manifest.ts";
import type { ResolvedTool } from "../../control/tool-registry/resolved-tool.ts";
import type { ToolEntry } from "../../api/tool-registry.ts";
import {
  type ConfigMaps,
  withDescriptorSets,
} from "../../control/tool-registry/descriptor-sets.ts";
import { type ProbedURLs, resolveTools } from "../../control/tool-registry/resolve-tools.ts";
import { backedBy, type ServiceView } from "../../control/tool-registry/service-view.ts";
import type { Findings } from "./findings.ts";
import type { ResourceOf } from "./reference-lookup.ts";

/** Checks the entries of a registry against the Services among the files, without calling any tool. */
export function checkRegistryTools(
  registry: ResourceOf<"ToolRegistry">,
  resources: readonly ManifestResource[],
  findings: Findings,
): void {
  const configMaps = configMapsOf(registry, resources);
  noteAbsentConfigMaps(registry, configMaps, findings);
  const entries = registry.value.spec.tools.map((entry) => withoutAbsentSet(entry, configMaps));
  const probes = allReachable(registry);
  const services = servicesOf(registry, resources);
  // A Service must be right both in a cluster and on one machine, where a URL may stand for it.
  for (const views of [services.map(clusterView), services.map(localView)]) {
    const owners = entries.flatMap((entry, index) =>
      resolveTools([entry], views, probes, undefined, true).map(() => index),
    );
    const resolved = resolveTools(entries, views, probes, undefined, true);
    const outcomes = withDescriptorSets(resolved, configMaps);
    for (const [at, { problem }] of outcomes.entries()) {
      const path = ["spec", "tools", owners[at] ?? 0];
      if (problem?.reason === "NoServices") {
        findings.note(registry, [...path, "selector"], `among the files, ${problem.message}`);
      } else if (problem !== undefined) {
        findings.error(registry, path, problem.message);
      }
    }
  }
}

/**
 * The tools that a registry has, in a cluster or on one machine, or `undefined` when that cannot be told, since an entry selects Services that are
 * not among the files.
 */
export function toolsAmongFiles(
  registry: ResourceOf<"ToolRegistry">,
  resources: readonly ManifestResource[],
): ResolvedTool[] | undefined {
  const services = servicesOf(registry, resources).map(clusterView);
  const probes = allReachable(registry);
  const outcomes = resolveTools(registry.value.spec.tools, services, probes, undefined, true);
  if (outcomes.some(({ problem }) => problem?.reason === "NoServices")) return undefined;
  return outcomes.flatMap(({ tool }) => tool ?? []);
}

function allReachable({ value }: ResourceOf<"ToolRegistry">): ProbedURLs {
  const urls = value.spec.tools.flatMap(({ url }) => url ?? []);
  return new Map(urls.map((url) => [url, { reachable: true }]));
}

/** By name, the ConfigMaps among the files that are in the namespace of the registry. */
function configMapsOf(
  { namespace }: ResourceOf<"ToolRegistry">,
  resources: readonly ManifestResource[],
): ConfigMaps {
  return new Map(
    resources.flatMap((resource) =>
      resource.kind === "ConfigMap" && resource.namespace === namespace
        ? [[resource.name, resource.value]]
        : [],
    ),
  );
}

function noteAbsentConfigMaps(
  registry: ResourceOf<"ToolRegistry">,
  configMaps: ConfigMaps,
  findings: Findings,
): void {
  for (const [index, { grpc }] of registry.value.spec.tools.entries()) {
    const name = grpc?.descriptorSetRef?.name;
    if (name === undefined || configMaps.has(name)) continue;
    const path = ["spec", "tools", index, "grpc", "descriptorSetRef", "name"];
    findings.note(
      registry,
      path,
      `ConfigMap "${name}" of namespace "${registry.namespace}" is not among the files, so it was not checked`,
    );
  }
}

/** What is not among the files may be in the cluster. */
function withoutAbsentSet(entry: ToolEntry, configMaps: ConfigMaps): ToolEntry {
  const name = entry.grpc?.descriptorSetRef?.name;
  if (name === undefined || configMaps.has(name)) return entry;
  return { ...entry, grpc: { services: entry.grpc?.services } };
}

function servicesOf(
  { namespace }: ResourceOf<"ToolRegistry">,
  resources: readonly ManifestResource[],
): ResourceOf<"Service">[] {
  return resources.filter(
    (resource): resource is ResourceOf<"Service"> =>
      resource.kind === "Service" && resource.namespace === namespace,
  );
}

function clusterView({ value: { metadata, spec } }: ResourceOf<"Service">): ServiceView {
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    ports: (spec.ports ?? []).map(({ name, port, appProtocol }) => ({ name, port, appProtocol })),
    readyEndpoints: true,
    backedBy: backedBy(spec),
  };
}

function localView(service: ResourceOf<"Service">): ServiceView {
  const localURL = service.value.metadata.annotations?.[LOCAL_URL_ANNOTATION];
  return { ...clusterView(service), localURL };
}
