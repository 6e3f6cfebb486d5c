/** One AgentRuntime that the files declare: what was decided about it, and its processes. */
import type { AgentConfig } from "../agent-config/agent-config.ts";
import type { AgentRuntime, AgentRuntimeStatus } from "../api/agent-runtime.ts";
import { DEFAULT_NAMESPACE } from "../api/fields/names.ts";
import type { ObservedWorkload } from "../control/agent-runtime/available.ts";
import {
  type AgentRuntimeDecision,
  decideAgentRuntime,
} from "../control/agent-runtime/decide-agent-runtime.ts";
import type { Happened } from "../control/explain/happened.ts";
import { gatherReferences } from "../control/agent-runtime/gather-references.ts";
import type { TrustPolicy } from "../control/trust-policy.ts";
import type { SecretFile, WorkloadDecision } from "../control/agent-runtime/workload-decision.ts";
import { namesRuntime } from "../api/runtime-variables.ts";
import type { CanaryReplica } from "../probes/canary-probes.ts";
import { canonicalJSON, contentHash } from "../promptpack/document/content-hash.ts";
import {
  AgentWorkload,
  type AgentWorkloadOptions,
  type ReplicaEndpoint,
  type ReplicaView,
} from "./replicas/workload.ts";
import { ErrorSummary } from "./replicas/error-summary.ts";
import { localReaders, type DecidedReferences, type LocalReaders } from "./reference-readers.ts";
import type { LocalWorld } from "./world.ts";
import { observeWorkload } from "./replicas/observe-workload.ts";
import { processEnvironment } from "./replicas/process-environment.ts";
import { resolveEnvironment } from "./secrets/resolve-environment.ts";
import { withGeneration } from "./with-generation.ts";

export interface LocalAgentOptions extends Omit<AgentWorkloadOptions, "onError" | "onEnd"> {
  readonly policy: TrustPolicy;
  /** The public keys of the gateways that the agents believe. */
  readonly gatewayKeys?: readonly string[] | undefined;
  /** Called with what people should hear of. */
  say: (line: string) => void;
  /** Called with what happened besides a change of its status. */
  onEvent: (happened: Happened) => void;
  /** The URL at which the gateway takes connections, such as `ws://localhost:8080/ws`. */
  gatewayURL: string;
}

/** What a gateway needs to know of an agent. */
export type LocalRoute =
  | {
      readonly status: "ready";
      readonly endpoints: readonly ReplicaEndpoint[];
      readonly affinity: "none" | "client";
      readonly allowedOrigins: readonly string[];
    }
  | {
      readonly status: "unavailable";
      readonly reason: string;
      readonly allowedOrigins: readonly string[];
    };

/** What the processes run with. */
interface RunningWith {
  readonly config: AgentConfig;
  readonly secretFiles: readonly SecretFile[];
  readonly secrets: ReadonlyMap<string, string | undefined>;
  readonly variables: Readonly<Record<string, string>>;
  readonly replicas: number;
  readonly revision: string;
}

const SECRETS_PREFIX = "secrets/";

export class LocalAgent {
  readonly #options: LocalAgentOptions;
  readonly #workload: AgentWorkload;
  readonly #errors: ErrorSummary;
  #resource: AgentRuntime;
  #status: AgentRuntimeStatus = {};
  #runningWith: RunningWith | undefined;
  /** Why the processes cannot be given their environment. */
  #environmentProblem: string | undefined;
  #isRetired = false;

