/** The key with which the operator signs agent configs: a Secret in the operator's own namespace, made when there is none. */
import { generateKeyPairSync } from "node:crypto";
import { ConfigSigner } from "../../agent-config/config-signature.ts";
import { isAlreadyExists, isNotFound, isRefusal } from "../../kube/client/api-error.ts";
import type { KubeClient } from "../../kube/client/client.ts";
import type { KubernetesObject } from "../../kube/client/object.ts";
import { SECRETS } from "./kubernetes-objects.ts";
import { MANAGED_BY_LABEL, OPERATOR, SIGNING_KEY_NAME } from "./labels.ts";

const KEY = "key.pem";

interface SecretObject extends KubernetesObject {
  data?: Record<string, string>;
}

export class SigningKeyError extends Error {
  override readonly name = "SigningKeyError";
}

/**
 * All operators of a namespace use the same key. When the Secret is deleted, the next operator that leads makes another key, and
 * all agents are rolled. Rejects with SigningKeyError when the Secret cannot be read or made, or holds no key.
 */
export async function loadConfigSigner(
  client: KubeClient,
  namespace: string,
  signal: AbortSignal,
): Promise<ConfigSigner> {
  const at = { name: SIGNING_KEY_NAME, namespace };
  try {
    const secret =
      (await read(client, at, signal)) ??
      (await create(client, at, signal)) ??
      (await read(client, at, signal));
    return new ConfigSigner(Buffer.from(secret?.data?.[KEY] ?? "", "base64").toString());
  } catch (error) {
    if (signal.aborted) throw error;
    const cure = isRefusal(error)
      ? "allow the operator to get and create Secrets there, as the roles of the chart do"
      : "delete the Secret if it is broken, and another one is made";
    const message = `The key that signs agent configs, Secret "${at.name}" in namespace "${namespace}", cannot be used: ${cure}`;
    throw new SigningKeyError(message, { cause: error });
  }
}

interface Place {
  readonly name: string;
  readonly namespace: string;
}

async function read(
  client: KubeClient,
  at: Place,
  signal: AbortSignal,
): Promise<SecretObject | undefined> {
  try {
    return await client.get<SecretObject>(SECRETS, at, signal);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** `undefined`: another operator was faster. */
async function create(
  client: KubeClient,
  at: Place,
  signal: AbortSignal,
): Promise<SecretObject | undefined> {
  const { privateKey } = generateKeyPairSync("ed25519");
  const pem = privateKey.export({ type: "pkcs8", format: "pem" });
  const secret: SecretObject & { type: string } = {
    metadata: { ...at, labels: { [MANAGED_BY_LABEL]: OPERATOR } },
    type: "Opaque",
    data: { [KEY]: Buffer.from(pem).toString("base64") },
  };
  try {
    await client.create(SECRETS, secret, signal);
    return secret;
  } catch (error) {
    if (isAlreadyExists(error)) return undefined;
    throw error;
  }
}
