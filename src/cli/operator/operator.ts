/** `omnia operator`: runs the control plane as a process, with its signals, its log and its credentials. */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import type { KubeConfig } from "@kubernetes/client-node";
import packageJSON from "../../../package.json" with { type: "json" };
import { DEFAULT_NAMESPACE } from "../../api/fields/names.ts";
import type { TrustPolicy } from "../../control/trust-policy.ts";
import { systemClock } from "../../time/clock.ts";
import { createProcessLog } from "../../observability/log.ts";
import type { AgentDefaults } from "../../operator/cluster/agent-defaults.ts";
import type { AgentNetworkPolicy } from "../../operator/cluster/agent-network-policy.ts";
import { runOperator } from "../../operator/run-operator.ts";
import { CliError, EXIT_CODES, type ExitCode } from "../terminal/cli-error.ts";
import { loadKubeConfig } from "../source/load-kube-config.ts";
import type { Streams } from "../terminal/streams.ts";
import { keepHeapRoom } from "./heap-room.ts";
import { v8Heap } from "./v8-heap.ts";

const NAMESPACE_OF_POD = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

export interface OperatorFlags {
  /** An empty list means all namespaces. */
  readonly namespaces: readonly string[];
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly agentImage?: string | undefined;
  readonly agentImagePullPolicy?: "Always" | "IfNotPresent" | "Never" | undefined;
  readonly policy: TrustPolicy;
  readonly leaderElect: boolean;
  readonly leaderElectionNamespace?: string | undefined;
  readonly kubeApiQps: number;
  readonly kubeApiBurst: number;
  readonly secrets: "watch" | "get";
  readonly networkPolicy?: AgentNetworkPolicy | undefined;
  readonly agentDefaults?: AgentDefaults | undefined;
  readonly prometheusAddress?: string | undefined;
  /** Whether there is a gateway that agents are to believe. */
  readonly gateway: boolean;
  readonly workers: number;
  readonly resyncMs: number;
  readonly managementPort: number;
}

/** Settles when a signal has ended the operator. A second signal ends it at once. */
export async function operator(flags: OperatorFlags, { env }: Streams): Promise<ExitCode> {
  const kubeConfig = loadKubeConfig({ file: flags.kubeconfig, context: flags.context });
  if (kubeConfig === undefined) {
    throw new CliError("No cluster is configured.", {
      cure: "Point KUBECONFIG or --kubeconfig at one, or run the operator in a pod.",
    });
  }
  const log = createProcessLog(env);
  const ending = new AbortController();
  const end = (): void => {
    if (ending.signal.aborted) process.exit(EXIT_CODES.failed);
    log.info({}, "The operator ends");
    ending.abort();
  };
  process.on("SIGTERM", end).on("SIGINT", end);
  const namespace = flags.leaderElectionNamespace ?? ownNamespace(kubeConfig);
  const keepingRoom = keepHeapRoom(v8Heap(), systemClock, ending.signal).catch((error: unknown) => {
    log.warn({ error }, "The heap has the room of any other program from now on");
  });
  try {
    await runOperator(
      {
        kubeConfig,
        settings: {
          agentImage: flags.agentImage ?? `omnia:${packageJSON.version}`,
          agentImagePullPolicy: flags.agentImagePullPolicy,
          namespaces: flags.namespaces,
          policy: flags.policy,
          secrets: flags.secrets,
          networkPolicy: flags.networkPolicy,
          agentDefaults: flags.agentDefaults,
          prometheusAddress: flags.prometheusAddress,
        },
        leaseNamespace: flags.leaderElect ? namespace : undefined,
        ownNamespace: namespace,
        hasGateway: flags.gateway,
        instance: hostname(),
        pod: ownPod(env, namespace),
        requestsPerSecond: flags.kubeApiQps,
        burst: flags.kubeApiBurst,
        workers: flags.workers,
        resyncMs: flags.resyncMs,
        managementPort: flags.managementPort,
        clock: systemClock,
        random: Math.random,
        log,
      },
      ending.signal,
    );
    return EXIT_CODES.ok;
  } finally {
    ending.abort();
    await keepingRoom;
    process.off("SIGTERM", end).off("SIGINT", end);
  }
}

/** The pod that this runs in, as the chart tells it. Others look for it in the namespace of the lease only. */
function ownPod(
  env: Readonly<Record<string, string | undefined>>,
  leaseNamespace: string,
): { name: string; uid: string } | undefined {
  const { POD_NAMESPACE: namespace, POD_NAME: name = "", POD_UID: uid = "" } = env;
  return namespace !== leaseNamespace || name === "" || uid === "" ? undefined : { name, uid };
}

/** The namespace of the pod that this runs in, or else of the kubeconfig's context. */
function ownNamespace(kubeConfig: KubeConfig): string {
  try {
    const namespace = readFileSync(NAMESPACE_OF_POD, "utf8").trim();
    if (namespace !== "") return namespace;
  } catch {
    // This does not run in a pod.
  }
  const context = kubeConfig.getContextObject(kubeConfig.getCurrentContext());
  return context?.namespace ?? DEFAULT_NAMESPACE;
}
