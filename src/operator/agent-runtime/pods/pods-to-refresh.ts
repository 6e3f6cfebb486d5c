import type { PodObject } from "../../cluster/kubernetes-objects.ts";
import { FILES_REVISION_ANNOTATION } from "../../cluster/labels.ts";

/**
 * The pods whose kubelet has not been told of the last change of their files. A pod without the annotation began with the files of
 * its time: unless they never changed, it is told once.
 */
export function podsToRefresh(pods: readonly PodObject[], revision: number): PodObject[] {
  return pods.filter(({ metadata, spec, status }) => {
    if (metadata.deletionTimestamp !== undefined || spec?.nodeName === undefined) return false;
    if (status?.phase === "Failed" || status?.phase === "Succeeded") return false;
    const told = metadata.annotations?.[FILES_REVISION_ANNOTATION];
    return told === undefined ? revision > 1 : told !== String(revision);
  });
}
