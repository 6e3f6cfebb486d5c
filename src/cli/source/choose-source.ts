/** Decides whether a command asks the `omnia up` of this machine or a cluster. */

/** The flags by which people say where the resources are. */
export interface SourceFlags {
  /** Folder of the state of an `omnia up`. */
  readonly state?: string | undefined;
  readonly local?: boolean | undefined;
  /** A context of the kubeconfig. */
  readonly context?: string | undefined;
}

/** `local-or-cluster`: the instance of this machine if one runs, or else the cluster that kubectl would ask. */
export type SourceChoice = "local" | "cluster" | "local-or-cluster";

/**
 * What the command line says counts first. A KUBECONFIG that somebody set names a cluster on purpose, and so it counts before an
 * instance that happens to run here. The kubeconfig of the home folder, which nobody named, comes last.
 */
export function chooseSource(
  { local, state, context }: SourceFlags,
  env: Readonly<Record<string, string | undefined>>,
): SourceChoice {
  if (local === true || state !== undefined) return "local";
  if (context !== undefined || (env["KUBECONFIG"] ?? "") !== "") return "cluster";
  return "local-or-cluster";
}
