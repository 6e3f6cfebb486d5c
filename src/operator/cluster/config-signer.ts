/** The key with which the operator signs agent configs: a Secret in the operator's own namespace, made when there is none. */
import { ConfigSigner } from "../../agent-config/config-signature.ts";
import type { KubeClient } from "../../kube/client/client.ts";
import { loadKeySecret, SIGNING_ENTRY } from "./key-secret.ts";
import { SIGNING_KEY_NAME } from "./labels.ts";

/**
 * When the Secret is deleted, the next operator that leads makes another key, and all agents are rolled. Rejects with KeySecretError
 * when the Secret cannot be read or made, or holds no key.
 */
export function loadConfigSigner(
  client: KubeClient,
  namespace: string,
  signal: AbortSignal,
): Promise<ConfigSigner> {
  const secret = { name: SIGNING_KEY_NAME, namespace, use: "signs agent configs" };
  return loadKeySecret(
    client,
    secret,
    (entries) => new ConfigSigner(entries.get(SIGNING_ENTRY) ?? ""),
    signal,
  );
}
