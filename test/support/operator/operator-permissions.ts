/** Gives a user what the chart gives to the operator, and nothing else. */
import { DEFAULT_NAMESPACE } from "../../../src/api/fields/names.ts";
import type { SecretAccess } from "../../../src/operator/cluster/operator-context.ts";
import type { KubeAPIServer } from "../kubernetes/kube-api-server.ts";
import { type OperatorRight, nameOf, operatorRights, toRule } from "./operator-rights.ts";

const API = "/apis/rbac.authorization.k8s.io/v1";

export async function permitOperator(
  server: KubeAPIServer,
  user: string,
  scope: {
    /** The namespaces that are watched. Without it, all are watched. */
    namespaces?: readonly string[] | undefined;
    /** The namespace in which it holds the lease and keeps its key. */
    ownNamespace?: string;
    secrets?: SecretAccess;
    /** A right that is left out. */
    without?: OperatorRight | undefined;
  } = {},
): Promise<void> {
  const { namespaces, ownNamespace = DEFAULT_NAMESPACE, secrets, without } = scope;
  const rights = operatorRights(secrets).filter(
    (right) => without === undefined || nameOf(right) !== nameOf(without),
  );
  const within = (wanted: OperatorRight["scope"]): OperatorRight[] =>
    rights.filter((right) => right.scope === wanted);
  for (const namespace of namespaces ?? [""]) {
    await permit(server, { user, name: user, namespace, rights: within("watched") });
  }
  if (namespaces === undefined) {
    const name = `${user}-cluster`;
    await permit(server, { user, name, namespace: "", rights: within("cluster") });
  }
  const name = `${user}-own`;
  await permit(server, { user, name, namespace: ownNamespace, rights: within("own") });
}

/** Without a namespace, it is bound in all namespaces. */
async function permit(
  server: KubeAPIServer,
  grant: { user: string; name: string; namespace: string; rights: readonly OperatorRight[] },
): Promise<void> {
  const { user, name, namespace, rights } = grant;
  const [prefix, folder] =
    namespace === "" ? ["Cluster", API] : ["", `${API}/namespaces/${namespace}`];
  const metadata = { name };
  await create(server, `${folder}/${prefix.toLowerCase()}roles`, {
    kind: `${prefix}Role`,
    metadata,
    rules: rights.map(toRule),
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
