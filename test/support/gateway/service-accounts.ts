/** Service accounts of a test's cluster, and tokens of theirs as `kubectl create token` makes them. */
import type { KubeAPIServer } from "../kubernetes/kube-api-server.ts";

export interface AccountName {
  readonly namespace: string;
  readonly name: string;
}

export function userOf({ namespace, name }: AccountName): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

export async function createAccount(
  server: KubeAPIServer,
  { namespace, name }: AccountName,
): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts`;
  const { status } = await server.request("POST", path, { metadata: { name } });
  if (status !== 201) throw new Error(`${path}: ${status}`);
}

/** Takes back all tokens of the account. */
export async function deleteAccount(
  server: KubeAPIServer,
  { namespace, name }: AccountName,
): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}`;
  const { status } = await server.request("DELETE", path);
  if (status !== 200) throw new Error(`${path}: ${status}`);
}

export async function tokenOf(
  server: KubeAPIServer,
  { namespace, name }: AccountName,
): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const { status, body } = await server.request("POST", path, {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: { expirationSeconds: 600 },
  });
  if (status !== 201) throw new Error(`${path}: ${status}`);
  return (body as { status: { token: string } }).status.token;
}
