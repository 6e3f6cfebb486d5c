import type { Affinity } from "../../api/fields/affinity.ts";
import type { Autoscaling } from "../../api/autoscaling.ts";
import type {
  EnvVar,
  LocalObjectReference,
  ResourceRequirements,
  Toleration,
} from "../../api/fields/core.ts";

/** Something of a Secret in a file beside the agent config. */
export interface SecretFile {
  /** Relative to the folder of the config: `secrets/provider/api-key`. */
  readonly path: string;
  readonly secretName: string;
  /** `undefined`: every key, each in a file of its name in the folder `path`. */
  readonly key?: string | undefined;
  /** A replica starts without it: what needs it says so when it is used. */
  readonly optional?: true | undefined;
}

/** The replicas wanted. What is read from the agent config or from secret files while a replica runs is not in here. */
export interface WorkloadDecision {
  /** `undefined` while an autoscaler owns the number: then it is left alone. */
  readonly replicas: number | undefined;
  readonly autoscaling?: Autoscaling | undefined;
  /** Of the facade. */
  readonly port: number;
  /**
   * The names that belong to Omnia, then the user's own in their order. Paths are those in a container: who runs agents
   * elsewhere sets OMNIA_CONFIG anew.
   */
  readonly environment: readonly EnvVar[];
  readonly secretFiles: readonly SecretFile[];
  readonly resources?: ResourceRequirements | undefined;
  readonly nodeSelector?: Readonly<Record<string, string>> | undefined;
  readonly tolerations?: readonly Toleration[] | undefined;
  readonly affinity?: Affinity | undefined;
  readonly image?: string | undefined;
  readonly imagePullSecrets?: readonly LocalObjectReference[] | undefined;
  /** Of everything here but the number of replicas: another value needs new replicas. 12 hex digits. */
  readonly rollHash: string;
}
