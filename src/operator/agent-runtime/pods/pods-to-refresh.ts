import type { PodObject } from "../../cluster/kubernetes-objects.ts";
import { FILES_REVISION_ANNOTATION } from "../../cluster/labels.ts";

/**
 * The pods whose kubelets have not been told of the last change of their files. It is not known which files a pod without the
 * annotation began with, so its kubelet is told once, unless the files never changed.
 */
export function podsToRefresh(pods: readonly PodObject[], revision: number): PodObject[] {
  return pods.filter(({ metadata, spec, status }) => {
    if (metadata.deletionTimestamp !== undefined || spec?.nodeName === undefined) return false;
    if (status?.phase === "Failed" || status?.phase === "Succeeded") return false;
    const told = metadata.annotations?.[FILES_REVISION_ANNOTATION];
    return told === undefined ? revision > 1 : told !== String(revision);
  });
}
