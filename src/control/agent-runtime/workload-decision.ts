import type { Affinity } from "../../api/fields/affinity.ts";
import type { PodTemplate } from "../../api/pod-template.ts";
import type { Autoscaling } from "../../api/autoscaling.ts";
import type {
  EnvVar,
  LocalObjectReference,
  ResourceRequirements,
  Toleration,
} from "../../api/fields/pod-fields.ts";

/** A file beside the agent config, with a value of a Secret. */
export interface SecretFile {
  /** The path from the folder of the config, such as `secrets/provider/api-key`. */
  readonly path: string;
  readonly secretName: string;
  /** `undefined` for every key of the Secret. Then `path` is a folder, with a file for each key. */
  readonly key?: string | undefined;
  /** A replica starts without an optional file. Whatever needs the file says so when it is used. */
  readonly optional?: true | undefined;
}

/** The replicas that are wanted. It holds nothing that a replica reads from its config or its secret files while it runs. */
export interface WorkloadDecision {
  /** `undefined` while an autoscaler owns the number, which nobody else changes then. */
  readonly replicas: number | undefined;
  readonly autoscaling?: Autoscaling | undefined;
  /** The port of the facade. */
  readonly port: number;
  /**
   * The variables of Omnia, then the user's own in their order. Paths are those in a container; on one machine they are
   * replaced by the paths there.
   */
  readonly environment: readonly EnvVar[];
  readonly secretFiles: readonly SecretFile[];
  readonly resources?: ResourceRequirements | undefined;
  readonly nodeSelector?: Readonly<Record<string, string>> | undefined;
  readonly tolerations?: readonly Toleration[] | undefined;
  readonly affinity?: Affinity | undefined;
  readonly image?: string | undefined;
  readonly imagePullSecrets?: readonly LocalObjectReference[] | undefined;
  readonly podTemplate?: PodTemplate | undefined;
  /** A hash of everything here but the number of replicas, as 12 hex digits. Another value needs new replicas. */
  readonly rollHash: string;
}
