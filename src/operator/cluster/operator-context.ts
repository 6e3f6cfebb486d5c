import type {
  PromptPackReference,
  ToolRegistryReference,
} from "../../control/agent-runtime/references.ts";
import type { ConfigSigner } from "../../agent-config/config-signature.ts";
import type { TrustPolicy } from "../../control/trust-policy.ts";
import type { KubeClient } from "../../kube/client/client.ts";
import type { ControllerOptions } from "../../kube/controller/controller.ts";
import type { EventRecorder } from "../../kube/events.ts";
import type { Clock } from "../../time/clock.ts";
import type { Log } from "../../observability/log.ts";
import type { AgentDefaults } from "./agent-defaults.ts";
import type { AgentNetworkPolicy } from "./agent-network-policy.ts";
import type { OperatorCaches } from "./caches.ts";

/** `watch`: changes of Secrets are reported. `get`: those that are referred to are read by their names, again and again. */
export type SecretAccess = "watch" | "get";

export interface OperatorSettings {
  /** The image of agents whose spec names none. */
  readonly agentImage: string;
  readonly agentImagePullPolicy: "Always" | "IfNotPresent" | "Never" | undefined;
  readonly agentDefaults?: AgentDefaults | undefined;
  /** The namespaces that are watched. Empty: all of them. */
  readonly namespaces: readonly string[];
  readonly policy: TrustPolicy;
  readonly secrets: SecretAccess;
  /** `undefined`: agents have no NetworkPolicy. */
  readonly networkPolicy: AgentNetworkPolicy | undefined;
  /** The URL of the Prometheus that KEDA asks where the spec names no trigger. `undefined`: there is none. */
  readonly prometheusAddress?: string | undefined;
}

/** What every controller of the operator works with. */
export interface OperatorContext {
  readonly client: KubeClient;
  readonly caches: OperatorCaches;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: OperatorSettings;
  readonly signer: ConfigSigner;
  /** The public keys of the gateways that agents believe. None where there is no gateway. */
  readonly gatewayKeys?: readonly string[] | undefined;
}

/** The decisions about the resources of one kind that agents refer to, kept in memory. */
export interface DecisionSource<Reference> {
  /**
   * Resolves to the decision about the resource with this key, "namespace/name". The decision is made again if anything changed
   * since the last time, and else costs nothing. Rejects only when something could not be read.
   */
  reference(key: string, signal: AbortSignal): Promise<Reference>;
  /** `listener` is called with the key of a resource whose decision has changed for those that refer to it. */
  subscribe(listener: (key: string) => void): void;
}
export type DecidedPromptPacks = DecisionSource<PromptPackReference>;
export type DecidedToolRegistries = DecisionSource<ToolRegistryReference>;

/** The settings that each controller of the operator is made with. */
export type ControllerSettings = Pick<
  ControllerOptions,
  "workers" | "resyncMs" | "onReconciled" | "queue"
>;
