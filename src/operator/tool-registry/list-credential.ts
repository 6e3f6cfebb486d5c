/** The credential of a registry, as the operator reads it to ask a server for its list: it is in memory only while it is sent. */
import type { KeySelector } from "../../api/fields/pod-fields.ts";
import { judgeSecretKey } from "../../control/agent-runtime/judge-secret-key.ts";
import { isSecretValue } from "../../control/is-secret-value.ts";
import { ApiError, isNotFound } from "../../kube/client/api-error.ts";
import { keyOf } from "../../kube/client/object.ts";
import { type ListCredential, ListCredentialError } from "../../tool-servers/lists/list-source.ts";
import { SECRETS, type SecretObject } from "../cluster/kubernetes-objects.ts";
import type { OperatorContext } from "../cluster/operator-context.ts";

/** `selector` names a Secret of `namespace`, which is that of the registry. */
export function listCredential(
  { client, caches }: Pick<OperatorContext, "client" | "caches">,
  namespace: string,
  selector: KeySelector,
): ListCredential {
  const at = { namespace, name: selector.name };
  return {
    version: caches.secrets.get(keyOf(at))?.metadata.resourceVersion ?? "",
    async read(signal) {
      const data = await readData(signal);
      const values = new Map(
        Object.entries(data ?? {})
          .map(([key, encoded]) => [key, Buffer.from(encoded, "base64").toString("utf8")] as const)
          .filter(([, value]) => isSecretValue(value)),
      );
      const problem = judgeSecretKey(
        selector,
        data === undefined
          ? undefined
          : { found: true, keys: [...values.keys()], source: "secret", name: selector.name },
      );
      const value = values.get(selector.key);
      if (problem !== undefined || value === undefined) {
        throw new ListCredentialError(problem?.message ?? "");
      }
      return value.trim();
    },
  };

  async function readData(signal: AbortSignal): Promise<SecretObject["data"] | undefined> {
    try {
      const { data = {} } = await client.givingWay().get<SecretObject>(SECRETS, at, signal);
      return data;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      signal.throwIfAborted();
      const isForbidden = error instanceof ApiError && error.status === 403;
      const why = isForbidden
        ? "the operator may not; give it the right to get this Secret"
        : "the API server did not give it";
      throw new ListCredentialError(`Secret "${selector.name}" could not be read: ${why}`);
    }
  }
}
