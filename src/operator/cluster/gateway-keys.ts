/**
 * The keys by which gateways prove to agents who asks: a Secret in the operator's own namespace, made when there is none. The gateways
 * sign with its entry `key.pem`. An agent believes every entry that ends in `.pem`, so that one key can follow another.
 */
import { MAX_GATEWAY_KEYS } from "../../agent-config/agent-config.ts";
import { gatewayPublicKey } from "../../agent-config/gateway-token.ts";
import type { KubeClient } from "../../kube/client/client.ts";
import { loadKeySecret, SIGNING_ENTRY } from "./key-secret.ts";
import { GATEWAY_KEY_NAME } from "./labels.ts";

/** Resolves to the public keys for agent configs. Rejects with KeySecretError as `loadKeySecret` does. */
export function loadGatewayKeys(
  client: KubeClient,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const secret = { name: GATEWAY_KEY_NAME, namespace, use: "gateways sign with" };
  return loadKeySecret(client, secret, publicKeysOf, signal);
}

/** The one that signs comes first, and the others in the order of their names. Throws where an entry is no key. */
export function publicKeysOf(entries: ReadonlyMap<string, string>): string[] {
  const others = [...entries.keys()].filter(
    (name) => name.endsWith(".pem") && name !== SIGNING_ENTRY,
  );
  const names = [SIGNING_ENTRY, ...others.toSorted()];
  if (names.length > MAX_GATEWAY_KEYS) {
    throw new RangeError(`there are over ${MAX_GATEWAY_KEYS} keys`);
  }
  return names.map((name) => gatewayPublicKey(entries.get(name) ?? ""));
}
