/** What the operator may do in a cluster, which is exactly what it does. The roles of the chart are generated from it. */
import { GROUP } from "../api/group.ts";
import { LEASE_NAME } from "./cluster/labels.ts";
import type { SecretAccess } from "./cluster/operator-context.ts";

export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

const WATCH = ["get", "list", "watch"] as const;
const KINDS = ["agentruntimes", "promptpacks", "toolregistries"] as const;

/** The rules in every namespace that is watched, but for those about Secrets. */
export const WATCHED_NAMESPACE_RULES: readonly PolicyRule[] = [
  // An annotation tells which operator looks after it. Only users write the specs.
  { apiGroups: [GROUP], resources: KINDS, verbs: ["list", "watch", "patch"] },
  { apiGroups: [GROUP], resources: KINDS.map((kind) => `${kind}/status`), verbs: ["patch"] },
  // The configs of agents and the versions of packs. Old versions are deleted.
  { apiGroups: [""], resources: ["configmaps"], verbs: [...WATCH, "create", "patch", "delete"] },
  { apiGroups: [""], resources: ["services"], verbs: [...WATCH, "create", "patch"] },
  // An annotation tells the kubelet that files have changed.
  { apiGroups: [""], resources: ["pods"], verbs: ["list", "watch", "patch"] },
  { apiGroups: ["apps"], resources: ["deployments"], verbs: [...WATCH, "create", "patch"] },
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
  {
    apiGroups: ["policy"],
    resources: ["poddisruptionbudgets"],
    // A budget is deleted when one replica is left.
    verbs: [...WATCH, "create", "patch", "delete"],
  },
  {
    apiGroups: ["networking.k8s.io"],
    resources: ["networkpolicies"],
    // They are deleted when the operator is told to make none.
    verbs: [...WATCH, "create", "patch", "delete"],
  },
  {
    apiGroups: ["autoscaling"],
    resources: ["horizontalpodautoscalers"],
    // They are deleted when autoscaling is turned off, or left to KEDA.
    verbs: [...WATCH, "create", "patch", "delete"],
  },
  // A cluster without KEDA has none, and the rule allows nothing then.
  {
    apiGroups: ["keda.sh"],
    resources: ["scaledobjects"],
    verbs: [...WATCH, "create", "patch", "delete"],
  },
  { apiGroups: ["events.k8s.io"], resources: ["events"], verbs: ["create", "patch"] },
];

const SECRETS = { apiGroups: [""], resources: ["secrets"] } as const;

/** The rules about Secrets in every namespace that is watched. One is read when a resource refers to it. */
export const SECRET_RULES: Readonly<Record<SecretAccess, readonly PolicyRule[]>> = {
  // The metadata of all of them is watched.
  watch: [{ ...SECRETS, verbs: WATCH }],
  get: [{ ...SECRETS, verbs: ["get"] }],
};

/** When all namespaces are watched. */
export const CLUSTER_RULES: readonly PolicyRule[] = [
  // `allowedNamespaces` may select namespaces by their labels.
  { apiGroups: [""], resources: ["namespaces"], verbs: ["list", "watch"] },
  // Whether another operator still runs, which looked after a resource before.
  {
    apiGroups: ["coordination.k8s.io"],
    resources: ["leases"],
    resourceNames: [LEASE_NAME],
    verbs: ["get"],
  },
];

/**
 * The rules in the namespace of the operator: for the lease by which one of several operators leads, and for the key that signs
 * agent configs.
 */
export function ownNamespaceRules(names: {
  lease: string;
  signingKey: string;
}): readonly PolicyRule[] {
  const lease = { apiGroups: ["coordination.k8s.io"], resources: ["leases"] };
  const secret = { apiGroups: [""], resources: ["secrets"] };
  return [
    { ...lease, resourceNames: [names.lease], verbs: ["get", "update"] },
    // Whether the pod of the operator that holds the lease is still there.
    { apiGroups: [""], resources: ["pods"], verbs: ["get"] },
    { ...secret, resourceNames: [names.signingKey], verbs: ["get"] },
    // A rule for `create` cannot be limited to a name.
    { ...lease, verbs: ["create"] },
    { ...secret, verbs: ["create"] },
  ];
}

/** The rules in the namespace of the operator where there is a gateway, besides those above. `create` is among those. */
export function gatewayKeyRules(gatewayKey: string): readonly PolicyRule[] {
  return [{ apiGroups: [""], resources: ["secrets"], resourceNames: [gatewayKey], verbs: ["get"] }];
}

/**
 * The rules for people, which are added to roles of the cluster: `view` and `edit` to those of the same name, `sessions` and `admin` to
 * `admin`. Who may look at agents may not read what people say to them.
 */
export const USER_RULES: Readonly<
  Record<"view" | "edit" | "sessions" | "admin", readonly PolicyRule[]>
> = {
  view: [{ apiGroups: [GROUP], resources: KINDS, verbs: WATCH }],
  edit: [
    {
      apiGroups: [GROUP],
      resources: [...KINDS, "agentruntimes/scale"],
      verbs: ["create", "delete", "deletecollection", "patch", "update"],
    },
    // Subresources that no object has. A gateway asks for them.
    { apiGroups: [GROUP], resources: ["agentruntimes/chat"], verbs: ["create"] },
  ],
  sessions: [{ apiGroups: [GROUP], resources: ["agentruntimes/sessions"], verbs: WATCH }],
  admin: [
    { apiGroups: [GROUP], resources: ["agentruntimes/sessions"], verbs: ["create", "delete"] },
    { apiGroups: [GROUP], resources: ["agentruntimes/toolcalls"], verbs: ["create"] },
  ],
};
