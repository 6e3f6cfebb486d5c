import type { AllowedNamespaces } from "../../api/fields/allowed-namespaces.ts";
import { TOOL_REGISTRY } from "../../api/group.ts";
import { toolRegistrySpecSchema, type ToolRegistryStatus } from "../../api/tool-registry.ts";
import {
  decideToolRegistry,
  resolveInput,
  type ToolRegistryDecision,
} from "../../control/tool-registry/decide-tool-registry.ts";
import type { ServiceView } from "../../control/tool-registry/service-view.ts";
import type { ToolOutcome } from "../../control/tool-registry/resolve-tools.ts";
import { serversOf } from "../../control/agent-runtime/offered-tools.ts";
import { listSource } from "../../tool-servers/lists/list-source.ts";
import type { ToolListReader } from "../../tool-servers/lists/tool-list-reader.ts";
import type { KubernetesObject } from "../../kube/client/object.ts";
import type { ToolProbes } from "../../probes/tool-probes.ts";
import { contentHash } from "../../promptpack/document/content-hash.ts";
import { Decisions } from "../cluster/decisions.ts";
import type { StoredToolRegistry } from "../cluster/kubernetes-objects.ts";
import type { OperatorContext } from "../cluster/operator-context.ts";
import { readSpec, toResource } from "../cluster/read-stored.ts";
import { toolConfigMapsOf } from "../cluster/references-of.ts";
import type { WrittenStatuses } from "../cluster/written-statuses.ts";
import { listCredential } from "./list-credential.ts";
import type { ToolConfigMaps } from "./tool-config-maps.ts";
import type { ToolServices } from "./tool-services.ts";

export interface RegistryOutcome {
  readonly stored: StoredToolRegistry;
  /** `undefined`: no spec of the object could ever be read. */
  readonly decision:
    | (ToolRegistryDecision & { readonly allowedNamespaces: AllowedNamespaces | undefined })
    | undefined;
  /** Why the spec could not be read. The decision is then about an earlier spec. */
  readonly problem?: string;
}

type RegistryWorld = readonly [
  stored: StoredToolRegistry,
  status: ToolRegistryStatus | undefined,
  services: readonly ServiceView[],
  looked: number,
  ...configMaps: (KubernetesObject | undefined)[],
];

export type RegistryDecisions = Decisions<RegistryWorld, RegistryOutcome>;

export function createRegistryDecisions(
  context: Pick<OperatorContext, "caches" | "clock" | "settings" | "client">,
  parts: {
    statuses: WrittenStatuses<ToolRegistryStatus>;
    services: ToolServices;
    probes: ToolProbes;
    lists: ToolListReader;
    configMaps: ToolConfigMaps;
    /** Key of the registry → how often has changed what is looked up for it: probes, lists, and the Secrets for them. */
    looked: ReadonlyMap<string, number>;
    random: () => number;
  },
): RegistryDecisions {
  const { caches, clock, settings } = context;
  const { statuses, services, probes, lists, looked, random, configMaps } = parts;
  /** How the list of each server of the registry is read. */
  function sourcesOf(namespace: string, outcomes: readonly ToolOutcome[]) {
    return new Map(
      serversOf(outcomes).map(({ name, config, isReachable, authSecretRef }) => {
        const credential = authSecretRef && listCredential(context, namespace, authSecretRef);
        const server = { tool: config, isReachable, credential };
        return [name, listSource(server, { clock, random })] as const;
      }),
    );
  }
  return new Decisions<RegistryWorld, RegistryOutcome>({
    gather(key) {
      const stored = caches.toolRegistries.get(key);
      if (stored === undefined) return undefined;
      const { namespace = "" } = stored.metadata;
      return [
        stored,
        statuses.of(stored),
        services.of(namespace),
        looked.get(key) ?? 0,
        ...toolConfigMapsOf(stored).map((configMap) => caches.configMaps.get(configMap)),
      ];
    },
    async decide(key, [stored, status, offered], before, signal) {
      const read = readSpec(toolRegistrySpecSchema, stored.spec);
      if (!read.ok) {
        probes.forget(key);
        lists.forget(key);
        const isSameObject = before?.stored.metadata.uid === stored.metadata.uid;
        const decision = isSameObject ? before?.decision : undefined;
        return { stored, decision, problem: read.problem };
      }
      const networks = settings.policy.allowedToolNetworks;
      const urls = new Set(read.spec.tools.flatMap(({ url }) => url ?? []));
      const input = {
        toolRegistry: toResource(TOOL_REGISTRY, stored, read.spec, status),
        services: offered,
        probes: await probes.results(key, urls, signal),
        urlAddresses: networks.length === 0 ? undefined : networks,
        configMaps: await configMaps.of(stored, signal),
        now: clock.now(),
      };
      const outcomes = resolveInput(input);
      const { namespace = "" } = stored.metadata;
      const decision = decideToolRegistry({
        ...input,
        outcomes,
        lists: lists.known(key, sourcesOf(namespace, outcomes)),
      });
      return { stored, decision: { ...decision, allowedNamespaces: read.spec.allowedNamespaces } };
    },
    toText: ({ decision }) => {
      if (decision === undefined) return "";
      const { phase, conditions } = decision.status;
      const findings = conditions?.map(({ type, reason, message }) => [type, reason, message]);
      return contentHash([decision.tools, phase, findings, decision.allowedNamespaces]);
    },
  });
}
