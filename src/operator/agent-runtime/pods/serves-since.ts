import type { DeploymentObject } from "../../cluster/kubernetes-objects.ts";

/**
 * Since when a replica of the Deployment takes connections: seconds since 1970. The Deployment counts as available with fewer replicas
 * than it is to have, and with none when it is to have none.
 */
export function servesSince(status: DeploymentObject["status"]): number | "not-yet" | undefined {
  if (status === undefined) return undefined;
  if ((status.availableReplicas ?? 0) === 0) return "not-yet";
  const available = status.conditions?.find(({ type }) => type === "Available");
  if (available?.status !== "True") return undefined;
  const since = Date.parse(available.lastTransitionTime ?? "");
  return Number.isNaN(since) ? undefined : Math.floor(since / 1_000);
}