  constructor(declared: AgentRuntime, options: LocalAgentOptions) {
    this.#options = options;
    this.#errors = new ErrorSummary(options.clock, options.say);
    this.#workload = new AgentWorkload({
      ...options,
      onError: (replica, message) => this.#errors.add(`replica ${replica}: ${message}`),
      onEnd: (replica, message, restartInMs) => {
        const wait = (restartInMs / 1_000).toFixed(1);
        const line = `replica ${replica}: ${message}; another one starts in ${wait} s`;
        options.say(line);
        // The wait is another one each time, and would keep what happened again from being counted.
        const words = `replica ${replica}: ${message}; another one starts`;
        options.onEvent({ type: "Warning", reason: "ReplicaEnded", message: words });
      },
    });
    this.#resource = withGeneration(declared, undefined);
  }

  get resource(): AgentRuntime {
    return this.#resource;
  }

  get status(): AgentRuntimeStatus {
    return this.#status;
  }

  /** What the replicas run with. */
  get config(): AgentConfig | undefined {
    return this.#runningWith?.config;
  }

  /** The processes that may be asked what they counted of a canary. */
  canaryReplicas(): CanaryReplica[] {
    return this.#workload.canaryReplicas();
  }

  /** Whether no file declares it any more. */
  get isRetired(): boolean {
    return this.#isRetired;
  }

  /** Whether it has no process. */
  get isGone(): boolean {
    return this.#workload.replicas().length === 0;
  }

  /** Its replicas, in the order of their numbers. */
  replicas(): ReplicaView[] {
    return this.#workload.replicas();
  }

  /** Why replicas are not ready that should be by now, in their own words. */
  complaints(): { replica: number; message: string }[] {
    return this.#workload
      .replicas()
      .filter(
        ({ slow, overdue, state }) => slow && !overdue && state !== "draining" && state !== "ready",
      )
      .flatMap(({ id, message }) => (message === undefined ? [] : [{ replica: id, message }]));
  }

  route(): LocalRoute {
    const allowedOrigins = this.#resource.spec.facade.allowedOrigins ?? [];
    const endpoints = this.#workload.endpoints();
    if (endpoints.length > 0) {
      const affinity = this.config?.session.type === "redis" ? "none" : "client";
      return { status: "ready", endpoints, affinity, allowedOrigins };
    }
    const available = this.#status.conditions?.find(({ type }) => type === "Available");
    const reason =
      available === undefined ? "it is being started" : `${available.reason}: ${available.message}`;
    return { status: "unavailable", reason, allowedOrigins };
  }

  /** Resolves to whether something has changed that another decision may depend on. */
  async reconcile(
    declared: AgentRuntime,
    world: LocalWorld,
    decided: DecidedReferences,
    now: number,
  ): Promise<boolean> {
    this.#isRetired = false;
    this.#resource = withGeneration(declared, this.#resource);
    const before = canonicalJSON([this.config, this.#environmentProblem]);
    const readers = localReaders(world, decided);
    const references = await gatherReferences(this.#resource, readers, this.#options.policy);
    const previous = this.#runningWith ?? {};
    const decideWith = (workload: ObservedWorkload | undefined): AgentRuntimeDecision =>
      decideAgentRuntime({
        agentRuntime: { ...this.#resource, status: this.#status },
        references,
        observed: workload,
        previous,
        endpoint: this.#endpoint(),
        policy: this.#options.policy,
        gatewayKeys: this.#options.gatewayKeys,
        now,
      });
    const decision = decideWith(this.#observe());
    if (decision.config === undefined || decision.workload === undefined) {
      this.#status = decision.status;
    } else {
      try {
        await this.#carryOut(decision.config, decision.workload, readers, world);
      } finally {
        // What was observed before is about the spec before.
        this.#status = decideWith(this.#observe()).status;
      }
    }
    return canonicalJSON([this.config, this.#environmentProblem]) !== before;
  }

  /** Drains its processes. */
  retire(): void {
    this.#isRetired = true;
    this.#workload.retire();
  }

  kill(): void {
    this.#workload.kill();
  }

  /** Removes its config and secrets from the disk. It has to be retired, and none of its processes may be left. */
  async clean(): Promise<void> {
    this.#errors.close();
    this.#runningWith = undefined;
    await this.#workload.clean();
  }

  #observe(): ObservedWorkload | undefined {
    const problem = this.#environmentProblem;
    if (this.#runningWith === undefined && problem === undefined) return undefined;
    const observed = {
      ...observeWorkload(this.#workload.replicas(), this.#runningWith?.revision ?? ""),
      scaledTo: this.#runningWith?.replicas,
    };
    return problem === undefined
      ? observed
      : {
          ...observed,
          failure: { reason: "PodsFailing", message: problem },
          obstacle: { reason: "RolloutStuck", message: problem },
        };
  }

  async #carryOut(
    config: AgentConfig,
    workload: WorkloadDecision,
    readers: LocalReaders,
    world: LocalWorld,
  ): Promise<void> {
    const { name, namespace } = this.#resource.metadata;
    const secretValues = (secretName: string) =>
      readers.secretValues({ namespace, name: secretName });
    const resolved = resolveEnvironment(
      workload.environment,
      {
        name,
        namespace,
        configMap: (configMapName) => {
          const configMap = world.configMap({ namespace, name: configMapName });
          return configMap === undefined ? undefined : (configMap.data ?? {});
        },
        secret: secretValues,
      },
      this.#options.folder,
    );
    this.#environmentProblem =
      resolved.problems.length === 0 ? undefined : resolved.problems.join("; ");
    // What runs goes on as it was started, and what does not run waits, as it does for every reference that breaks.
    const variables =
      resolved.problems.length === 0 ? resolved.variables : this.#runningWith?.variables;
    if (variables === undefined) return;

    // A runtime's command is a path from the manifest's folder, as it is from the folder of an image.
    const workingFolder = namesRuntime(this.#resource.spec.env)
      ? world.folderOf({ namespace, name })
      : undefined;
    const own = workingFolder === undefined ? variables : { variables, workingFolder };
    const revision = `${workload.rollHash}-${contentHash(own)}`;
    const secrets = this.#secretContents(workload.secretFiles, secretValues);
    const replicas = replicasOf(workload);
    await this.#workload.apply({
      replicas,
      revision,
      workingFolder,
      environment: processEnvironment(world.environment, variables),
      config: JSON.stringify(config, null, 2),
      secrets,
      secretVariables: resolved.secrets,
    });
    const { secretFiles } = workload;
    this.#runningWith = { config, secretFiles, secrets, variables, replicas, revision };
  }

  #secretContents(
    files: readonly SecretFile[],
    secretValues: (name: string) => ReadonlyMap<string, string> | undefined,
  ): ReadonlyMap<string, string | undefined> {
    const contents = new Map<string, string | undefined>();
    for (const file of files) {
      const path = file.path.slice(SECRETS_PREFIX.length);
      const values = secretValues(file.secretName);
      if (file.key !== undefined) {
        contents.set(path, values?.get(file.key));
      } else if (values !== undefined) {
        for (const [key, value] of values) contents.set(`${path}/${key}`, value);
      } else {
        // The Secret is gone, so its keys stay as they were.
        for (const kept of this.#runningWith?.secrets.keys() ?? []) {
          if (kept.startsWith(`${path}/`)) contents.set(kept, undefined);
        }
      }
    }
    return contents;
  }

  #endpoint(): string {
    const { name, namespace } = this.#resource.metadata;
    const query = new URLSearchParams({
      agent: name,
      ...(namespace === DEFAULT_NAMESPACE ? {} : { namespace }),
    });
    return `${this.#options.gatewayURL}?${query.toString()}`;
  }
}

/** One machine has no autoscaler. An agent that asks for one runs with the fewest replicas that it may have, and with at least one. */
function replicasOf({ replicas, autoscaling }: WorkloadDecision): number {
  return replicas ?? Math.max(1, autoscaling?.minReplicas ?? 1);
}
