import { isGoneOrReplaced } from "../../kube/client/api-error.ts";
import type { KubeClient } from "../../kube/client/client.ts";
import type { Clock } from "../../time/clock.ts";
import { type PodObject, PODS } from "../cluster/kubernetes-objects.ts";
import { FILES_REVISION_ANNOTATION } from "../cluster/labels.ts";
import type { Phase } from "./pass.ts";
import { podsToRefresh } from "./pods/pods-to-refresh.ts";

/** A kubelet learns of changed files by a watch of its own. If it looked at them sooner, it would see the old ones. */
const FILES_SETTLE_MS = 250;

/** Makes the kubelets look at changed files at once, by an annotation of the pods. */
export function tellPods({ client, clock }: { client: KubeClient; clock: Clock }): Phase {
  return async ({ memory, pods, wanted, applied }, signal) => {
    if (wanted === undefined || applied === undefined || applied.files === "refused") return {};
    const revision = wanted.files.filesRevision;
    const outdated = podsToRefresh(pods, revision);
    const ageMs = clock.monotonic() - (memory.filesChangedAtMs ?? -Infinity);
    if (outdated.length > 0 && ageMs < FILES_SETTLE_MS) {
      return { requeueAfterMs: FILES_SETTLE_MS - ageMs };
    }
    memory.filesChangedAtMs = undefined;
    await Promise.all(outdated.map((pod) => refresh(client, pod, revision, signal)));
    return {};
  };
}

/** The kubelet looks at a pod whose annotations change at once, and at its files too. */
async function refresh(
  client: KubeClient,
  { metadata }: PodObject,
  revision: number,
  signal: AbortSignal,
): Promise<void> {
  const { name, namespace, uid } = metadata;
  const annotations = { [FILES_REVISION_ANNOTATION]: String(revision) };
  const patch = { metadata: { uid, annotations } };
  try {
    await client.mergePatch(PODS, { name, namespace }, patch, signal);
  } catch (error) {
    if (!isGoneOrReplaced(error)) throw error;
  }
}
