/**
 * A real kube-controller-manager beside a test's API server: with it Deployments make pods, Services get their EndpointSlices,
 * and what loses its owner is deleted.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { findKubePrograms } from "./kube-programs.ts";
import type { ProcessGuard } from "../processes/process-guard.ts";

const PROGRAM = "kube-controller-manager";
const OUTPUT_LIMIT = 16_384;
const STOP_TIMEOUT_MS = 10_000;

/** Those that an operator's work meets. The fewer there are, the sooner they have begun. */
const CONTROLLERS = [
  "deployment-controller",
  "disruption-controller",
  "endpointslice-controller",
  "garbage-collector-controller",
  "namespace-controller",
  "replicaset-controller",
];

/** Only for tests about it: it would write to the agents of others. */
const AUTOSCALER = "horizontal-pod-autoscaler-controller";

export interface KubeControllerManager {
  stop(): Promise<void>;
}

/**
 * Kinds that are defined later than it starts are garbage-collected half a minute later than others: install them first.
 * Its API server may go and come back.
 */
export async function startKubeControllerManager(
  kubeconfig: string,
  guard: ProcessGuard,
  { scalesHorizontally = false }: { scalesHorizontally?: boolean | undefined } = {},
): Promise<KubeControllerManager> {
  const child = spawn(
    join(await findKubePrograms([PROGRAM]), PROGRAM),
    [
      `--kubeconfig=${kubeconfig}`,
      `--controllers=${[...CONTROLLERS, ...(scalesHorizontally ? [AUTOSCALER] : [])].join(",")}`,
      "--horizontal-pod-autoscaler-sync-period=1s",
      "--leader-elect=false",
      "--secure-port=0",
      "--use-service-account-credentials=false",
      // Nothing here is to wait for it.
      "--kube-api-qps=1000",
      "--kube-api-burst=2000",
      "--concurrent-deployment-syncs=20",
      "--concurrent-replicaset-syncs=20",
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let output = "";
  const read = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-OUTPUT_LIMIT);
  };
  child.stdout.on("data", read);
  child.stderr.on("data", read);
  let stopping = false;
  guard.watch(child);
  child.once("exit", (code, signal) => {
    if (!stopping) process.stderr.write(`${PROGRAM} ended (${signal ?? code}):\n${output}\n`);
  });
  await once(child, "spawn");
  return {
    async stop() {
      stopping = true;
      await kill(child);
    },
  };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit", { signal: AbortSignal.timeout(STOP_TIMEOUT_MS) });
  child.kill("SIGKILL");
  await exit;
}
