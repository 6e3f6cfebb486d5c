/** What the operator may do in a cluster: exactly what it does. The chart's roles are made from it. */
import { GROUP } from "../api/group.ts";

export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

const WATCH = ["get", "list", "watch"] as const;
const KINDS = ["agentruntimes", "promptpacks", "toolregistries"] as const;

/** In every namespace that is watched. */
export const WATCHED_NAMESPACE_RULES: readonly PolicyRule[] = [
  { apiGroups: [GROUP], resources: KINDS, verbs: WATCH },
  // Their specs belong to users.
  { apiGroups: [GROUP], resources: KINDS.map((kind) => `${kind}/status`), verbs: ["patch"] },
  // Configs of agents and versions of packs; old versions are deleted.
  { apiGroups: [""], resources: ["configmaps"], verbs: [...WATCH, "create", "patch", "delete"] },
  // Watched as metadata, and read when a resource refers to one.
  { apiGroups: [""], resources: ["secrets"], verbs: WATCH },
  { apiGroups: [""], resources: ["services"], verbs: [...WATCH, "create", "patch"] },
  // An annotation tells the kubelet that files have changed.
  { apiGroups: [""], resources: ["pods"], verbs: ["list", "watch", "patch"] },
  { apiGroups: ["apps"], resources: ["deployments"], verbs: [...WATCH, "create", "patch"] },
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
  {
    apiGroups: ["policy"],
    resources: ["poddisruptionbudgets"],
    // Deleted when one replica is left.
    verbs: [...WATCH, "create", "patch", "delete"],
  },
  { apiGroups: ["events.k8s.io"], resources: ["events"], verbs: ["create", "patch"] },
];

/** In the namespace of the operator: the one lease by which one of several leads. */
export function leaseRules(leaseName: string): readonly PolicyRule[] {
  const lease = { apiGroups: ["coordination.k8s.io"], resources: ["leases"] };
  return [
    { ...lease, resourceNames: [leaseName], verbs: ["get", "update"] },
    // To create cannot be bound to a name.
    { ...lease, verbs: ["create"] },
  ];
}

/** For the people of a cluster, added to its own roles. */
export const USER_RULES: Readonly<Record<"view" | "edit", readonly PolicyRule[]>> = {
  view: [{ apiGroups: [GROUP], resources: KINDS, verbs: WATCH }],
  edit: [
    {
      apiGroups: [GROUP],
      resources: [...KINDS, "agentruntimes/scale"],
      verbs: ["create", "delete", "deletecollection", "patch", "update"],
    },
  ],
};
