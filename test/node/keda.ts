/** Has a node scale by what KEDA counts: KEDA's own operator, and a Prometheus on this machine that scrapes the agents' pods. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type Prometheus, startPrometheus } from "../support/observability/prometheus.ts";
import { installed } from "../support/processes/installed.ts";
import { type ClusterNode, type KubeObject, MACHINE_ADDRESS } from "./cluster-node.ts";

const INSTALL = join(import.meta.dirname, "../support/kubernetes/keda-install");
const BUILD_TIMEOUT_MS = 60 * 60_000;
const LOOKS_EVERY = "2s";

/** With its server of metrics, which HorizontalPodAutoscalers ask. */
export async function installKeda(node: ClusterNode): Promise<void> {
  const folder = await installed([INSTALL, "programs"], BUILD_TIMEOUT_MS);
  for (const program of ["keda", "keda-adapter"]) await node.addImage(join(folder, program));
  await node.kubectl(`apply --server-side -k ${folder}`);
  const service = "apiservice/v1beta1.external.metrics.k8s.io";
  await node.kubectl(`wait --for=condition=Available ${service} --timeout=300s`);
}

/** Scrapes the pods of the namespace `default` that ask for it by their annotations. Pods reach it. */
export async function startPrometheusOfPods(node: ClusterNode): Promise<Prometheus> {
  await using parts = new AsyncDisposableStack();
  // Debian's Prometheus does not ask Kubernetes itself.
  const finder = createServer((_request, response) => {
    scrapedPods(node).then(
      (found) => response.setHeader("content-type", "application/json").end(JSON.stringify(found)),
      () => response.writeHead(503).end(),
    );
  });
  await once(finder.listen(0, "127.0.0.1"), "listening");
  parts.defer(() => {
    finder.closeAllConnections();
    finder.close();
  });
  const { port } = finder.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const pods = {
    job_name: "pods",
    honor_labels: true,
    http_sd_configs: [{ url, refresh_interval: LOOKS_EVERY }],
  };
  const prometheus = parts.use(await startPrometheus({ host: MACHINE_ADDRESS, scrapes: [pods] }));
  const held = parts.move();
  return { ...prometheus, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

async function scrapedPods(node: ClusterNode): Promise<object[]> {
  const { items } = await node.get("/api/v1/namespaces/default/pods");
  return items
    .filter(({ metadata }: KubeObject) => metadata.annotations?.[annotation("scrape")] === "true")
    .filter(({ status }: KubeObject) => status.podIP !== undefined)
    .map(({ metadata, status }: KubeObject) => ({
      targets: [`${status.podIP}:${metadata.annotations[annotation("port")]}`],
      labels: {
        pod: metadata.name,
        __metrics_path__: metadata.annotations[annotation("path")],
      },
    }));
}

function annotation(name: string): string {
  return `prometheus.io/${name}`;
}
