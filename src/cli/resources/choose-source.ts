/** Decides whether `status` and `explain` ask the `omnia up` of this machine or a cluster. */
import type { ResourceFlags } from "./resources.ts";

/** `local-or-cluster`: the instance of this machine if one runs, or else the cluster that kubectl would ask. */
export type SourceChoice = "local" | "cluster" | "local-or-cluster";

/**
 * What the command line says counts first. A KUBECONFIG that somebody set names a cluster on purpose, and so it counts before an
 * instance that happens to run here. The kubeconfig of the home folder, which nobody named, comes last.
 */
export function chooseSource(
  { local, state, context }: Pick<ResourceFlags, "local" | "state" | "context">,
  env: Readonly<Record<string, string | undefined>>,
): SourceChoice {
  if (local === true || state !== undefined) return "local";
  if (context !== undefined || (env["KUBECONFIG"] ?? "") !== "") return "cluster";
  return "local-or-cluster";
}
