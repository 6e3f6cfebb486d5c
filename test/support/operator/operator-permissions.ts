/** Gives a user what the chart gives to the operator, and nothing else. */
import { LEASE_NAME, SIGNING_KEY_NAME } from "../../../src/operator/cluster/labels.ts";
import { DEFAULT_NAMESPACE } from "../../../src/api/fields/names.ts";
import type { SecretAccess } from "../../../src/operator/cluster/operator-context.ts";
import {
  CLUSTER_RULES,
  ownNamespaceRules,
  type PolicyRule,
  SECRET_RULES,
  WATCHED_NAMESPACE_RULES,
} from "../../../src/operator/permissions.ts";
import type { KubeAPIServer } from "../kubernetes/kube-api-server.ts";

const API = "/apis/rbac.authorization.k8s.io/v1";

export async function permitOperator(
  server: KubeAPIServer,
  user: string,
  scope: {
    /** The namespaces that are watched. Without it, all are watched. */
    namespaces?: readonly string[];
    /** The namespace in which it holds the lease and keeps its key. */
    ownNamespace?: string;
    secrets?: SecretAccess;
  } = {},
): Promise<void> {
  const { namespaces, ownNamespace = DEFAULT_NAMESPACE, secrets = "watch" } = scope;
  const watched = [...WATCHED_NAMESPACE_RULES, ...SECRET_RULES[secrets]];
  for (const namespace of namespaces ?? [""]) {
    await permit(server, { user, name: user, namespace, rules: watched });
  }
  if (namespaces === undefined) {
    await permit(server, { user, name: `${user}-cluster`, namespace: "", rules: CLUSTER_RULES });
  }
  const rules = ownNamespaceRules({ lease: LEASE_NAME, signingKey: SIGNING_KEY_NAME });
  await permit(server, { user, name: `${user}-own`, namespace: ownNamespace, rules });
}

/** Without a namespace, it is bound in all namespaces. */
async function permit(
  server: KubeAPIServer,
  grant: { user: string; name: string; namespace: string; rules: readonly PolicyRule[] },
): Promise<void> {
  const { user, name, namespace, rules } = grant;
  const [prefix, folder] =
    namespace === "" ? ["Cluster", API] : ["", `${API}/namespaces/${namespace}`];
  const metadata = { name };
  await create(server, `${folder}/${prefix.toLowerCase()}roles`, {
    kind: `${prefix}Role`,
    metadata,
    rules,
  });
  await create(server, `${folder}/${prefix.toLowerCase()}rolebindings`, {
    kind: `${prefix}RoleBinding`,
    metadata,
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: `${prefix}Role`, name },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: user }],
  });
}

async function create(server: KubeAPIServer, path: string, object: object): Promise<void> {
  const { status, body } = await server.request("POST", path, object);
  if (status !== 201) throw new Error(`${path}: ${status} ${body?.message ?? ""}`);
}
