import type {
  PromptPackReference,
  ToolRegistryReference,
} from "../../control/agent-runtime/references.ts";
import type { KubeClient } from "../../kube/client/client.ts";
import type { ControllerOptions } from "../../kube/controller/controller.ts";
import type { EventRecorder } from "../../kube/events.ts";
import type { Clock } from "../../time/clock.ts";
import type { Log } from "../../observability/log.ts";
import type { OperatorCaches } from "./caches.ts";

export interface OperatorSettings {
  /** Of agents that name none of their own. */
  readonly agentImage: string;
  readonly agentImagePullPolicy: "Always" | "IfNotPresent" | "Never" | undefined;
  /** Those that are watched; empty: all of them. */
  readonly namespaces: readonly string[];
}

/** What every controller of the operator works with. */
export interface OperatorContext {
  readonly client: KubeClient;
  readonly caches: OperatorCaches;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: OperatorSettings;
}

/** What was decided about the resources of one kind that agents refer to, kept in memory. */
export interface DecisionSource<Reference> {
  /**
   * The decision from the world of this moment, made if need be. `key` is "namespace/name". Cheap when nothing changed since the
   * last time. Rejects only when something could not be read.
   */
  reference(key: string, signal: AbortSignal): Promise<Reference>;
  /** Called with the key of a resource whose decision is another than before, for those who refer to it. */
  subscribe(listener: (key: string) => void): void;
}
export type DecidedPromptPacks = DecisionSource<PromptPackReference>;
export type DecidedToolRegistries = DecisionSource<ToolRegistryReference>;

/** What the operator gives to a controller that it makes. */
export type ControllerSettings = Pick<
  ControllerOptions,
  "workers" | "resyncMs" | "onReconciled" | "queue"
>;
