/**
 * Reads from an AgentRuntime with an autoscaler whether the manifest that was applied names `spec.replicas`. Only those who apply are asked:
 * whoever else writes an object counts as the writer of its defaults, too.
 */
import { z } from "zod";
import type { KubernetesObject } from "../../kube/client/object.ts";
import type { StoredAgentRuntime } from "./kubernetes-objects.ts";
import { scalerOf } from "./references-of.ts";

/** What `kubectl apply` keeps of its manifest. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
const MANIFEST = z.object({ spec: z.object({ replicas: z.number() }) });
const FIELDS = z.object({ "f:spec": z.object({ "f:replicas": z.object({}) }) });

export function withAppliedReplicas(stored: StoredAgentRuntime): StoredAgentRuntime {
  if (scalerOf(stored) === undefined) return stored;
  return isInManifest(stored) || isAppliedByServer(stored)
    ? { ...stored, appliesReplicas: true }
    : stored;
}

function isInManifest({ metadata }: KubernetesObject): boolean {
  const text = metadata.annotations?.[LAST_APPLIED];
  if (text === undefined) return false;
  try {
    return MANIFEST.safeParse(JSON.parse(text)).success;
  } catch {
    // Somebody else has written the annotation.
    return false;
  }
}

/** An autoscaler that changes the number takes the field over, until the manifest is applied by force. */
function isAppliedByServer({ metadata }: KubernetesObject): boolean {
  return (metadata.managedFields ?? []).some(
    ({ operation, subresource = "", fieldsV1 }) =>
      operation === "Apply" && subresource === "" && FIELDS.safeParse(fieldsV1).success,
  );
}
