/** Private keys of the operator's namespace: a Secret for each use, made with one Ed25519 key when there is none. */
import { generateKeyPairSync } from "node:crypto";
import { isAlreadyExists, isNotFound, isRefusal } from "../../kube/client/api-error.ts";
import type { KubeClient } from "../../kube/client/client.ts";
import type { KubernetesObject } from "../../kube/client/object.ts";
import { SECRETS } from "./kubernetes-objects.ts";
import { MANAGED_BY_LABEL, OPERATOR } from "./labels.ts";

/** The entry of the Secret whose key signs. */
export const SIGNING_ENTRY = "key.pem";

interface SecretObject extends KubernetesObject {
  data?: Record<string, string>;
}

export interface KeySecret {
  readonly name: string;
  readonly namespace: string;
  /** What the key is for, as it completes "The key that …". */
  readonly use: string;
}

export class KeySecretError extends Error {
  override readonly name = "KeySecretError";
}

/**
 * Reads the Secret, or makes it, and hands its entries to `use`. All operators of a namespace use the same Secret. Rejects with
 * KeySecretError when it cannot be read or made, or when `use` throws because it holds no key.
 */
export async function loadKeySecret<Value>(
  client: KubeClient,
  secret: KeySecret,
  use: (entries: ReadonlyMap<string, string>) => Value,
  signal: AbortSignal,
): Promise<Value> {
  const { name, namespace } = secret;
  const at = { name, namespace };
  try {
    const found =
      (await read(client, at, signal)) ??
      (await create(client, at, signal)) ??
      (await read(client, at, signal));
    const entries = Object.entries(found?.data ?? {}).map(
      ([entry, value]) => [entry, Buffer.from(value, "base64").toString()] as const,
    );
    return use(new Map(entries));
  } catch (error) {
    if (signal.aborted) throw error;
    const cure = isRefusal(error)
      ? "allow the operator to get and create Secrets there, as the roles of the chart do"
      : "delete the Secret if it is broken, and another one is made";
    const message = `The key that ${secret.use}, Secret "${name}" in namespace "${namespace}", cannot be used: ${cure}`;
    throw new KeySecretError(message, { cause: error });
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
    data: { [SIGNING_ENTRY]: Buffer.from(pem).toString("base64") },
  };
  try {
    await client.createUnread(SECRETS, secret, signal);
    return secret;
  } catch (error) {
    if (isAlreadyExists(error)) return undefined;
    throw error;
  }
}
