/** Has a node tell what CPU and memory its pods use, as HorizontalPodAutoscalers want to know it. */
import { join } from "node:path";
import { installed } from "../support/processes/installed.ts";
import type { ClusterNode } from "./cluster-node.ts";

const BUILD = join(import.meta.dirname, "../support/kubernetes/metrics-server-build");
const BUILD_TIMEOUT_MS = 30 * 60_000;

export async function installMetricsServer(node: ClusterNode): Promise<void> {
  await node.addImage(join(await installed([BUILD], BUILD_TIMEOUT_MS), "metrics-server"));
  await node.kubectl("apply -f test/node/metrics-server.yaml");
  const service = "apiservice/v1beta1.metrics.k8s.io";
  await node.kubectl(`wait --for=condition=Available ${service} --timeout=300s`);
}
