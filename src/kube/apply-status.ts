import type { KubeClient } from "./client/client.ts";
import type { KubernetesObject, ResourceType } from "./client/object.ts";
import { holds } from "./holds.ts";

/**
 * Writes a status by server-side apply, unless the object has it already. Resolves to whether it wrote. An object of the same name
 * that was made after `live` was read keeps its status: the write then rejects with a conflict.
 */
export async function applyStatus(options: {
  client: KubeClient;
  type: ResourceType;
  live: KubernetesObject & { status?: unknown };
  status: object;
  signal: AbortSignal;
}): Promise<boolean> {
  const { client, type, live, signal } = options;
  const status = JSON.parse(JSON.stringify(options.status)) as object;
  if (holds(live.status, status) && holds(status, live.status)) return false;
  const { name, namespace, uid } = live.metadata;
  const object = { metadata: { name, namespace, uid }, status };
  await client.applyUnread(type, object, { subresource: "status", signal });
  return true;
}
