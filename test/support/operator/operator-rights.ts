/** The rights of an operator, one verb on one resource each. */
import { LEASE_NAME, SIGNING_KEY_NAME } from "../../../src/operator/cluster/labels.ts";
import type { SecretAccess } from "../../../src/operator/cluster/operator-context.ts";
import {
  CLUSTER_RULES,
  ownNamespaceRules,
  type PolicyRule,
  SECRET_RULES,
  WATCHED_NAMESPACE_RULES,
} from "../../../src/operator/permissions.ts";

export interface OperatorRight {
  /** Where it is given: in each namespace that is watched, in all of the cluster, or in the namespace of the operator. */
  readonly scope: "watched" | "cluster" | "own";
  readonly verb: string;
  /** The group and the resource, such as "apps/deployments", "/secrets" or "policy/poddisruptionbudgets". */
  readonly resource: string;
  readonly resourceNames?: readonly string[] | undefined;
}

export function operatorRights(secrets: SecretAccess = "watch"): OperatorRight[] {
  const own = ownNamespaceRules({ lease: LEASE_NAME, signingKey: SIGNING_KEY_NAME });
  return [
    ...rightsOf("watched", [...WATCHED_NAMESPACE_RULES, ...SECRET_RULES[secrets]]),
    ...rightsOf("cluster", CLUSTER_RULES),
    ...rightsOf("own", own),
  ];
}

function rightsOf(scope: OperatorRight["scope"], rules: readonly PolicyRule[]): OperatorRight[] {
  return rules.flatMap(({ apiGroups, resources, resourceNames, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        verbs.map((verb) => ({ scope, verb, resource: `${group}/${resource}`, resourceNames })),
      ),
    ),
  );
}

export function toRule({ verb, resource, resourceNames }: OperatorRight): PolicyRule {
  const [group = "", ...path] = resource.split("/");
  const rule = { apiGroups: [group], resources: [path.join("/")], verbs: [verb] };
  return resourceNames === undefined ? rule : { ...rule, resourceNames };
}

/** For people, and to tell one right from another. */
export function nameOf({ scope, verb, resource }: Omit<OperatorRight, "resourceNames">): string {
  const where = { watched: "", cluster: " in the cluster", own: " in its own namespace" };
  return `${verb} ${resource.replace(/^\//, "")}${where[scope]}`;
}
